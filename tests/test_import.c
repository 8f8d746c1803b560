// SPDX-License-Identifier: GPL-2.0-only
/* Buffers in the hands of importers: one of ours that counts entries, vgem and vivid. */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <libdrm/drm.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG		(512UL << 20)
#define ROUNDS		30

static void begin(const char *importer_params, uint64_t pages)
{
	CHECK(want_pool(pages));
	CHECK_EQ(load(""), 0);
	if (importer_params)
		CHECK_EQ(insert("hpm_importer", importer_params), 0);
}

static void end(void)
{
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
	take_out("hpm_importer");
}

/* --- an importer that tells what it got ------------------------------------- */

/* What one mapping of a whole dma-buf costs, told for people. */
static struct importer_attach measure(const char *what, int dmabuf)
{
	int importer = importer_open();
	struct importer_attach a = attach(importer, dmabuf);

	close(importer);
	CHECK_EQ(a.bytes, BIG);
	printf("# 512 MiB of %s: %u entries, %llu us\n", what, a.entries,
	       (unsigned long long)a.ns / 1000);
	return a;
}

static struct importer_attach measure_ours(const char *what)
{
	int fd = lend(BIG, pmd_size, HPAGE_MAP_EXACT), dmabuf = export_of(fd);
	struct importer_attach a = measure(what, dmabuf);

	CHECK_EQ(a.entries, facts_of(fd).nr_runs);
	close(dmabuf);
	close(fd);
	return a;
}

static void an_entry_for_each_run_at_most(void)
{
	int dmabuf;

	begin("", 2 * BIG / pmd_size);
	CHECK_LE(measure_ours("ours").entries, BIG / pmd_size);
	dmabuf = export_of(lend_run(BIG / pmd_size, 0));
	CHECK_EQ(measure("ours, contiguous", dmabuf).entries, 1);
	close_range(3, ~0U, 0);
	end();
}

/* No two pages adjacent: the worst that can be. */
static void scattered_pages_are_an_entry_each(void)
{
	int fd, dmabuf;

	begin("", 2 * BIG / pmd_size);
	fd = lend_scattered(BIG / pmd_size, 0);
	dmabuf = export_of(fd);
	CHECK_EQ(measure("ours, scattered", dmabuf).entries, facts_of(fd).nr_runs);
	CHECK_LE(facts_of(fd).nr_runs, BIG / pmd_size);
	close(dmabuf);
	close(fd);
	end();
}

/* Some kernels' udmabuf knows folios, which may be as large as ours, or larger. */
static void entries_beside_those_of_udmabuf(void)
{
	int memfd = memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), dmabuf;
	struct udmabuf_create c = { .memfd = memfd, .size = BIG };

	CHECK_GE(dev, 0);
	CHECK_EQ(write_text("/sys/module/udmabuf/parameters/size_limit_mb", "1024"), 0);
	begin("", BIG / pmd_size);
	CHECK_EQ(ftruncate(memfd, BIG), 0);
	CHECK_EQ(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	dmabuf = ioctl(dev, UDMABUF_CREATE, &c);
	CHECK_GE(dmabuf, 0);
	measure("udmabuf", dmabuf);
	close(dmabuf);
	close(memfd);
	CHECK_LE(measure_ours("ours").entries, BIG / pmd_size);
	end();
}

/* Its folios are 1 MiB at most. */
static void fewer_entries_than_the_system_heap(void)
{
	struct dma_heap_allocation_data d = { .len = BIG, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	unsigned int entries;

	CHECK_GE(heap, 0);
	begin("", BIG / pmd_size);
	CHECK_EQ(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &d), 0);
	entries = measure("dma-heap system", d.fd).entries;
	close(d.fd);
	CHECK_LT(measure_ours("ours").entries, entries);
	end();
}

