// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions for drivers, and mappings for devices that are no hardware: also where the DMA
 * API lends every device copies (swiotlb=force), as encrypted virtual machines do.
 */
#define _GNU_SOURCE
#include "lent.h"
#include "modules/hpm_client.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define FIRST		"hpm_client.0"
#define SECOND		"hpm_client.1"

/* enum dma_data_direction of the kernel. */
enum { BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE };

static bool copied(void)
{
	char line[4096];

	read_text("/proc/cmdline", line, sizeof(line));
	return strstr(line, "swiotlb=force");
}

static void begin(uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	CHECK_EQ(insert("hpm_client", ""), 0);
	CHECK_EQ(insert("hpm_importer", ""), 0);
}

static void end(void)
{
	CHECK_EQ(take_out("hpm_client"), 0);
	CHECK_EQ(take_out("hpm_importer"), 0);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
}

static int client_open(void)
{
	int fd = open("/dev/hpm_client", O_RDWR | O_CLOEXEC);

	CHECK_GE(fd, 0);
	return fd;
}

/* An open file of the driver with a buffer. */
static int client(size_t len)
{
	struct client_create c = { .length = len, .page_size = pmd_size };
	int fd = client_open();

	CHECK_EQ(ioctl(fd, CLIENT_CREATE, &c), 0);
	return fd;
}

static int try(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/* Print what is not as it should be; returns whether it is. */
static bool is(const char *what, long seen, long want)
{
	if (seen != want)
		printf("# %s: %ld, and not %ld\n", what, seen, want);
	return seen == want;
}

#define CHECK_IS(seen, want)	CHECK(is(#seen, seen, want))

/* --- copies ------------------------------------------------------------------ */

/* No copy is longer than 256 KiB, and these devices take any length. */
static void devices_that_take_long_entries_are_mapped_for(void)
{
	struct hpage_map_run runs[8];
	uint64_t bytes = 0;
	int fd, dma;
	size_t nr;

	begin(4);
	fd = client(2 * pmd_size);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, BIDIRECTIONAL), 0);
	CHECK_IS(try(fd, CLIENT_DMA_UNMAP, 0), 0);
	close(fd);

	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dma = try_dma_map(fd, FIRST, BOTH);
	errno = -dma;
	CHECK_GE(dma, 0);
	nr = get_runs(dma, runs, 8);
	for (size_t i = 0; i < nr; i++)
		bytes += runs[i].length;
	CHECK(nr == 8 || bytes == 2 * pmd_size);
	close(dma);
	close(fd);
	end();
}

static const unsigned int flags[] = { BOTH, HPAGE_MAP_DMA_TO_DEVICE, HPAGE_MAP_DMA_FROM_DEVICE };

/* What a device writes to its copy would otherwise overwrite what another one wrote. */
static void a_mapping_that_is_copied_back_is_the_only_one(void)
{
	int fd, first, second, both;

	begin(2);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			first = try_dma_map(fd, FIRST, flags[i]);
			second = try_dma_map(fd, SECOND, flags[j]);
			both = !copied() || (i == TO_DEVICE && j == TO_DEVICE);
			CHECK_GE(first, 0);
			CHECK_IS(second >= 0 ? 0 : second, both ? 0 : -EBUSY);
			CHECK_IS(facts_of(fd).devices, 1 + both);
			if (second >= 0)
				close(second);
			close(first);
		}
	/* The one before has ended, so the next may have it. */
	first = try_dma_map(fd, FIRST, BOTH);
	CHECK_GE(first, 0);
	close(first);
	close(fd);
	end();
}

static int try_import(int dmabuf, unsigned int device)
{
	struct importer_attach a = { .fd = dmabuf, .device = device, .dir = IMPORTER_WRITES };
	int importer = importer_open();

	if (!ioctl(importer, IMPORTER_ATTACH, &a))
		return importer;
	close(importer);
	return -errno;
}

/* The device writes, the CPU looks. */
static void check_seen(int importer, int dmabuf, const volatile char *p, char value)
{
	struct dma_buf_sync s = { DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START };

	CHECK_IS(try(importer, IMPORTER_WRITE, value), 0);
	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
	CHECK_IS(p[0], value);
	s.flags = DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END;
	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
}

