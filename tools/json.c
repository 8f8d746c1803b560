// SPDX-License-Identifier: GPL-2.0-only
/* Objects for programs; hpagectl.schema.json describes them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "report.h"

#define REPLACEMENT	"\xef\xbf\xbd"	/* U+FFFD */

/* How many of the @left bytes are one character of UTF-8; 0 if that is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	size_t length = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 :
			*s < 0xf5 ? 4 : 0, i;

	if (length > left)
		return 0;
	for (i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, or beyond U+10FFFF. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

/*
 * A string of @length bytes. Names of files and of processes may have any bytes, which json-c
 * prints as they are; JSON is UTF-8.
 */
struct json_object *json_string_of(const char *text, size_t length)
{
	struct json_object *string;
	char *valid;
	size_t size, n;
	FILE *to = open_memstream(&valid, &size);

	if (!to)
		abort();
	for (; length; text += n, length -= n) {
		n = utf8_length((const unsigned char *)text, length);
		if (n)
			fwrite(text, 1, n, to);
		else
			fputs(REPLACEMENT, to);
		n += !n;
	}
	if (fclose(to))
		abort();
	string = json_object_new_string_len(valid, size);
	free(valid);
	return string;
}

struct json_object *json_string(const char *text)
{
	return json_string_of(text, strlen(text));
}

void json_text(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_string(text));
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
