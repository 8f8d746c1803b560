/* SPDX-License-Identifier: LGPL-2.1-or-later */
int hpmap_told(void);