static void what_each_importer_writes_is_seen(void)
{
	int fd, dmabuf, one, two;
	char *p;

	begin(2);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, pmd_size, RW, MAP_SHARED, 0);
	dmabuf = export_of(fd);
	one = try_import(dmabuf, 0);
	two = try_import(dmabuf, 1);
	CHECK_GE(one, 0);
	CHECK_IS(two >= 0 ? 0 : two, copied() ? -EBUSY : 0);
	check_seen(one, dmabuf, p, 1);
	if (two >= 0) {
		check_seen(two, dmabuf, p, 2);
		CHECK_IS(try(two, IMPORTER_WRITE, 3), 0);
		close(two);
		CHECK_IS(p[0], 3);
	}
	CHECK_IS(try(one, IMPORTER_WRITE, 4), 0);
	close(one);
	CHECK_IS(p[0], 4);
	two = try_import(dmabuf, 1);
	CHECK_GE(two, 0);
	check_seen(two, dmabuf, p, 5);
	close(two);
	munmap(p, pmd_size);
	close(dmabuf);
	close(fd);
	end();
}

/* A program goes on writing where the device does not. */
static void a_sync_of_a_part_leaves_the_rest(void)
{
	struct client_part slot = { .offset = pmd_size - 4096, .length = 8192, .value = 7 };
	char *p;
	int fd;

	begin(4);
	fd = client(2 * pmd_size);
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, FROM_DEVICE), 0);
	memset(p, 1, 2 * pmd_size);
	CHECK_IS(try(fd, CLIENT_WRITE, (long)&slot), 0);
	slot.for_cpu = 1;
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&slot), 0);
	for (size_t i = 0; i < 2 * pmd_size; i++)
		CHECK_EQ(p[i], i >= slot.offset && i < slot.offset + slot.length ? 7 : 1);

	/* As far as the buffer goes; nothing behind. */
	slot.offset = 2 * pmd_size - 64;
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&slot), 0);
	slot.offset = ~0ULL;
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&slot), 0);
	munmap(p, 2 * pmd_size);
	close(fd);
	end();
}

static void a_part_that_a_program_wrote_comes_to_the_device(void)
{
	struct client_part slot = { .offset = 4096, .length = 64 };
	char *p;
	int fd;

	begin(2);
	fd = client(pmd_size);
	p = map(fd, pmd_size, RW, MAP_SHARED, 0);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, BIDIRECTIONAL), 0);
	memset(p + 4096, 9, 64);
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&slot), 0);
	/* And back with all: what the device has is what it was given. */
	slot.length = 0;
	slot.for_cpu = 1;
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&slot), 0);
	CHECK_IS(p[4096], 9);
	CHECK_IS(p[4096 + 63], 9);
	munmap(p, pmd_size);
	close(fd);
	end();
}

/* --- importers that do what others do not --------------------------------------- */

static void begin_access(int dmabuf)
{
	struct dma_buf_sync s = { DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START };

	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
}

/* Who has one part cannot have a stale copy written over what another is writing. */
static void access_to_a_part_leaves_other_parts(void)
{
	struct importer_attach a = { .dir = IMPORTER_WRITES };
	int fd, first, second, importer;
	char *p;

	begin(2);
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	first = export_part(fd, 0, 0, pmd_size);
	second = export_part(fd, HPAGE_MAP_EXPORT_READ_ONLY, pmd_size, pmd_size);
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	importer = importer_open();
	a.fd = first;
	CHECK_EQ(ioctl(importer, IMPORTER_ATTACH, &a), 0);
	memset(p, 3, base_page);
	begin_access(second);
	CHECK_EQ(p[0], 3);
	begin_access(first);
	CHECK_EQ(p[0], copied() ? 0 : 3);
	munmap(p, 2 * pmd_size);
	close_range(3, ~0U, 0);
	end();
}

static void an_attachment_may_be_mapped_twice(void)
{
	int fd, dmabuf, importer, again;

	begin(2);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dmabuf = export_of(fd);
	for (int first = 0; first < 2; first++) {	/* unmapped in both orders */
		importer = import(dmabuf);
		again = try(importer, IMPORTER_AGAIN, 0);
		CHECK_IS(again, copied() ? -EBUSY : 0);
		CHECK_IS(try(importer, IMPORTER_UNMAP, again ? 0 : first), 0);
		CHECK_IS(try(importer, IMPORTER_UNMAP, again ? 0 : !first), again ? -ENOTCONN : 0);
		CHECK_IS(try(importer, IMPORTER_AGAIN, 0), 0);
		close(importer);
	}
	close(dmabuf);
	close(fd);
	CHECK_IS(count_buffers(), 0);
	end();
}

