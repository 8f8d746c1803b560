// SPDX-License-Identifier: GPL-2.0-only
#define PLANTED(a) a + a
