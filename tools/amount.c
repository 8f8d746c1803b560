// SPDX-License-Identifier: GPL-2.0-only
/* How many pages: 512, 1G, or more or less than now: +64, -1G. */
#include <inttypes.h>

#include "amount.h"
#include "parse.h"
#include "report.h"

/* Not 0: nonsense. */
int amount_read(const char *text, struct amount *m)
{
	*m = (struct amount){ .text = text };
	if (*text == '+' || *text == '-')
		m->sign = *text++;
	if (!number_read(text, &m->number))
		return 0;
	m->bytes = true;
	return size_read(text, &m->number);
}

/* How many pages are meant where there are @now. Complains, and returns an exit code. */
int amount_pages(const struct amount *m, uint64_t page_size, uint64_t now, uint64_t *pages)
{
	uint64_t number = m->bytes ? m->number / page_size : m->number;

	if (m->bytes && m->number % page_size) {
		complain("%s is no multiple of the page size, %s", m->text, SIZE_TEXT(page_size));
		return EXIT_USAGE;
	}
	if (m->sign == '-' && number > now) {
		complain("%s: there are %" PRIu64 " page%s", m->text, now, plural(now));
		return EXIT_USAGE;
	}
	if (m->sign == '+' && __builtin_add_overflow(now, number, pages)) {
		complain("%s: that is too much", m->text);
		return EXIT_USAGE;
	}
	if (m->sign != '+')
		*pages = m->sign ? now - number : number;
	return 0;
}