/* It would keep the pages for ever. */
static void a_table_goes_with_its_attachment(void)
{
	int fd, dmabuf, importer;

	begin(2);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dmabuf = export_of(fd);
	importer = import(dmabuf);
	if (!copied())
		CHECK_IS(try(importer, IMPORTER_AGAIN, 0), 0);
	CHECK_IS(try(importer, IMPORTER_FORGET, 0), 0);
	close(importer);
	close(import(dmabuf));		/* nobody is in its way */
	close(dmabuf);
	close(fd);
	CHECK_IS(count_buffers(), 0);
	CHECK_IS(pool_of(pmd_size, "free"), 2);
	end();
}

/* --- a bus with an offset ------------------------------------------------------- */

static int reaches(unsigned int bits, uint64_t cpu, uint64_t bus, uint64_t size)
{
	struct client_reach r = { .bits = bits, .nr = 1, .ranges = { { cpu, bus, size } } };
	int fd = client_open();

	CHECK_EQ(ioctl(fd, CLIENT_REACH, &r), 0);
	return fd;
}

#define GIB	(1ULL << 30)

/* A buffer above 4 GiB: the pool has more pages than there are below. */
static int lend_high(void)
{
	int fd = -1;

	for (int i = 0; i < 1000; i++) {
		fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
		if (facts_of(fd).address >= 4 * GIB)
			return fd;
	}
	CHECK(!"a page above 4 GiB");
	return -1;
}

static void pages_that_the_bus_brings_into_reach_are_mapped(void)
{
	struct hpage_map_run run;
	int fd, dma;

	begin(800);
	fd = lend_high();
	close(reaches(32, 4 * GIB, 0, 4 * GIB));	/* 32 bits see what is above 4 GiB */
	dma = try_dma_map(fd, FIRST, BOTH);
	CHECK_IS(dma >= 0 ? 0 : dma, 0);
	CHECK_EQ(get_runs(dma, &run, 1), 1);
	CHECK_IS(run.address, facts_of(fd).address - 4 * GIB);
	CHECK_IS(run.length, pmd_size);
	close_range(3, ~0U, 0);
	end();
}

static void pages_that_the_bus_leaves_out_are_refused(void)
{
	int fd;

	begin(4);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT | HPAGE_MAP_BELOW_4G);
	close(reaches(32, 4 * GIB, 0, 4 * GIB));
	CHECK_IS(try_dma_map(fd, FIRST, BOTH), -EIO);
	close(reaches(64, 4 * GIB, 0, 4 * GIB));
	CHECK_IS(try_dma_map(fd, FIRST, BOTH), -EIO);
	/* Within the mask as the CPU has it, and above it on the bus. */
	close(reaches(32, 0, 4 * GIB, 4 * GIB));
	CHECK_IS(try_dma_map(fd, FIRST, BOTH), -EIO);
	CHECK_IS(facts_of(fd).devices, 0);
	close(try_dma_map(fd, SECOND, BOTH));
	close(fd);
	end();
}

/* 32 bits, of which the bus takes the upper half for something else. */
static void pages_are_chosen_where_the_bus_reaches(void)
{
	struct client_create c = { .length = pmd_size, .page_size = pmd_size };
	int fd;

	begin(800);
	fd = reaches(31, 0, GIB, 8 * GIB);
	CHECK_EQ(ioctl(fd, CLIENT_CREATE, &c), 0);
	printf("# it ends at %#llx\n", (unsigned long long)c.end);
	CHECK_LE(c.end, GIB);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, BIDIRECTIONAL), 0);
	close(fd);

	fd = reaches(32, 1ULL << 40, 0, GIB);		/* where there is no memory */
	CHECK_IS(try(fd, CLIENT_CREATE, (long)&c), -ENOMEM);
	CHECK(logged("the device does not reach"));
	close(fd);
	end();
}

