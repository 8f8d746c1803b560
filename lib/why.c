// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Why something could not be had, for people.
 *
 * Reasons are gathered in a struct why while a call goes down its ladder. If
 * the call succeeds they stay with the buffer; if it fails they become the
 * calling thread's, as errno is, and hpmap_why(NULL) returns them. Each is a
 * line, with its remedies on the lines below it, in the order in which they
 * were met; one that is met again is not repeated.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "why.h"

/* What ends a text from which something is missing. There is always room for it. */
#define MARK	" ..."

static _Thread_local struct why latest;

/* Does the text have @reason, on lines of its own? */
static bool why_has(const struct why *why, const char *reason)
{
	size_t length = strlen(reason);
	const char *at;

	for (at = why->text; (at = strstr(at, reason)); at++)
		if ((at == why->text || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
			return true;
	return false;
}

/* Add a reason whole, or a mark instead of it and of all that would follow. */
static void why_append(struct why *why, const char *fmt, va_list args)
{
	size_t begin = why->length ? why->length + 1 : 0;
	size_t room = sizeof(why->text) - strlen(MARK) - begin, n;

	why->reasons++;
	if (why->full)
		return;
	n = vsnprintf(why->text + begin, room, fmt, args);
	if (n >= room) {
		/* The first is better cut than left out. */
		if (!begin)
			why->length = strlen(why->text);
		strcpy(why->text + why->length, MARK);
		why->length += strlen(MARK);
		why->full = true;
	} else if (!begin || !why_has(why, why->text + begin)) {
		if (begin)
			why->text[why->length] = '\n';
		why->length = begin + n;
	}
}

/* Add a reason, with its remedies behind TRY, that is not there yet. */
void why_add(struct why *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	why_append(why, fmt, args);
	va_end(args);
}

/* Make these the reasons of this thread, and return @ret. */
int fail_why(int ret, const struct why *why)
{
	if (!why->length)
		return fail(ret, "%s", strerror(-ret));
	latest = *why;
	return ret;
}

/* The same for one reason. */
int fail(int ret, const char *fmt, ...)
{
	struct why why = {};
	va_list args;

	/* The latest may be among @args. */
	va_start(args, fmt);
	why_append(&why, fmt, args);
	va_end(args);
	latest = why;
	return ret;
}

const char *why_latest(void)
{
	return latest.text;
}
