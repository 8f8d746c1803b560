// SPDX-License-Identifier: GPL-2.0-only
/* The keys are looked for in this file alone. */
#define set_key 0

const struct {
	const char *key;
	int set;
} planted_keys[] = {
	{ "ToldKey", set_key }, { "UntoldKey", set_key },
};