/* One run of pages is two for the device. */
static void a_seam_of_the_bus_is_one_of_the_table(void)
{
	struct client_reach r = { .bits = 64, .nr = 2 };
	struct hpage_map_run runs[4];
	uint64_t seam;
	int fd, dma;

	begin(4);
	fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	seam = facts_of(fd).address + pmd_size / 2;
	r.ranges[0].size = seam;
	r.ranges[1].cpu = seam;
	r.ranges[1].bus = 1ULL << 40;
	r.ranges[1].size = 1ULL << 40;
	dma = client_open();
	CHECK_EQ(ioctl(dma, CLIENT_REACH, &r), 0);
	close(dma);
	dma = try_dma_map(fd, FIRST, BOTH);
	CHECK_IS(dma >= 0 ? 0 : dma, 0);
	CHECK_IS(get_runs(dma, runs, 4), 2);
	CHECK_IS(runs[0].address, facts_of(fd).address);
	CHECK_IS(runs[0].length, pmd_size / 2);
	CHECK_IS(runs[1].address, 1ULL << 40);
	CHECK_IS(runs[1].length, pmd_size / 2);
	close(dma);
	close(fd);
	end();
}

/* --- the functions for drivers --------------------------------------------------- */

static void there_is_no_page_behind_the_end(void)
{
	static const uint64_t offsets[] = { 0, 4095, 2 << 20, (4 << 20) - 1, 4 << 20,
					    (4 << 20) + 1, 1ULL << 40, 1ULL << 63, ~0ULL };
	int fd;

	begin(4);
	fd = client(2 * pmd_size);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++)
		CHECK_IS(try(fd, CLIENT_HAS_PAGE, (long)&offsets[i]), i < 4);
	close(fd);
	end();
}

static void a_driver_sees_whether_programs_still_map(void)
{
	int fd;
	char *p;

	begin(4);
	fd = client(2 * pmd_size);
	CHECK_IS(try(fd, CLIENT_MAPPED, 0), 0);
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	CHECK_IS(try(fd, CLIENT_MAPPED, 0), 1);
	CHECK_IS(try(fd, CLIENT_AGAIN, 0), -EBUSY);
	munmap(p, pmd_size);
	CHECK_IS(try(fd, CLIENT_MAPPED, 0), 1);
	munmap(p + pmd_size, pmd_size);
	CHECK_IS(try(fd, CLIENT_MAPPED, 0), 0);
	CHECK_IS(try(fd, CLIENT_AGAIN, 0), 0);
	close(fd);
	end();
}

static void a_mapping_for_dma_keeps_the_pages(void)
{
	struct client_part part = { .length = pmd_size, .value = 5 };
	int fd;

	begin(2);
	fd = client(pmd_size);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, FROM_DEVICE), 0);
	CHECK_IS(try(fd, CLIENT_PUT, 0), 0);
	CHECK_IS(pool_of(pmd_size, "free"), 1);
	CHECK_IS(count_buffers(), 1);
	CHECK_IS(try(fd, CLIENT_WRITE, (long)&part), 0);
	CHECK_IS(try(fd, CLIENT_DMA_UNMAP, 0), 0);
	CHECK_IS(pool_of(pmd_size, "free"), 2);
	CHECK_IS(count_buffers(), 0);
	close(fd);
	end();
}

static void bind(const char *file)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/hpm_client/%s", file);
	CHECK_EQ(write_text(path, FIRST), 0);
}

/* The last holder is the driver's binding, or whoever got the buffer from it. */
static void a_buffer_goes_with_the_binding_of_a_driver(void)
{
	struct client_create c = { .length = 2 * pmd_size, .page_size = pmd_size, .bound = 1 };

	begin(4);
	for (int unbound_last = 0; unbound_last < 2; unbound_last++) {
		int fd = client_open();

		CHECK_EQ(ioctl(fd, CLIENT_CREATE, &c), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), 2);
		if (!unbound_last)
			bind("unbind");
		else
			close(fd);
		CHECK_EQ(pool_of(pmd_size, "free"), 2);
		if (unbound_last)
			bind("unbind");
		else
			close(fd);
		CHECK_EQ(pool_of(pmd_size, "free"), 4);
		bind("bind");
	}
	end();
}

/* --- descriptors ------------------------------------------------------------- */

