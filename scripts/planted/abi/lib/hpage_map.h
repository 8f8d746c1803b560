/* SPDX-License-Identifier: LGPL-2.1-or-later */
struct hpmap_planted {
	unsigned int size;
	unsigned int new;
	unsigned int moved;
};

#define HPMAP_KEPT	(1U << 0)
#define HPMAP_CHANGED	(1U << 2)

enum hpmap_kinds {
	HPMAP_NEW = 7,
};

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int hpmap_kept(struct hpmap_planted *planted);
PUBLIC int hpmap_other(long kind);
