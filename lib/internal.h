/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the library share. Nothing here is seen by programs. */
#ifndef HPMAP_INTERNAL_H
#define HPMAP_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "hpage_map.h"

#define HIDDEN		__attribute__((visibility("hidden")))
#define PUBLIC		__attribute__((visibility("default")))
#define WHY_SIZE	4096		/* the reasons of the module, and those of memfd */
#define MAX_NODES	1024		/* as many as kernels can have */
#define WORD_BITS	(8 * sizeof(unsigned long))
#define NODE_WORDS	(MAX_NODES / WORD_BITS)
#ifndef HPMAP_VERSION
#define HPMAP_VERSION	"unknown"	/* lib/Makefile knows it */
#endif

#define ALLOC_FLAGS	(HPMAP_EXACT | HPMAP_ALLOW_BASE | HPMAP_CONTIGUOUS | HPMAP_BELOW_4G | \
			 HPMAP_RESERVE | HPMAP_MODULE_ONLY | HPMAP_NO_MODULE)
/* What the module gets to see. */
#define MODULE_FLAGS	(HPMAP_EXACT | HPMAP_ALLOW_BASE | HPMAP_CONTIGUOUS | HPMAP_BELOW_4G | \
			 HPMAP_RESERVE)
/* What memfd cannot do. */
#define NEED_MODULE	(HPMAP_CONTIGUOUS | HPMAP_BELOW_4G | HPMAP_RESERVE)

/**
 * struct why - reasons for people
 * @length: bytes used of @text
 * @reasons: how many were given, those that were said before included
 * @again: the last one was said before
 * @full: @text ends with a mark, since not all did fit
 * @text: reasons with figures, separated by semicolons
 */
struct why {
	size_t length;
	unsigned int reasons;
	bool again;
	bool full;
	char text[WHY_SIZE];
};

/**
 * struct hpmap_buffer - see hpage_map.h
 * @fd: the descriptor; this and what follows never changes
 * @backend: who keeps the pages
 * @backing: where they come from
 * @length: bytes
 * @page_size: bytes
 * @asked: bytes that were asked for
 * @tag: of a buffer of memfd
 * @why: why nothing better was had
 * @lock: makes one mapping of two calls at once
 * @address: of the mapping, or NULL; written under @lock
 */
struct hpmap_buffer {
	int fd;
	enum hpmap_backend backend;
	enum hpmap_backing backing;
	uint64_t length;
	uint64_t page_size;
	uint64_t asked;
	char tag[HPMAP_NAME_SIZE];
	struct why why;
	pthread_mutex_t lock;
	_Atomic(void *) address;
};

/* why.c */
HIDDEN __attribute__((format(printf, 2, 3))) void why_add(struct why *why, const char *fmt, ...);
HIDDEN __attribute__((format(printf, 2, 3))) void why_try(struct why *why, const char *fmt, ...);
HIDDEN __attribute__((format(printf, 2, 3))) int fail(int ret, const char *fmt, ...);
HIDDEN int fail_why(int ret, const struct why *why);

/* structs.c */
HIDDEN int struct_in(void *to, size_t known, size_t first, const void *from);
HIDDEN int struct_check(const void *from, size_t known, size_t first);
HIDDEN void struct_out(void *to, const void *from, size_t known);

/* files.c */
/**
 * struct lines - a file that is read line by line, without memory from malloc()
 * @fd: of the file
 * @err: errno of what went wrong, or 0
 * @begin: where the next line begins in @text
 * @end: behind what was read into it
 * @text: the rest of a longer line is left out
 */
struct lines {
	int fd;
	int err;
	size_t begin, end;
	char text[4096];
};

HIDDEN int open_file(const char *path, int flags);
HIDDEN int lines_open(struct lines *l, const char *path);
HIDDEN char *lines_next(struct lines *l);
HIDDEN int lines_close(struct lines *l);
HIDDEN int above_standard(int fd);
HIDDEN bool may_be_asked(int fd);

/* sysfs.c */
HIDDEN ssize_t read_file(const char *path, char *text, size_t size);
HIDDEN int read_u64(const char *path, uint64_t *value);
HIDDEN uint64_t base_page_size(void);
HIDDEN uint64_t pmd_size(void);
HIDDEN bool node_has_memory(int node);
HIDDEN int highest_node(void);
HIDDEN int only_node(void);
HIDDEN int device_node(const char *name, int *node);
HIDDEN int read_pool(uint64_t page_size, int node, struct hpmap_pool *p);
HIDDEN bool name_valid(const char *name);

/* memory.c */
/**
 * struct room - what the calling thread could be given
 * @bytes: how much; UINT64_MAX if that is not known
 * @where: what is so small
 * @remedy: how to see it
 */
struct room {
	uint64_t bytes;
	const char *where;
	char remedy[320];
};

HIDDEN int memory_room(uint32_t policy, int node, struct room *room);

/* signals.c */
HIDDEN void signals_hold(sigset_t *before);
HIDDEN void signals_release(const sigset_t *before);

/* module.c: the door of the module, and buffers behind it */
HIDDEN int module_alloc(const struct hpmap_options *o, bool named, struct hpmap_buffer *b);
HIDDEN bool module_is_there(void);
HIDDEN int module_open(const char *name, bool read_only);
HIDDEN int module_adopt(struct hpmap_buffer *b);
HIDDEN int module_info(int fd, struct hpmap_info *info);
HIDDEN int module_nodes(int fd, uint64_t *pages, unsigned int *nr);
HIDDEN int module_runs(int fd, uint64_t first, struct hpmap_run *runs, unsigned int *nr);
HIDDEN void why_interrupted(struct why *why);
HIDDEN int door_ioctl(unsigned long request, void *arg, struct why *why);

/* device.c */
HIDDEN int module_export(int buffer, int *fd);
HIDDEN int module_pin(const void *address, uint64_t length, struct hpmap_buffer *b);

/* memfd.c: the same without the module */
HIDDEN int memfd_alloc(const struct hpmap_options *o, struct hpmap_buffer *b);

/* memfd_facts.c */
/**
 * struct memfd_facts - what is looked at in a file
 * @nr_huge: how many of its pages a PMD can map, and does
 * @node: that of all pages, or HPMAP_NODE_MIXED
 */
struct memfd_facts {
	uint64_t nr_huge;
	int node;
};

HIDDEN int pmd_mapped(const void *address, uint64_t *bytes);
HIDDEN uint64_t memfd_lacks(const struct hpmap_buffer *b);
HIDDEN int memfd_adopt(struct hpmap_buffer *b, bool unsealed);
HIDDEN int memfd_nodes(const struct hpmap_buffer *b, uint64_t *pages, unsigned int *nr);
HIDDEN int memfd_look(const struct hpmap_buffer *b, struct memfd_facts *facts);

/* policy.c */
struct saved_policy {
	bool changed;
	int mode;
	unsigned long nodes[NODE_WORDS];
};

HIDDEN bool policy_nodes(uint32_t policy, int node, unsigned long nodes[NODE_WORDS]);
HIDDEN void policy_turn(const struct saved_policy *saved, uint64_t turn);
HIDDEN int policy_enter(uint32_t policy, int node, struct saved_policy *saved, struct why *why);
HIDDEN void policy_leave(const struct saved_policy *saved);

/* map.c */
HIDDEN void *map_aligned(int fd, off_t offset, uint64_t length, uint64_t page_size, int prot,
			 int flags);
HIDDEN bool can_populate(void);
HIDDEN int populate(void *address, uint64_t length, bool write);

static inline uint64_t round_up_to(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

#endif
