// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Why something could not be had, for people.
 *
 * Reasons are gathered in a struct why while a call goes down its ladder. If
 * the call succeeds they stay with the buffer; if it fails they become the
 * calling thread's, as errno is, and hpmap_why(NULL) shows them.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <string.h>

#include "internal.h"

static _Thread_local struct why latest;

static void add(struct why *why, const char *before, const char *after, const char *fmt,
		va_list args)
{
	int left = sizeof(why->text) - why->length;
	char *to = why->text + why->length;
	int n = snprintf(to, left, "%s", before);

	if (n < left)
		n += vsnprintf(to + n, left - n, fmt, args);
	if (n < left)
		n += snprintf(to + n, left - n, "%s", after);
	why->length += n < left ? n : left - 1;
}

/* Add a reason; what does not fit is cut. */
void why_add(struct why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(why, why->length ? "; " : "", "", fmt, args);
	va_end(args);
}

/* Add what a person can do about the last reason. */
void why_try(struct why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(why, " (try: ", ")", fmt, args);
	va_end(args);
}

/* Make these the reasons of this thread, and return @ret. */
int fail_why(int ret, const struct why *why)
{
	if (why->length)
		latest = *why;
	else
		return fail(ret, "%s", strerrordesc_np(-ret));
	return ret;
}

/* The same for one reason. */
int fail(int ret, const char *fmt, ...)
{
	struct why why = {};
	va_list args;

	/* The latest may be among @args. */
	va_start(args, fmt);
	add(&why, "", "", fmt, args);
	va_end(args);
	latest = why;
	return ret;
}

PUBLIC const char *hpmap_why(const struct hpmap_buffer *buffer)
{
	return buffer ? buffer->why.text : latest.text;
}
