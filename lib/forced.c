// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A backing that the environment forces on whoever asks for a buffer, to compare:
 *
 *	HPAGE_MAP_BACKING=memfd,thp program
 *
 * One word is for who keeps the pages, one for where they come from. What a program asks for
 * holds all the same: where both cannot be had, the call fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forced.h"
#include "module.h"
#include "sysfs.h"

#define VARIABLE	"HPAGE_MAP_BACKING"
/* What a user of the program types, who cannot change it. */
#define TRY_WITHOUT	TRY "unset " VARIABLE

static const struct {
	const char *name;
	enum hpmap_backend backend;
	enum hpmap_backing backing;
} words[] = {
	{ "module", HPMAP_BACKEND_MODULE, 0 },
	{ "memfd", HPMAP_BACKEND_MEMFD, 0 },
	{ "hugetlb", 0, HPMAP_BACKING_HUGETLB },
	{ "thp", 0, HPMAP_BACKING_THP },
	{ "base", 0, HPMAP_BACKING_BASE },
};

#define NR_WORDS	(sizeof(words) / sizeof(*words))

static int word_read(struct forced *f, const char *word, size_t length)
{
	size_t i;

	for (i = 0; i < NR_WORDS; i++)
		if (strlen(words[i].name) == length && !memcmp(words[i].name, word, length))
			break;
	if (i == NR_WORDS)
		return fail(-EINVAL, VARIABLE " is '%s', and '%.*s' is not module, memfd, hugetlb, "
			    "thp or base" TRY "export " VARIABLE "=thp" TRY_WITHOUT,
			    f->text, (int)length, word);
	if ((words[i].backend && f->backend) || (words[i].backing && f->backing))
		return fail(-EINVAL, VARIABLE " is '%s', and a buffer has one of module and memfd, "
			    "and one of hugetlb, thp and base" TRY "export " VARIABLE "=%s",
			    f->text, words[i].name);
	if (words[i].backend)
		f->backend = words[i].backend;
	else
		f->backing = words[i].backing;
	return 0;
}

/* Read the variable; an empty one demands nothing, as one that is not set. */
static int forced_read(struct forced *f)
{
	const char *word = secure_getenv(VARIABLE);
	size_t length;
	int ret;

	*f = (struct forced){};
	if (!word || !*word)
		return 0;
	f->text = word;
	for (;; word += length + 1) {
		length = strcspn(word, ",");
		ret = word_read(f, word, length);
		if (ret || !word[length])
			return ret;
	}
}

static int forced_contradicts(const struct forced *f, const char *what)
{
	return fail(-EINVAL, "the program asks for %s, and " VARIABLE " is '%s'" TRY_WITHOUT,
		    what, f->text);
}

static int backend_apply(const struct forced *f, struct hpmap_options *o, bool named)
{
	if (f->backend == HPMAP_BACKEND_MODULE && o->flags & HPMAP_NO_MODULE)
		return forced_contradicts(f, "HPMAP_NO_MODULE");
	if (f->backend == HPMAP_BACKEND_MEMFD && named)
		return forced_contradicts(f, "a name, which the module makes");
	if (f->backend == HPMAP_BACKEND_MEMFD && o->flags & (HPMAP_MODULE_ONLY | NEED_MODULE))
		return forced_contradicts(f, "something that needs the module");
	if (f->backend == HPMAP_BACKEND_MODULE)
		o->flags |= HPMAP_MODULE_ONLY;
	else if (f->backend == HPMAP_BACKEND_MEMFD)
		o->flags |= HPMAP_NO_MODULE;
	return 0;
}

/* The page size is that of the backing; the pool alone has several. */
static int backing_apply(const struct forced *f, struct hpmap_options *o)
{
	uint64_t asked = o->page_size ? o->page_size : best_size(), size = asked;

	if (f->backing == HPMAP_BACKING_BASE)
		size = base_page_size();
	else if (f->backing == HPMAP_BACKING_THP)
		size = pmd_size();
	else if (size == base_page_size())
		size = best_size();
	if (o->flags & HPMAP_EXACT && size < asked)
		return forced_contradicts(f, "larger pages, with HPMAP_EXACT");
	o->page_size = size;
	o->flags &= ~HPMAP_ALLOW_BASE;
	return 0;
}

/* Make what the environment demands a part of the request. */
int forced_apply(struct forced *f, struct hpmap_options *o, bool named)
{
	int ret = forced_read(f);

	if (!ret)
		ret = backend_apply(f, o, named);
	return ret || !f->backing ? ret : backing_apply(f, o);
}

/* Why a buffer is no better one: who looks for that may not know of the variable. */
void forced_tell(const struct forced *f, struct why *why)
{
	if (f->text)
		why_add(why, "the environment has " VARIABLE "=%s" TRY_WITHOUT, f->text);
}

/*
 * Is what the module has given what it shall be? It goes down its own ladder, and there is no
 * request for one rung alone.
 */
int forced_check(const struct forced *f, struct hpmap_buffer *b)
{
	if (!f->backing || b->backing == f->backing)
		return 0;
	if (f->backing == HPMAP_BACKING_THP)
		why_add(&b->why, "module: it takes pages of the pool while that has enough"
			TRY "export " VARIABLE "=memfd,thp");
	else
		why_add(&b->why, "module: its pages would not come from the pool");
	return -ENOMEM;
}
