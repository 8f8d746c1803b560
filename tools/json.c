// SPDX-License-Identifier: GPL-2.0-only
/* Objects for programs; hpagectl.schema.json describes them. */
#include <stdio.h>

#include "json.h"
#include "report.h"

void json_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

void json_number(struct json_object *to, const char *name, uint64_t number)
{
	json_object_object_add(to, name, json_object_new_uint64(number));
}

/* Print an object and free it. Returns EXIT_OK. */
int json_print(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return EXIT_OK;
}

/* Print an object with this one member. */
int json_print_member(const char *name, struct json_object *member)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, name, member);
	return json_print(o);
}
