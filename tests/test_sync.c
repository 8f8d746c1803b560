// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is synced, and when: as the trace events of the DMA API tell it. A kernel without
 * CONFIG_DMA_API_DEBUG leaves syncs out where the hardware is coherent, so this needs one with it.
 */
#define _GNU_SOURCE
#include "pci.h"
#include "../samples/edu/hpage_map_edu.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing/"

static const char * const events[] = {
	"dma_sync_single_for_cpu", "dma_sync_single_for_device",
	"dma_sync_sg_for_cpu", "dma_sync_sg_for_device",
};

static void forget(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	CHECK_GE(fd, 0);
	close(fd);
}

static void trace_event(const char *name, const char *on)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "events/dma/%s/enable", name);
	CHECK_EQ(write_text(path, on), 0);
}

static void watch(void)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		trace_event(events[i], "1");
	forget();
}

/* How many events since forget() have a text in their line. */
static unsigned int seen(const char *fmt, ...)
{
	FILE *f = fopen(TRACING "trace", "re");
	char line[4096], want[256];
	unsigned int n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, want);
	fclose(f);
	return n;
}

/* --- by programs ------------------------------------------------------------- */

/* A range over the seam of two pages: the end of one, the start of the next, if they are apart. */
static void check_range(int fd, int dma, const char *dir, unsigned int flag, const char *event)
{
	struct hpage_map_run runs[4];
	uint64_t half = 3 * 4096;
	bool apart = facts_of(fd).nr_runs == 2;

	CHECK_GE(get_runs(dma, runs, 4), 1);
	forget();
	CHECK_EQ(try_dma_sync(dma, flag, pmd_size - half, 2 * half), 0);
	CHECK_EQ(seen("%s: " WIDE " dir=%s dma_addr=%llx size=%llu\n", event, dir,
		      (unsigned long long)(runs[0].address + pmd_size - half),
		      (unsigned long long)(apart ? half : 2 * half)), 1);
	if (apart)
		CHECK(seen("%s: " WIDE " dir=%s dma_addr=%llx size=%llu\n", event, dir,
			   (unsigned long long)(runs[0].length == pmd_size ? runs[1].address :
						runs[0].address + pmd_size),
			   (unsigned long long)half) == 1);
	CHECK_EQ(seen(": " WIDE " dir="), 1U + apart);
	forget();
	CHECK_EQ(try_dma_sync(dma, flag, 2 * pmd_size, 0), -EINVAL);
	CHECK_EQ(seen(": " WIDE " dir="), 0);
}

static void a_program_syncs_its_range_and_no_more(void)
{
	static const struct {
		unsigned int flags;
		const char *dir;
	} ways[] = {
		{ HPAGE_MAP_DMA_TO_DEVICE, "TO_DEVICE" },
		{ HPAGE_MAP_DMA_FROM_DEVICE, "FROM_DEVICE" },
		{ BOTH, "BIDIRECTIONAL" },
	};
	int fd, dma;

	CHECK(want_pool(5));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	watch();
	fd = lend_scattered(2, 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		forget();
		dma = try_dma_map(fd, WIDE, ways[i].flags);
		CHECK_GE(dma, 0);
		CHECK_EQ(seen("dma_sync_sg_for_device: " WIDE " dir=%s", ways[i].dir), 1);
		CHECK_EQ(seen(": " WIDE " dir="), 1);
		check_range(fd, dma, ways[i].dir, HPAGE_MAP_SYNC_FOR_CPU,
			    "dma_sync_single_for_cpu");
		check_range(fd, dma, ways[i].dir, HPAGE_MAP_SYNC_FOR_DEVICE,
			    "dma_sync_single_for_device");
		forget();
		close(dma);
		CHECK_EQ(seen("dma_sync_sg_for_cpu: " WIDE " dir=%s", ways[i].dir), 1);
		CHECK_EQ(seen(": " WIDE " dir="), 1);
	}
	close(fd);
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(unload(), 0);
}

static int started[2];

static void sync_until_it_ends(void *arg)
{
	int ret;

	step_done(started[1]);
	do {
		ret = try_dma_sync(*(int *)arg, HPAGE_MAP_SYNC_FOR_CPU, 0, 2 * pmd_size - 4096);
	} while (!ret);
	CHECK_EQ(ret, -ENODEV);
}

/* How many addresses of these runs were synced, before the first mapping of WIDE ended or after. */
static unsigned int synced(const struct hpage_map_run *runs, size_t nr, bool after)
{
	FILE *f = fopen(TRACING "trace", "re");
	unsigned long long at;
	char line[4096], *text;
	unsigned int n = 0;
	bool ended = false;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		ended |= !!strstr(line, "dma_unmap_sg: " WIDE);
		text = strstr(line, " dma_addr=");
		if (ended != after || !strstr(line, ": " WIDE) || !text ||
		    sscanf(text, " dma_addr=%llx", &at) != 1)
			continue;
		for (size_t i = 0; i < nr; i++)
			n += at >= runs[i].address && at - runs[i].address < runs[i].length;
	}
	fclose(f);
	CHECK(ended);
	return n;
}

