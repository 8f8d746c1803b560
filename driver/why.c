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

/* In the largest unit in which it is whole, from KiB on. */
struct hpm_text hpm_text_size(u64 bytes)
{
	static const char units[] = "KMGTPE";
	u64 nr = bytes >> 10;
	struct hpm_text size;
	int unit = 0;

	for (; nr && !(nr % 1024); nr /= 1024)
		unit++;
	snprintf(size.text, sizeof(size.text), "%llu %ciB", nr, units[unit]);
	return size;
}

/* So many pages of that size in bytes. */
struct hpm_text hpm_text_pages(u64 nr, u64 page_size)
{
	struct hpm_text pages;

	snprintf(pages.text, sizeof(pages.text), "%llu page%s of %.16s", nr, nr == 1 ? "" : "s",
		 hpm_text_size(page_size).text);
	return pages;
}