/* How many entries, and the longest of them, where a run is cut at each multiple of within. */
static uint64_t cut(const struct hpage_map_run *run, uint64_t longest, uint64_t within,
		    uint64_t *max)
{
	uint64_t nr = 0, end = run->address + run->length, len;

	for (uint64_t at = run->address; at < end; at += len, nr++) {
		len = within - at % within;
		if (len > longest)
			len = longest;
		if (len > end - at)
			len = end - at;
		if (len > *max)
			*max = len;
	}
	return nr;
}

/* Entries are split where the device cannot take long ones, and nothing is lost. */
static void check_entries(int fd, uint64_t longest, uint64_t within)
{
	uint64_t entries = 0, max = 0;
	struct hpage_map_run runs[8];
	struct importer_attach a;
	int importer;
	size_t nr;

	nr = get_runs(fd, runs, 8);
	for (size_t i = 0; i < nr; i++)
		entries += cut(&runs[i], longest, within, &max);
	importer = importer_open();
	a = attach(importer, export_of(fd));
	CHECK_EQ(a.entries, entries);
	CHECK_EQ(a.longest, max);
	CHECK_EQ(a.bytes, 8 * pmd_size);
	close_range(3, ~0U, 0);
}

static void check_segments(const char *params, uint64_t longest, uint64_t within)
{
	begin(params, 16);
	check_entries(lend_run(8, 0), longest, within);
	check_entries(lend_scattered(8, 0), longest, within);
	end();
}

static void entries_obey_the_segment_size(void)
{
	const uint64_t any = 1ULL << 63;

	check_segments("", any, any);
	check_segments("max_segment=65536", 65536, any);
	check_segments("max_segment=1048576", 1 << 20, any);
	check_segments("max_segment=4096", 4096, any);
	check_segments("max_segment=5000", 4096, any);	/* whole pages */
	check_segments("max_segment=3145728", 3 << 20, any);
}

static void entries_do_not_cross_the_boundary(void)
{
	check_segments("boundary=0xffff", 1 << 20, 65536);
	check_segments("boundary=0x3fffff", 1ULL << 32, 4 << 20);
	check_segments("boundary=0x3fffff max_segment=3145728", 3 << 20, 4 << 20);
}

/* An entry is a page at least, which some devices cannot have. */
static void a_device_that_takes_no_page_is_refused(void)
{
	static const char * const less[] = { "max_segment=4095", "boundary=0xff" };

	for (int i = 0; i < 2; i++) {
		struct importer_attach a = {};
		int importer;

		begin(less[i], 2);
		a.fd = export_of(lend(pmd_size, pmd_size, 0));
		importer = importer_open();
		CHECK_ERR(ioctl(importer, IMPORTER_ATTACH, &a), EINVAL);
		close_range(3, ~0U, 0);
		end();
	}
}

static void check_sum(int importer, const void *p, size_t len)
{
	struct importer_sum s;

	CHECK_EQ(ioctl(importer, IMPORTER_SUM, &s), 0);
	CHECK_EQ(s.table, sum_of(p, len));
	CHECK_EQ(s.vmap, s.table);
}

static void check_what_is_seen(int fd)
{
	size_t len = facts_of(fd).length;
	int dmabuf = export_of(fd), importer = importer_open();
	char *p = map(fd, len, RW, MAP_SHARED, 0);

	attach(importer, dmabuf);
	for (int i = 0; i < 2; i++) {
		struct dma_buf_sync s = { DMA_BUF_SYNC_RW | DMA_BUF_SYNC_START };

		CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
		fill(p, len, 20 + i);
		s.flags = DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END;
		CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &s), 0);
		check_sum(importer, p, len);
	}
	munmap(p, len);
	close(importer);
	close(dmabuf);
	close(fd);
}

/* By the entries, and by the address in the kernel, on every backing. */
static void an_importer_sees_what_the_program_writes(void)
{
	begin("", 16);
	check_what_is_seen(lend(4 * pmd_size, pmd_size, HPAGE_MAP_EXACT));
	check_what_is_seen(lend_scattered(4, 0));
	check_what_is_seen(lend_run(4, 0));
	check_what_is_seen(lend(300 * base_page, base_page, HPAGE_MAP_ALLOW_BASE));
	CHECK_EQ(set_pool(pmd_size, "nr", 0), 0);
	check_what_is_seen(lend(4 * pmd_size, pmd_size, HPAGE_MAP_EXACT));	/* THP */
	end();
}

