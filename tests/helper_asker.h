/* SPDX-License-Identifier: GPL-2.0-only */
/* What helper_asker answers to a request. */
#ifndef HPM_HELPER_ASKER_H
#define HPM_HELPER_ASKER_H

#include <stdint.h>

struct asked {
	int32_t err;		/* errno of the request, or 0 */
	int32_t says_why;	/* is there a text? */
	uint64_t pages[2];	/* on nodes 0 and 1, if there is a buffer */
};

#endif
