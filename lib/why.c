// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Why something could not be had, for people.
 *
 * Reasons are gathered in a struct why while a call goes down its ladder. If
 * the call succeeds they stay with the buffer; if it fails they become the
 * calling thread's, as errno is, and hpmap_why(NULL) shows them. Each stands
 * there once, with its remedy, in the order in which it was met.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <string.h>

#include "internal.h"

/* What ends a text from which something is missing. There is always room for it. */
#define MARK	" ..."

static _Thread_local struct why latest;

/* Append a piece whole, or a mark instead of it and of all that would follow. */
static void append(struct why *why, const char *before, const char *after, const char *fmt,
		   va_list args)
{
	size_t left = sizeof(why->text) - sizeof(MARK) + 1 - why->length, n;
	char *to = why->text + why->length;

	if (why->full)
		return;
	n = snprintf(to, left, "%s", before);
	if (n < left)
		n += vsnprintf(to + n, left - n, fmt, args);
	if (n < left)
		n += snprintf(to + n, left - n, "%s", after);
	if (n >= left) {
		/* The first is better cut than not told. */
		if (!why->length)
			to += left - 1;
		strcpy(to, MARK);
		n = to + strlen(MARK) - why->text - why->length;
		why->full = true;
	}
	why->length += n;
}

/* Does the text say @reason of @length bytes, up to @end, as a reason of its own? */
static bool said(const char *text, const char *end, const char *reason, size_t length)
{
	const char *at, *after;

	for (at = text; (at = strstr(at, reason)) && at < end; at++) {
		after = at + length;
		if ((at == text || !strncmp(at - 2, "; ", 2)) &&
		    (after == end || !strncmp(after, "; ", 2) || !strncmp(after, " (try: ", 7)))
			return true;
	}
	return false;
}

/* Add a reason that is not there yet. */
void why_add(struct why *why, const char *fmt, ...)
{
	size_t before = why->length, begin;
	va_list args;

	va_start(args, fmt);
	append(why, before ? "; " : "", "", fmt, args);
	va_end(args);
	why->reasons++;
	begin = before ? before + 2 : 0;
	why->again = before && !why->full &&
		     said(why->text, why->text + before, why->text + begin, why->length - begin);
	if (why->again) {
		why->length = before;
		why->text[before] = '\0';
	}
}

/* Add what a person can do about the last reason. */
void why_try(struct why *why, const char *fmt, ...)
{
	va_list args;

	if (why->again)
		return;
	va_start(args, fmt);
	append(why, " (try: ", ")", fmt, args);
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
	append(&why, "", "", fmt, args);
	va_end(args);
	latest = why;
	return ret;
}

PUBLIC const char *hpmap_why(const struct hpmap_buffer *buffer)
{
	return buffer ? buffer->why.text : latest.text;
}