static void check_part(int fd, char *p, size_t off, size_t len)
{
	int dmabuf = export_part(fd, 0, off, len), importer = importer_open();

	CHECK_EQ(attach(importer, dmabuf).bytes, len);
	check_sum(importer, p + off, len);
	close(importer);
	close(dmabuf);
}

/* From anywhere to anywhere, across the edges of pages and runs, and at once. */
static void an_importer_has_the_part_alone(void)
{
	const size_t len = 6 * pmd_size;
	int fds[2];

	begin("", 12);
	fds[0] = lend_scattered(6, 0);
	fds[1] = lend_run(6, 0);
	for (int i = 0; i < 2; i++) {
		char *p = map(fds[i], len, RW, MAP_SHARED, 0);

		fill(p, len, 40);
		check_part(fds[i], p, 0, base_page);
		check_part(fds[i], p, base_page, pmd_size);
		check_part(fds[i], p, pmd_size, 2 * pmd_size);
		check_part(fds[i], p, 2 * pmd_size - base_page, 3 * pmd_size);
		check_part(fds[i], p, len - base_page, base_page);
		munmap(p, len);
	}
	close_range(3, ~0U, 0);
	end();
}

static void a_device_that_writes_gets_no_read_only_dma_buf(void)
{
	static const __u32 refused[] = { 0, IMPORTER_WRITES };
	int fd, dmabuf, importer;
	struct importer_sum s;
	char *p;

	begin("", 2);
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	fill(p, 2 * pmd_size, 41);
	dmabuf = export_part(fd, HPAGE_MAP_EXPORT_READ_ONLY, pmd_size, 0);
	importer = importer_open();
	for (int i = 0; i < 2; i++) {
		struct importer_attach a = { .fd = dmabuf, .dir = refused[i] };

		CHECK_ERR(ioctl(importer, IMPORTER_ATTACH, &a), EACCES);
	}
	struct importer_attach a = { .fd = dmabuf, .dir = IMPORTER_READS };

	CHECK_EQ(ioctl(importer, IMPORTER_ATTACH, &a), 0);
	CHECK_EQ(a.bytes, pmd_size);
	/* Nor is there an address in the kernel, through which it might write. */
	CHECK_ERR(ioctl(importer, IMPORTER_SUM, &s), EINVAL);
	munmap(p, 2 * pmd_size);
	close_range(3, ~0U, 0);
	end();
}