/* It is as one of the program's own, and holds the buffer when the driver has gone. */
static void a_driver_gives_a_descriptor(void)
{
	struct client_part part = { .length = pmd_size, .value = 9 };
	int fd, own;
	char *p;

	begin(2);
	fd = client(2 * pmd_size);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, FROM_DEVICE), 0);
	CHECK_IS(try(fd, CLIENT_WRITE, (long)&part), 0);
	CHECK_IS(try(fd, CLIENT_SYNC, (long)&(struct client_part){ .for_cpu = 1 }), 0);
	own = try(fd, CLIENT_FD, O_CLOEXEC);
	errno = -own;
	CHECK_GE(own, 0);
	CHECK_EQ(fcntl(own, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(facts_of(own).length, 2 * pmd_size);
	CHECK_EQ(facts_of(own).descriptors, 1);
	p = map(own, 2 * pmd_size, RW, MAP_SHARED, 0);
	CHECK_EQ(p[0], 9);
	CHECK_EQ(p[pmd_size], 0);
	CHECK_IS(try(fd, CLIENT_DMA_UNMAP, 0), 0);
	close(fd);
	CHECK_EQ(take_out("hpm_client"), 0);
	CHECK_EQ(facts_of(own).drivers, 0);
	CHECK_EQ(p[pmd_size - 1], 9);
	munmap(p, 2 * pmd_size);
	close(own);
	CHECK_IS(count_buffers(), 0);
	CHECK_EQ(insert("hpm_client", ""), 0);
	end();
}

static void no_descriptor_is_left_for_a_driver_s_buffer(void)
{
	const struct rlimit none = { 0, 0 };
	int fd;

	begin(2);
	fd = client(pmd_size);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_IS(try(fd, CLIENT_FD, O_CLOEXEC), -EMFILE);
	close(fd);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1024, 4096 }), 0);
	end();
}

/* The driver has it beyond the descriptor, and its device writes what the program reads. */
static void a_driver_takes_a_program_s_buffer(void)
{
	struct client_part part = { .offset = base_page, .length = base_page, .value = 7 };
	struct client_take take = { .mode = O_RDWR };
	int fd;
	char *p;

	begin(2);
	take.fd = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	p = map(take.fd, pmd_size, RW, MAP_SHARED, 0);
	fd = client_open();
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), 0);
	CHECK_EQ(facts_of(take.fd).drivers, 1);
	CHECK_IS(try(fd, CLIENT_DMA_MAP, FROM_DEVICE), 0);
	CHECK_IS(try(fd, CLIENT_WRITE, (long)&part), 0);
	CHECK_IS(try(fd, CLIENT_DMA_UNMAP, 0), 0);
	CHECK_EQ(p[base_page - 1], 0);
	CHECK_EQ(p[base_page], 7);
	close(take.fd);
	munmap(p, pmd_size);
	CHECK_IS(count_buffers(), 1);
	close(fd);
	CHECK_IS(count_buffers(), 0);
	end();
}

/* What a program may not do with the buffer it cannot have a driver do. */
static void a_driver_takes_what_the_descriptor_allows(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	int door, own, fd, pipes[2];
	struct client_take take;
	char link[32];

	begin(2);
	door = dev_open(HPAGE_MAP_O_DOOR);
	own = lend(pmd_size, pmd_size, HPAGE_MAP_EXACT);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", own);
	for (int i = 0; i < 3; i++) {
		int opened = open(link, modes[i] | O_CLOEXEC);

		CHECK_GE(opened, 0);
		for (int j = 0; j < 3; j++) {
			bool may = modes[i] == O_RDWR || modes[i] == modes[j];

			LABEL("open for %d, taken for %d", modes[i], modes[j]);
			take = (struct client_take){ opened, modes[j] };
			fd = client_open();
			CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), may ? 0 : -EBADF);
			close(fd);
		}
		close(opened);
	}
	CHECK_EQ(pipe2(pipes, O_CLOEXEC), 0);
	fd = client_open();
	take = (struct client_take){ 1000, O_RDONLY };
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), -EBADF);
	take.fd = pipes[0];
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), -EINVAL);
	take.fd = door;
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), -EINVAL);
	take.fd = export_of(own);
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), -EINVAL);
	close(take.fd);
	/* The device itself is the default buffer. */
	take.fd = dev_open(O_RDONLY);
	CHECK_IS(try(fd, CLIENT_TAKE, (long)&take), 0);
	close_range(3, ~0U, 0);
	end();
}

