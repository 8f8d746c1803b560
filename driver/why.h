/* SPDX-License-Identifier: GPL-2.0-only */
/* Reasons for people: why something better, or anything at all, could not be had. */
#ifndef _HPM_WHY_H
#define _HPM_WHY_H

#include <linux/compiler_attributes.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <uapi/linux/hpage_map.h>

/* Reasons with figures, each with a remedy if there is one, separated by semicolons. */
struct hpm_why {
	size_t len;	/* bytes used of text */
	char text[HPAGE_MAP_TEXT_SIZE];
};

__printf(4, 5) void hpm_why_add(struct hpm_why *why, const char *before, const char *after,
				const char *fmt, ...);

/* Sizes as all of our texts have them: "2 MiB", "3 pages of 2 MiB". */
struct hpm_text {
	char text[48];
};

struct hpm_text hpm_text_size(u64 bytes);
struct hpm_text hpm_text_pages(u64 nr, u64 page_size);

/* Add a reason; the same, as the value -EINVAL; add what a person can do about the last reason. */
#define hpm_why(why, ...)		hpm_why_add(why, NULL, "", __VA_ARGS__)
#define hpm_why_invalid(why, ...)	(hpm_why(why, __VA_ARGS__), -EINVAL)
#define hpm_why_try(why, ...)		hpm_why_add(why, " (try: ", ")", __VA_ARGS__)

/* Add a reason and what a person can do about it, a literal; the same, as the value @err. */
#define hpm_why_or(why, remedy, ...)	hpm_why_add(why, NULL, " (try: " remedy ")", __VA_ARGS__)
#define hpm_refuse(why, err, remedy, ...)	(hpm_why_or(why, remedy, __VA_ARGS__), err)

#endif