/* By the importer's own file, which is open for writing whatever the dma-buf is. */
static void a_mapping_by_the_importer_cannot_write_either(void)
{
	struct importer_attach a = { .dir = IMPORTER_READS };
	int fd, importer;
	char *p, *own;

	begin("", 2);
	fd = lend(2 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	own = map(fd, 2 * pmd_size, RW, MAP_SHARED, 0);
	importer = import(export_part(fd, 0, pmd_size, 0));
	p = map(importer, pmd_size, RW, MAP_SHARED, 0);
	fill(p, pmd_size, 42);
	CHECK(filled(own + pmd_size, pmd_size, 42));
	/* EFAULT for page frames, EINVAL for pages of a pool. */
	CHECK_EQ(mremap(p, pmd_size, 2 * pmd_size, MREMAP_MAYMOVE), MAP_FAILED);
	munmap(p, pmd_size);
	CHECK_ERR(mmap(NULL, 2 * pmd_size, RW, MAP_SHARED, importer, 0), EINVAL);
	close(importer);

	a.fd = export_part(fd, HPAGE_MAP_EXPORT_READ_ONLY, 0, pmd_size);
	importer = importer_open();
	CHECK_EQ(ioctl(importer, IMPORTER_ATTACH, &a), 0);
	CHECK_ERR(mmap(NULL, pmd_size, RW, MAP_SHARED, importer, 0), EACCES);
	/* mprotect() would make it one. */
	CHECK_ERR(mmap(NULL, pmd_size, PROT_READ, MAP_SHARED, importer, 0), EACCES);
	munmap(own, 2 * pmd_size);
	close_range(3, ~0U, 0);
	end();
}

static void importers_may_be_many(void)
{
	int fd, dmabuf, importer[8];
	char *p;

	begin("", 8);
	fd = lend(4 * pmd_size, pmd_size, 0);
	dmabuf = export_of(fd);
	p = map(fd, 4 * pmd_size, RW, MAP_SHARED, 0);
	fill(p, 4 * pmd_size, 30);
	for (int i = 0; i < 8; i++) {
		importer[i] = importer_open();
		attach(importer[i], i % 2 ? dmabuf : export_of(fd));
	}
	for (int i = 0; i < 8; i++)
		check_sum(importer[i], p, 4 * pmd_size);
	CHECK_EQ(facts_of(fd).exports, 5);
	for (int i = 0; i < 8; i++)
		close(importer[i]);
	munmap(p, 4 * pmd_size);
	close_range(3, ~0U, 0);
	end();
}

/* The program has closed everything; the importer goes on. */
static void an_importer_alone_keeps_the_pages(void)
{
	struct importer_sum before, after;
	int fd, importer;
	char *p;

	begin("", 8);
	fd = lend(8 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	p = map(fd, 8 * pmd_size, RW, MAP_SHARED, 0);
	fill(p, 8 * pmd_size, 31);
	munmap(p, 8 * pmd_size);
	importer = importer_open();
	attach(importer, export_of(fd));
	CHECK_EQ(ioctl(importer, IMPORTER_SUM, &before), 0);
	close_range(importer + 1, ~0U, 0);
	close(fd);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK_EQ(count_buffers(), 1);
	CHECK_EQ(pool_of(pmd_size, "free"), 0);
	CHECK_EQ(ioctl(importer, IMPORTER_SUM, &after), 0);
	CHECK_EQ(after.table, before.table);
	CHECK_EQ(after.vmap, before.vmap);
	close(importer);
	CHECK_EQ(pool_of(pmd_size, "free"), 8);
	end();
}

static void refused_over_limit(enum hpage_map_backing backing)
{
	struct hpage_map_alloc a = wish_of(backing, 1, 0);

	CHECK_ALLOC(&a, -EDQUOT);
	CHECK_EQ(count_buffers(), 1);
}

/* Two pages are all that this user may have. */
static void hand_all_to_an_importer(void *arg)
{
	enum hpage_map_backing backing = *(enum hpage_map_backing *)arg;
	int importer = importer_open(), fd, dmabuf;
	char *p;

	become(NOBODY, backing == HPAGE_MAP_BACKING_HUGETLB ? 0 : 2 * pmd_size);
	fd = alloc_on(backing, 2 * pmd_size / page_of(backing), 0);
	dmabuf = export_of(fd);
	close(fd);
	refused_over_limit(backing);
	p = map(dmabuf, 2 * pmd_size, RW, MAP_SHARED, 0);
	attach(importer, dmabuf);
	close(dmabuf);
	refused_over_limit(backing);
	CHECK_EQ(munmap(p, 2 * pmd_size), 0);
	refused_over_limit(backing);
	CHECK_EQ(first_buffer().exports, 1);
	CHECK_EQ(first_buffer().descriptors + first_buffer().mappings, 0);
	close(importer);
	CHECK_COMES(count_buffers() == 0);
	close(alloc_on(backing, 2 * pmd_size / page_of(backing), 0));
}

/* Else whoever hands buffers to devices would have no limit. */
static void an_importer_keeps_the_charge(void)
{
	static const enum hpage_map_backing backings[] = {
		HPAGE_MAP_BACKING_HUGETLB, HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE,
	};

	for (size_t i = 0; i < sizeof(backings) / sizeof(*backings); i++) {
		LABEL("backing %d", backings[i]);
		begin("", backings[i] == HPAGE_MAP_BACKING_HUGETLB ? 4 : 0);
		CHECK_EQ(write_text(PARAMS "user_hugetlb", "4M"), 0);
		CHECK_EQ(chmod(DEV, 0666), 0);
		CHECK_EXITS(spawn(hand_all_to_an_importer, (void *)&backings[i]));
		CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
		end();
	}
}

static int started[2];

static void import_for_ever(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_done(started[1]);
	for (;;) {
		int fd = lend(4 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
		int importer = importer_open(), dmabuf = export_of(fd);

		close(fd);
		attach(importer, dmabuf);
		close(dmabuf);
		close(importer);
	}
}

static void killed_importers_leave_nothing(void)
{
	begin("", 4);
	CHECK_EQ(pipe2(started, O_CLOEXEC), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = spawn(import_for_ever, NULL);

		step_wait(started[0]);
		for (int j = 0; j < i * 7 % 60; j++)
			sched_yield();
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_KILLED(pid, SIGKILL);
		CHECK_EQ(count_buffers(), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), 4);
	}
	end();
}

/* --- vgem ---------------------------------------------------------------------- */

static int vgem_open(void)
{
	char path[32], name[32];

	for (int i = 0; i < 8; i++) {
		struct drm_version v = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!ioctl(fd, DRM_IOCTL_VERSION, &v) && !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	CHECK(!"a vgem device");
	return -1;
}

static void vgem_imports_and_holds(void)
{
	struct drm_prime_handle prime = {};
	struct drm_gem_close gem = {};
	int fd, vgem, dmabuf;

	begin(NULL, 4);
	CHECK_EQ(run_command("modprobe vgem"), 0);
	vgem = vgem_open();
	fd = lend(4 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	dmabuf = export_of(fd);
	prime.fd = dmabuf;
	CHECK_EQ(ioctl(vgem, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime), 0);
	CHECK_NE(prime.handle, 0);
	close(dmabuf);
	close(fd);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK_EQ(count_buffers(), 1);

	/* And back: it is the same dma-buf. */
	prime.flags = DRM_CLOEXEC | DRM_RDWR;
	CHECK_EQ(ioctl(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), 0);
	CHECK_EQ(lseek(prime.fd, 0, SEEK_END), (off_t)(4 * pmd_size));
	close(prime.fd);
	gem.handle = prime.handle;
	CHECK_EQ(ioctl(vgem, DRM_IOCTL_GEM_CLOSE, &gem), 0);
	CHECK_EQ(count_buffers(), 0);
	close(vgem);
	CHECK_EQ(run_command("modprobe -r vgem"), 0);
	end();
}

/* --- vivid, which captures frames ------------------------------------------------- */

#define WIDTH	1920
#define HEIGHT	1080

static int video_open(const char *params)
{
	char command[128], path[32];

	snprintf(command, sizeof(command), "modprobe vivid n_devs=1 node_types=0x1 %s", params);
	CHECK_EQ(run_command(command), 0);
	for (int i = 0; i < 8; i++) {
		struct v4l2_capability cap;
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		CHECK_EQ(ioctl(fd, VIDIOC_QUERYCAP, &cap), 0);
		if (cap.device_caps & V4L2_CAP_VIDEO_CAPTURE)
			return fd;
		close(fd);
	}
	CHECK(!"a capture device");
	return -1;
}

static void video_close(int video)
{
	close(video);
	CHECK_EQ(run_command("modprobe -r vivid"), 0);
}

static void set_control(int video, const char *name, int value)
{
	struct v4l2_queryctrl q = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (!ioctl(video, VIDIOC_QUERYCTRL, &q)) {
		struct v4l2_control c = { .id = q.id, .value = value };

		if (!strcmp((char *)q.name, name)) {
			CHECK_EQ(ioctl(video, VIDIOC_S_CTRL, &c), 0);
			return;
		}
		q.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	printf("# vivid has no '%s'\n", name);
	CHECK(!"a control");
}

/* A pattern that does not move; returns the bytes of a frame. */
static size_t set_format(int video, int pattern)
{
	struct v4l2_format f = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	f.fmt.pix.width = WIDTH;
	f.fmt.pix.height = HEIGHT;
	f.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	CHECK_EQ(ioctl(video, VIDIOC_S_FMT, &f), 0);
	CHECK_EQ(f.fmt.pix.width, WIDTH);
	CHECK_EQ(f.fmt.pix.height, HEIGHT);
	set_control(video, "OSD Text Mode", 2);		/* none: no clock in it */
	set_control(video, "Test Pattern", pattern);
	return f.fmt.pix.sizeimage;
}

static void request_buffers(int video, enum v4l2_memory memory, unsigned int count)
{
	struct v4l2_requestbuffers r = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	CHECK_EQ(ioctl(video, VIDIOC_REQBUFS, &r), 0);
}

static int queue(int video, enum v4l2_memory memory, unsigned int index, int dmabuf)
{
	struct v4l2_buffer b = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	if (memory == V4L2_MEMORY_DMABUF)
		b.m.fd = dmabuf;
	return ioctl(video, VIDIOC_QBUF, &b) ? -errno : 0;
}

/* The first frame may be late; wait for it, and return its index. */
static unsigned int capture(int video, enum v4l2_memory memory)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_buffer b = { .type = type, .memory = memory };

	CHECK_EQ(ioctl(video, VIDIOC_STREAMON, &type), 0);
	CHECK_EQ(ioctl(video, VIDIOC_DQBUF, &b), 0);
	CHECK(!(b.flags & V4L2_BUF_FLAG_ERROR));
	CHECK_EQ(ioctl(video, VIDIOC_STREAMOFF, &type), 0);
	return b.index;
}

/* As vivid does it by itself. */
static char *own_frame(int video, size_t bytes)
{
	struct v4l2_buffer b = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	char *frame = malloc(bytes), *p;

	request_buffers(video, V4L2_MEMORY_MMAP, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(queue(video, V4L2_MEMORY_MMAP, i, -1), 0);
	b.index = capture(video, V4L2_MEMORY_MMAP);
	CHECK_EQ(ioctl(video, VIDIOC_QUERYBUF, &b), 0);
	p = map(video, bytes, PROT_READ, MAP_SHARED, b.m.offset);
	memcpy(frame, p, bytes);
	munmap(p, bytes);
	request_buffers(video, V4L2_MEMORY_MMAP, 0);
	return frame;
}

/* Two of our buffers take a frame each way; what is in them is what vivid makes. */
static void check_frames(int video, size_t bytes, const int fd[2], const char *want)
{
	int dmabuf[2] = { export_of(fd[0]), export_of(fd[1]) };
	unsigned int got;

	request_buffers(video, V4L2_MEMORY_DMABUF, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(queue(video, V4L2_MEMORY_DMABUF, i, dmabuf[i]), 0);
	got = capture(video, V4L2_MEMORY_DMABUF);
	check_file_holds(fd[got], want, bytes, 0);
	request_buffers(video, V4L2_MEMORY_DMABUF, 0);
	close(dmabuf[0]);
	close(dmabuf[1]);
}

static void capture_into(const char *params, bool one_run)
{
	int video, fd[2];

	begin(NULL, 64);
	video = video_open(params);
	for (int i = 0; i < 2; i++)
		fd[i] = one_run ? lend_run(4, HPAGE_MAP_BELOW_4G) :
			lend(4 * pmd_size, pmd_size, HPAGE_MAP_EXACT);
	for (int pattern = 0; pattern < 2; pattern++) {
		size_t bytes = set_format(video, pattern);
		char *want = own_frame(video, bytes);

		CHECK_EQ(bytes, WIDTH * HEIGHT * 2);
		CHECK(!zeroed(want, bytes));
		check_frames(video, bytes, fd, want);
		free(want);
	}
	close(fd[0]);
	close(fd[1]);
	video_close(video);
	end();
}

static void vivid_captures_frames_into_huge_pages(void)
{
	capture_into("", false);
}

static void vivid_captures_frames_into_contiguous_pages(void)
{
	capture_into("allocators=1", true);
}

/*
 * The driver's rule, not ours: its device takes one run. Pages above its 4 GiB
 * would go through bounce buffers, which are one.
 */
static void vivid_refuses_scattered_pages_where_it_wants_one_run(void)
{
	struct hpage_map_run run;
	int video, fd, dmabuf;

	begin(NULL, 800);
	video = video_open("allocators=1");
	set_format(video, 0);
	fd = lend_scattered(4, HPAGE_MAP_BELOW_4G);
	CHECK_EQ(get_runs(fd, &run, 1), 1);
	CHECK_LT(run.length, WIDTH * HEIGHT * 2);
	dmabuf = export_of(fd);
	request_buffers(video, V4L2_MEMORY_DMABUF, 2);
	CHECK_LT(queue(video, V4L2_MEMORY_DMABUF, 0, dmabuf), 0);
	request_buffers(video, V4L2_MEMORY_DMABUF, 0);
	close(dmabuf);
	close(fd);
	video_close(video);
	end();
}

static void pinned_memory_is_captured_into(void)
{
	size_t len = 4 * pmd_size, bytes;
	char *p, *want;
	int video, fd, dmabuf, other;

	begin(NULL, 8);
	p = map(-1, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 0);
	fd = pin(p, len);
	dmabuf = export_of(fd);
	other = export_of(lend(len, pmd_size, 0));
	video = video_open("");
	bytes = set_format(video, 0);
	want = own_frame(video, bytes);
	request_buffers(video, V4L2_MEMORY_DMABUF, 2);
	CHECK_EQ(queue(video, V4L2_MEMORY_DMABUF, 0, dmabuf), 0);
	CHECK_EQ(queue(video, V4L2_MEMORY_DMABUF, 1, other), 0);
	CHECK_EQ(capture(video, V4L2_MEMORY_DMABUF), 0);
	CHECK_EQ(memcmp(p, want, bytes), 0);
	free(want);
	munmap(p, len);
	video_close(video);
	close_range(3, ~0U, 0);
	end();
}

int main(void)
{
	const struct test tests[] = {
		TEST(an_entry_for_each_run_at_most, ON_NONE),
		TEST(scattered_pages_are_an_entry_each, ON_NONE),
		TEST(entries_beside_those_of_udmabuf, ON_NONE),
		TEST(fewer_entries_than_the_system_heap, ON_NONE),
		TEST(entries_obey_the_segment_size, ON_NONE),
		TEST(entries_do_not_cross_the_boundary, ON_NONE),
		TEST(a_device_that_takes_no_page_is_refused, ON_NONE),
		TEST(an_importer_sees_what_the_program_writes, ON_NONE),
		TEST(an_importer_has_the_part_alone, ON_NONE),
		TEST(a_device_that_writes_gets_no_read_only_dma_buf, ON_NONE),
		TEST(a_mapping_by_the_importer_cannot_write_either, ON_NONE),
		TEST(importers_may_be_many, ON_NONE),
		TEST(an_importer_alone_keeps_the_pages, ON_NONE),
		TEST(an_importer_keeps_the_charge, ON_NONE),
		TEST(killed_importers_leave_nothing, ON_NONE),
		TEST(vgem_imports_and_holds, ON_NONE),
		TEST(vivid_captures_frames_into_huge_pages, ON_NONE),
		TEST(vivid_captures_frames_into_contiguous_pages, ON_NONE),
		TEST(vivid_refuses_scattered_pages_where_it_wants_one_run, ON_NONE),
		TEST(pinned_memory_is_captured_into, ON_NONE),
	};

	return RUN_TESTS(tests);
}
