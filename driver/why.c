// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reasons for people.
 *
 * Whoever refuses something adds a reason, and the ioctl hands all of them to the program. A
 * reason that does not fit is cut off. A text belongs to one call, so nothing is locked.
 */
#include <linux/kernel.h>

#include "why.h"

/*
 * Add a text between two others, as far as there is room; see hpm_why() and hpm_why_try().
 * @before: NULL for what separates reasons.
 */
void hpm_why_add(struct hpm_why *why, const char *before, const char *after, const char *fmt, ...)
{
	va_list args;
	struct va_format vaf = { .fmt = fmt, .va = &args };

	va_start(args, fmt);
	why->len += scnprintf(why->text + why->len, sizeof(why->text) - why->len, "%s%pV%s",
			      before ?: why->len ? "; " : "", &vaf, after);
	va_end(args);
}
