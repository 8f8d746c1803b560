/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

struct json_object *json_string(const char *text);
struct json_object *json_string_of(const char *text, size_t length);
void json_text(struct json_object *to, const char *name, const char *text);
void json_number(struct json_object *to, const char *name, uint64_t number);
int json_print(struct json_object *object);
int json_print_member(const char *name, struct json_object *member);

#endif
