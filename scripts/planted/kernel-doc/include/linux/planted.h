/* SPDX-License-Identifier: GPL-2.0-only */

/**
 * struct planted - has a field that nobody explains
 */
struct planted {
	int field;
};
