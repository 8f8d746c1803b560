/* SPDX-License-Identifier: LGPL-2.1-or-later */
struct hpmap_planted {
	unsigned int size;
	unsigned int new;
	unsigned int moved;
};

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int hpmap_kept(struct hpmap_planted *planted);
PUBLIC int hpmap_other(long kind);
