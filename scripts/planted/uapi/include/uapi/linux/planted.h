/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/types.h>

// Not in C89, and the next not in C++.
struct planted_class {
	__u32 class;
	size_t undeclared;
};

struct planted_hole {
	__u32 first;
	__u64 second;
};

struct planted_end {
	__aligned_u64 first;
	__u32 second;
};

/* A hole for 32 bits only. */
struct planted_32 {
	unsigned long first;
	__aligned_u64 second;
};
