// SPDX-License-Identifier: GPL-2.0-only
/* The keys are looked for in this file alone. */
const struct {
	const char *key;
} planted_keys[] = {
	{ .key = "ToldKey" }, { .key = "UntoldKey" },
};