static void a_driver_exports_a_part_to_be_read(void)
{
	struct client_part part = { .offset = pmd_size, .length = base_page };
	int fd, dmabuf;
	char *p;

	begin(2);
	fd = client(2 * pmd_size);
	dmabuf = try(fd, CLIENT_EXPORT, (long)&part);
	errno = -dmabuf;
	CHECK_GE(dmabuf, 0);
	CHECK_EQ(lseek(dmabuf, 0, SEEK_END), (off_t)base_page);
	p = map(dmabuf, base_page, PROT_READ, MAP_SHARED, 0);
	CHECK_EQ(p[0], 0);
	CHECK_ERR(mprotect(p, base_page, RW), EACCES);
	part.offset = 2 * pmd_size;
	CHECK_IS(try(fd, CLIENT_EXPORT, (long)&part), -EINVAL);
	munmap(p, base_page);
	close(dmabuf);
	close(fd);
	end();
}

static void create_as_nobody(void *arg)
{
	struct client_create c = { .length = 2 * pmd_size, .page_size = pmd_size };
	int fd = *(int *)arg;

	become_nobody(pmd_size);
	c.charge_user = 1;
	CHECK_IS(try(fd, CLIENT_CREATE, (long)&c), -EDQUOT);
	c.length = pmd_size;
	CHECK_IS(try(fd, CLIENT_CREATE, (long)&c), 0);
}

static void create_freely(void *arg)
{
	struct client_create c = { .length = 2 * pmd_size, .page_size = pmd_size };

	become_nobody(pmd_size);
	CHECK_IS(try(*(int *)arg, CLIENT_CREATE, (long)&c), 0);
}

/* Of the page allocator, which RLIMIT_MEMLOCK is for, and of the pool. */
static void a_driver_may_charge_who_asks(void)
{
	int fd;

	for (int pool = 0; pool < 2; pool++) {
		CHECK(want_pool(pool ? 4 : 0));
		CHECK_EQ(load("user_hugetlb=2M"), 0);
		CHECK_EQ(insert("hpm_client", ""), 0);
		fd = client_open();
		CHECK_EXITS(spawn(create_as_nobody, &fd));
		close(fd);
		fd = client_open();
		CHECK_EXITS(spawn(create_freely, &fd));
		close(fd);
		CHECK_EQ(take_out("hpm_client"), 0);
		CHECK_EQ(unload(), 0);
	}
}

int main(void)
{
	const struct test both[] = {
		TEST(devices_that_take_long_entries_are_mapped_for, ON_NONE),
		TEST(a_mapping_that_is_copied_back_is_the_only_one, ON_NONE),
		TEST(what_each_importer_writes_is_seen, ON_NONE),
		TEST(a_sync_of_a_part_leaves_the_rest, ON_NONE),
		TEST(a_part_that_a_program_wrote_comes_to_the_device, ON_NONE),
		TEST(access_to_a_part_leaves_other_parts, ON_NONE),
		TEST(an_attachment_may_be_mapped_twice, ON_NONE),
		TEST(a_table_goes_with_its_attachment, ON_NONE),
		TEST(there_is_no_page_behind_the_end, ON_NONE),
		TEST(a_driver_sees_whether_programs_still_map, ON_NONE),
		TEST(a_mapping_for_dma_keeps_the_pages, ON_NONE),
		TEST(a_buffer_goes_with_the_binding_of_a_driver, ON_NONE),
		TEST(a_driver_gives_a_descriptor, ON_NONE),
		TEST(no_descriptor_is_left_for_a_driver_s_buffer, ON_NONE),
		TEST(a_driver_takes_a_program_s_buffer, ON_NONE),
		TEST(a_driver_takes_what_the_descriptor_allows, ON_NONE),
		TEST(a_driver_exports_a_part_to_be_read, ON_NONE),
		TEST(a_driver_may_charge_who_asks, ON_NONE),
		/* Where every device has copies, its own reach is nothing. */
		TEST(pages_that_the_bus_brings_into_reach_are_mapped, ON_NONE),
		TEST(pages_that_the_bus_leaves_out_are_refused, ON_NONE),
		TEST(pages_are_chosen_where_the_bus_reaches, ON_NONE),
		TEST(a_seam_of_the_bus_is_one_of_the_table, ON_NONE),
	};

	return run_suite(both, copied() ? 11 : sizeof(both) / sizeof(*both));
}
