/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers in the hands of others: what the tests of dma-buf, pinned memory and
 * devices share. Everything is checked, unless it says that it returns an errno.
 */
#ifndef HPM_LENT_H
#define HPM_LENT_H

#include "buffers.h"

#include "modules/hpm_importer.h"

#include <linux/hpage_map.h>

/* Buffers of the test's own, and what is told of one. */
int lend(size_t len, size_t page_size, unsigned int flags);
/* One run; the pool grows until it has one. */
int lend_run(size_t nr_pages, unsigned int flags);
struct hpage_map_info facts_of(int fd);
/* As HPAGE_MAP_RUNS tells them; returns how many there are. */
size_t get_runs(int fd, struct hpage_map_run *runs, size_t room);
/*
 * A buffer whose pages are not neighbours, as far as the pool can be brought to
 * it. It must have twice as many, and has no more afterwards.
 */
int lend_scattered(size_t nr_pages, unsigned int flags);
/* How many buffers this user sees, and what is told of the first. */
unsigned int count_buffers(void);
struct hpage_map_info first_buffer(void);

/* dma-bufs. */
int export_of(int fd);
int try_export(int fd);			/* descriptor or -errno */
int try_export_part(int fd, unsigned int flags, uint64_t offset, uint64_t length);
int export_part(int fd, unsigned int flags, uint64_t offset, uint64_t length);
char *map_at(void *addr, int fd, size_t len, int prot, int flags, off_t off);

/* The importer of tests/modules, which must be loaded, and what it says of its attachment. */
int importer_open(void);
struct importer_attach attach(int importer, int dmabuf);
int import(int dmabuf);			/* both, and all of it; closing ends the attachment */

/* Memory of the program. */
int pin(const void *addr, size_t len);
int try_pin(const void *addr, size_t len, char *text);	/* descriptor or -errno */

/* Mappings for devices. */
#define BOTH	(HPAGE_MAP_DMA_TO_DEVICE | HPAGE_MAP_DMA_FROM_DEVICE)
int try_dma_map(int fd, const char *device, unsigned int flags);	/* descriptor or -errno */
int try_dma_sync(int fd, unsigned int flags, uint64_t offset, uint64_t length);	/* or -errno */

/* So many pages in the pool, if memory has to be moved together for it. */
bool want_pool(uint64_t pages);

/* Contents. */
void check_file_holds(int fd, const void *p, size_t len, off_t off);
uint64_t sum_of(const void *p, size_t len);

/* Users, as whom what follows runs. */
void become_nobody(size_t memlock);

/* Modules: of the kernel, by name, and of this tree, whose files the runner names. */
int run_command(const char *command);	/* its exit status */
int insert(const char *name, const char *params);	/* 0 or -errno */
int take_out(const char *name);		/* 0 or -errno, never waits */
/* Has the kernel log said this since the test began? */
bool logged(const char *text);

#endif
