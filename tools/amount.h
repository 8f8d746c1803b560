/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef AMOUNT_H
#define AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct amount - how many pages somebody wants
 * @text: as it was typed
 * @number: of pages, or of bytes
 * @bytes: which of these
 * @sign: '+' or '-' for more or less than there are, else 0
 */
struct amount {
	const char *text;
	uint64_t number;
	bool bytes;
	char sign;
};

int amount_read(const char *text, struct amount *m);
int amount_pages(const struct amount *m, uint64_t page_size, uint64_t now, uint64_t *pages);

#endif