/* A sync that is under way ends with the mapping, which ends before the driver does. */
static void nothing_is_synced_when_the_driver_has_gone(void)
{
	struct hpage_map_run runs[4];
	unsigned int before = 0;
	int fd, dma;
	size_t nr;
	pid_t pid;

	CHECK(want_pool(5));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	watch();
	trace_event("dma_unmap_sg", "1");
	fd = lend_scattered(2, 0);
	for (int i = 0; i < 10; i++) {
		dma = try_dma_map(fd, WIDE, BOTH);
		CHECK_GE(dma, 0);
		nr = get_runs(dma, runs, 4);
		pid = spawn(sync_until_it_ends, &dma);
		step_wait(started[0]);
		forget();
		CHECK_EQ(unbind(WIDE), 0);
		CHECK_EXITS(pid);
		close(dma);
		before += synced(runs, nr, false);
		CHECK_EQ(synced(runs, nr, true), 0);
		CHECK_EQ(bind_to(WIDE, EDU_DRIVER), 0);
	}
	printf("# %u pieces were synced meanwhile\n", before);
	CHECK_GE(before, 1);
	trace_event("dma_unmap_sg", "0");
	close(fd);
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(unload(), 0);
}

/* --- by importers ------------------------------------------------------------ */

static void cpu_access(int dmabuf, __u64 flags)
{
	struct dma_buf_sync s = { flags };

	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
}

static void an_access_of_the_cpu_is_synced_for_every_importer(void)
{
	int fd, dmabuf, other, one, two;

	CHECK(want_pool(4));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(insert("hpm_importer", ""), 0);
	watch();
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dmabuf = export_of(fd);
	other = export_of(fd);
	cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	CHECK_EQ(seen(": hpm_importer dir="), 0);		/* nobody has it */

	one = import(dmabuf);
	two = import(other);			/* the same pages by another dma-buf */
	CHECK_EQ(seen("dma_sync_sg_for_device: hpm_importer dir=BIDIRECTIONAL"), 2);
	forget();
	cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(seen("dma_sync_sg_for_cpu: hpm_importer dir=BIDIRECTIONAL"), 2);
	CHECK_EQ(seen(": hpm_importer dir="), 2);
	forget();
	cpu_access(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	CHECK_EQ(seen("dma_sync_sg_for_device: hpm_importer dir=BIDIRECTIONAL"), 2);
	CHECK_EQ(seen(": hpm_importer dir="), 2);

	forget();
	close(two);
	CHECK_EQ(seen("dma_sync_sg_for_cpu: hpm_importer dir=BIDIRECTIONAL"), 1);
	forget();
	cpu_access(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	CHECK_EQ(seen("dma_sync_sg_for_cpu: hpm_importer"), 1);
	close(one);
	close_range(3, ~0U, 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(take_out("hpm_importer"), 0);
}

/* --- by drivers -------------------------------------------------------------- */

/* What is copied, and where to, and nothing else of the buffer. */
static void a_driver_syncs_before_and_after_the_device(void)
{
	struct hpage_map_edu_copy c = { .to = 4096, .length = 64 };
	int fd;

	CHECK(want_pool(2));
	CHECK_EQ(load(""), 0);
	watch();
	CHECK_EQ(load_edu(WIDE, "dma_bits=64 pages=1"), 0);
	CHECK_EQ(seen("dma_sync_sg_for_device: " WIDE), 1);
	fd = edu_open();
	forget();
	CHECK_EQ(ioctl(fd, HPAGE_MAP_EDU_COPY, &c), 0);
	CHECK_EQ(seen("dma_sync_single_for_device: " WIDE " dir=BIDIRECTIONAL"), 2);
	CHECK_EQ(seen("dma_sync_single_for_cpu: " WIDE " dir=BIDIRECTIONAL"), 1);
	CHECK_EQ(seen(" size=64\n"), 3);
	close(fd);
	forget();
	CHECK_EQ(take_out(EDU_DRIVER), 0);
	CHECK_EQ(seen("dma_sync_sg_for_cpu: " WIDE), 1);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(a_program_syncs_its_range_and_no_more, ON_NONE),
	TEST(nothing_is_synced_when_the_driver_has_gone, ON_NONE),
	TEST(an_access_of_the_cpu_is_synced_for_every_importer, ON_NONE),
	TEST(a_driver_syncs_before_and_after_the_device, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
