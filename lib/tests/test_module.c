// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the module alone can do: with it, as root, and with a pool. */
#define _GNU_SOURCE
#include "fixture.h"

#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <linux/hpage_map.h>

/* A PCI device that has a driver: the disk of the virtual machine, or what else it has. */
static const char *device;

static void a_name_outlives_its_maker(void **state)
{
	struct hpmap_buffer *b = NULL, *again = NULL;
	struct hpmap_options o = {
		.struct_size = sizeof(o), .size = 4 * MIB, .name = "lib-test", .mode = 0640,
	};
	char *p;

	(void)state;
	ok(hpmap_create(&o, &b));
	assert_int_equal(hpmap_create(&o, &again), -EEXIST);
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "left here");
	assert_true(info_of(b).attributes & HPMAP_ATTR_NAMED);
	hpmap_close(b);

	ok(hpmap_open("lib-test", HPMAP_READ_ONLY, &again));
	assert_int_equal(hpmap_map(again, 0, NULL), -EACCES);
	ok(hpmap_map(again, HPMAP_READ_ONLY, (void **)&p));
	assert_string_equal(p, "left here");
	ok(hpmap_destroy("lib-test"));
	assert_int_equal(hpmap_destroy("lib-test"), -ENOENT);
	assert_string_equal(p, "left here");
	hpmap_close(again);
	assert_int_equal(hpmap_open("lib-test", 0, &b), -ENOENT);
	assert_non_null(strstr(hpmap_why(NULL), "hpagectl create lib-test"));
}

/* The node of a name that is gone may be that of another buffer. */
static void a_name_that_is_gone_is_not_opened_again(void **state)
{
	struct hpmap_buffer *next, *again = NULL;

	(void)state;
	ok(hpmap_create(HPMAP_OPTIONS(.size = 2 * MIB, .name = "gone"), NULL));
	ok(hpmap_open("gone", 0, &next));
	ok(hpmap_reopen(next, HPMAP_READ_ONLY, &again));
	assert_int_equal(info_of(again).id, info_of(next).id);
	assert_int_equal(hpmap_map(again, 0, NULL), -EACCES);
	hpmap_close(again);
	again = NULL;
	ok(hpmap_destroy("gone"));
	assert_true(refused(hpmap_reopen(next, HPMAP_READ_ONLY, &again), -ENOENT, "taken away"));
	ok(hpmap_create(HPMAP_OPTIONS(.size = 2 * MIB, .name = "other"), NULL));
	assert_true(refused(hpmap_reopen(next, HPMAP_READ_ONLY, &again), -ENOENT, "taken away"));
	assert_null(again);
	hpmap_close(next);
	ok(hpmap_destroy("other"));
}

static struct hpmap_buffer *given;

static int reopened_for_writing(void)
{
	struct hpmap_buffer *b = NULL;

	return !refused(hpmap_reopen(given, 0, &b), -EACCES, "for reading and writing");
}

/* Nor do those whom a read-only hold was given, by the link in /proc. */
static void others_do_not_open_it_for_writing(void **state)
{
	const uint32_t sources[] = { 0, HPMAP_NO_MODULE };
	struct hpmap_buffer *b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		print_message("flags %#x\n", sources[i]);
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = sources[i]), &b));
		ok(hpmap_reopen(b, HPMAP_READ_ONLY, &given));
		assert_int_equal(as_nobody(reopened_for_writing), 0);
		hpmap_close(given);
		hpmap_close(b);
	}
}

/* A memfd that everybody may write to, as all begin, is not his to change. */
static int reopened_by_another_user(void)
{
	struct hpmap_buffer *b = NULL;

	if (!refused(hpmap_reopen(given, HPMAP_READ_ONLY, &b), -EPERM,
		     "try: fchmod(fd, 0600)") || b)
		return 1;
	/* Nothing has to be protected for this. */
	if (hpmap_reopen(given, 0, &b))
		return 2;
	hpmap_close(b);
	return 0;
}

static void only_the_owner_of_a_memfd_makes_a_read_only_hold(void **state)
{
	struct hpmap_buffer *b;
	struct stat st;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = HPMAP_NO_MODULE), &given));
	assert_int_equal(as_nobody(reopened_by_another_user), 0);
	assert_int_equal(fstat(hpmap_fd(given), &st), 0);
	assert_int_equal(st.st_mode & 022, 022);
	ok(hpmap_reopen(given, HPMAP_READ_ONLY, &b));
	assert_int_equal(fstat(hpmap_fd(given), &st), 0);
	assert_int_equal(st.st_mode & 022, 0);
	hpmap_close(b);
	hpmap_close(given);
}

/* As in a chroot(2) to which nobody gave a /proc. */
static bool reopened_without_proc(void)
{
	struct hpmap_buffer *b = NULL;

	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", "/proc", "tmpfs", 0, NULL) &&
	       refused(hpmap_reopen(given, HPMAP_READ_ONLY, &b), -ENOTSUP,
		       "\ntry: sudo mount -t proc proc /proc") &&
	       refused(hpmap_reopen(given, 0, &b), -ENOTSUP,
		       "/proc/thread-self/fd, which is not there") && !b;
}

static void without_proc_nothing_is_opened_again(void **state)
{
	const uint32_t sources[] = { 0, HPMAP_NO_MODULE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		print_message("flags %#x\n", sources[i]);
		ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = sources[i]), &given));
		assert_true(in_child(reopened_without_proc));
		hpmap_close(given);
	}
}

static void buffers_are_listed(void **state)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_buffer *b;
	bool seen = false;
	uint32_t id = 0;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .name = "listed"), &b));
	while (!hpmap_next(id, &info)) {
		id = info.id + 1;
		seen |= !strcmp(info.name, "listed") && info.descriptors == 1;
	}
	assert_true(seen);
	assert_int_equal(hpmap_next(id, &info), -ENOENT);
	hpmap_close(b);
}

static void runs_make_up_the_buffer(void **state)
{
	struct hpmap_run runs[32];
	unsigned int nr = 32, i;
	struct hpmap_buffer *b;
	uint64_t sum = 0;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 16 * MIB), &b));
	ok(hpmap_get_runs(b, 0, runs, &nr));
	assert_int_equal(nr, info_of(b).nr_runs);
	for (i = 0; i < nr; i++)
		sum += runs[i].size;
	assert_int_equal(sum, hpmap_size(b));
	assert_int_equal(runs[0].address, info_of(b).address);
	hpmap_close(b);

	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 8 * MIB, .flags = HPMAP_CONTIGUOUS), &b));
	nr = 32;
	ok(hpmap_get_runs(b, 0, runs, &nr));
	assert_int_equal(nr, 1);
	assert_int_equal(runs[0].size, 8 * MIB);
	hpmap_close(b);
}

/* The pool is the same, whoever keeps the pages. */
static void without_the_module_pages_come_from_the_pool_too(void **state)
{
	struct hpmap_buffer *b, *other;

	(void)state;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 4 * MIB, .flags = HPMAP_NO_MODULE), &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_HUGETLB);
	ok(hpmap_from_fd(hpmap_fd(b), &other));
	assert_int_equal(info_of(other).backing, HPMAP_BACKING_HUGETLB);
	assert_int_equal(hpmap_page_size(other), 2 * MIB);
	hpmap_close(other);
	hpmap_close(b);
}

static void a_dmabuf_holds_the_buffer(void **state)
{
	struct hpmap_buffer *b = alloc(2 * MIB), *reader;
	int fd = -1, other = -1;
	char *p;

	(void)state;
	ok(hpmap_map(b, 0, (void **)&p));
	strcpy(p, "hello");
	ok(hpmap_export_dmabuf(b, &fd));
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	hpmap_close(b);
	dmabuf_has_hello(fd, 2 * MIB);

	ok(hpmap_create(HPMAP_OPTIONS(.size = 2 * MIB, .name = "read"), NULL));
	ok(hpmap_open("read", HPMAP_READ_ONLY, &reader));
	assert_int_equal(hpmap_export_dmabuf(reader, &other), -EACCES);
	assert_non_null(strstr(hpmap_why(NULL), "\ntry: "));
	assert_int_equal(other, -1);
	hpmap_close(reader);
	ok(hpmap_destroy("read"));
}

static void memory_of_the_program_is_pinned(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct hpmap_buffer *b = NULL;
	char *p, text[6] = "";
	int fd;

	(void)state;
	p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	strcpy(p + page, "hello");
	assert_int_equal(hpmap_pin(p + 1, page, &b), -EINVAL);
	assert_int_equal(hpmap_pin(p, 0, &b), -EINVAL);
	assert_null(b);
	ok(hpmap_pin(p, 4 * page, &b));
	assert_int_equal(info_of(b).backing, HPMAP_BACKING_USER);
	assert_int_equal(hpmap_size(b), 4 * page);
	assert_int_equal(hpmap_map(b, 0, NULL), -ENODEV);
	assert_int_equal(hpmap_map_at(b, NULL, 0, page, 0, (void **)&p), -ENODEV);
	assert_int_equal(hpmap_populate(b, NULL), -ENODEV);
	munmap(p, 4 * page);
	assert_int_equal(pread(hpmap_fd(b), text, sizeof(text), page), sizeof(text));
	assert_string_equal(text, "hello");
	ok(hpmap_export_dmabuf(b, &fd));
	close(fd);
	hpmap_close(b);
}

/* Whatever the array has room for. */
static void a_count_of_runs_is_how_many_there_are(void **state)
{
	struct hpmap_run all[256], some[256];
	unsigned int nr = 256, first, room, there;
	struct hpmap_buffer *b;
	void *memory;

	(void)state;
	b = pinned_in_runs(&memory, MIB);
	ok(hpmap_get_runs(b, 0, all, &nr));
	assert_int_equal(nr, info_of(b).nr_runs);
	assert_in_range(nr, 2, 256);
	for (first = 0; first < nr + 2; first++) {
		for (room = 0; room < nr + 2 && room < 256; room += room < 4 ? 1 : 50) {
			memset(some, 0xa5, sizeof(some));
			there = room;
			ok(hpmap_get_runs(b, first, room ? some : NULL, &there));
			assert_int_equal(there, first < nr ? nr - first : 0);
			if (there > room)
				there = room;
			assert_memory_equal(some, all + first, there * sizeof(*some));
			assert_int_equal(some[there].address, 0xa5a5a5a5a5a5a5a5);
		}
	}
	there = 7;
	ok(hpmap_get_runs(b, UINT64_MAX, some, &there));
	assert_int_equal(there, 0);
	there = 1;
	assert_int_equal(hpmap_get_runs(b, 0, NULL, &there), -EFAULT);
	assert_int_equal(there, 1);
	hpmap_close(b);
	munmap(memory, MIB);
}

/* At each end of a run, and nowhere behind the last. */
static void a_byte_has_a_physical_address(void **state)
{
	uint64_t at = 0, address, size;
	struct hpmap_run runs[256];
	struct hpmap_buffer *b;
	unsigned int nr = 256, i;
	void *memory;

	(void)state;
	b = pinned_in_runs(&memory, MIB);
	ok(hpmap_get_runs(b, 0, runs, &nr));
	assert_in_range(nr, 2, 256);
	for (i = 0; i < nr; at += runs[i++].size) {
		ok(hpmap_physical_address(b, at, &address, &size));
		assert_int_equal(address, runs[i].address);
		assert_int_equal(size, runs[i].size);
		ok(hpmap_physical_address(b, at + runs[i].size - 1, &address, NULL));
		assert_int_equal(address, runs[i].address + runs[i].size - 1);
	}
	assert_int_equal(at, MIB);
	address = 7;
	assert_true(refused(hpmap_physical_address(b, MIB, &address, &size), -EINVAL,
			    "hpmap_size()"));
	assert_int_equal(address, 7);
	hpmap_close(b);
	munmap(memory, MIB);
}

static void a_device_is_given_addresses(void **state)
{
	struct hpmap_run run, physical;
	unsigned int nr = 1, one = 1;
	uint64_t address, size;
	struct hpmap_dma *dma = NULL, *same;
	struct hpmap_buffer *b;
	glob_t g;

	(void)state;
	assert_int_equal(glob("/sys/bus/pci/drivers/virtio-pci/0*", 0, NULL, &g), 0);
	device = strrchr(g.gl_pathv[0], '/') + 1;
	ok(hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB, .page_size = 2 * MIB), &b));
	assert_int_equal(hpmap_dma_map(b, device, 0, &dma), -EINVAL);
	assert_int_equal(hpmap_dma_map(b, device, 4, &dma), -EINVAL);
	assert_int_equal(hpmap_dma_map(b, "no-such-device", HPMAP_DMA_TO_DEVICE, &dma), -ENODEV);
	assert_int_equal(hpmap_dma_map(b, NULL, HPMAP_DMA_TO_DEVICE, &dma), -ENODEV);
	assert_null(dma);
	ok(hpmap_dma_map(b, device, HPMAP_DMA_TO_DEVICE | HPMAP_DMA_FROM_DEVICE, &dma));
	ok(hpmap_dma_get_runs(dma, 0, &run, &nr));
	ok(hpmap_get_runs(b, 0, &physical, &one));
	assert_int_equal(nr, 1);
	assert_int_equal(run.size, 2 * MIB);
	assert_int_equal(run.address, physical.address);	/* there is no IOMMU */
	nr = 0;
	ok(hpmap_dma_get_runs(dma, 0, NULL, &nr));
	assert_int_equal(nr, 1);
	ok(hpmap_dma_get_runs(dma, 1, &run, &nr));
	assert_int_equal(nr, 0);
	ok(hpmap_dma_address(dma, MIB + 5, &address, &size));
	assert_int_equal(address, physical.address + MIB + 5);
	assert_int_equal(size, MIB - 5);
	assert_int_equal(hpmap_dma_address(dma, 2 * MIB, &address, &size), -EINVAL);
	ok(hpmap_dma_sync(dma, HPMAP_SYNC_FOR_CPU, MIB, MIB));
	ok(hpmap_dma_sync(dma, HPMAP_SYNC_FOR_DEVICE, 0, 1));
	assert_int_equal(hpmap_dma_sync(dma, HPMAP_SYNC_FOR_CPU, MIB, MIB + 1), -EINVAL);
	assert_int_equal(hpmap_dma_sync(dma, 0, 0, 1), -EINVAL);
	assert_true(fcntl(hpmap_dma_fd(dma), F_GETFD) & FD_CLOEXEC);

	/* Passed on, it is the same mapping, which ends with its last holder. */
	ok(hpmap_dma_from_fd(hpmap_dma_fd(dma), &same));
	hpmap_dma_unmap(dma);
	nr = 1;
	ok(hpmap_dma_get_runs(same, 0, &run, &nr));
	assert_int_equal(run.address, physical.address);
	ok(hpmap_dma_sync(same, HPMAP_SYNC_FOR_CPU, 0, 2 * MIB));
	dma = NULL;
	assert_true(refused(hpmap_dma_from_fd(hpmap_fd(b), &dma), -EINVAL, "hpmap_dma_fd()"));
	assert_int_equal(hpmap_dma_from_fd(-1, &dma), -EINVAL);
	assert_null(dma);
	hpmap_dma_unmap(same);
	hpmap_dma_unmap(NULL);
	hpmap_close(b);
	globfree(&g);
}

/* From now on /dev is empty in this process, as in a container that was given no devices. */
static bool in_a_container(const char *options, unsigned long flags)
{
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", "/dev", "tmpfs", flags, options);
}

/* Every call that needs the device. */
static bool device_is_missed(void)
{
	static char memory[4096] __attribute__((aligned(4096)));
	static const char words[] = "hpage_map is loaded, but there is no /dev/hpage_map\n"
				    "try: docker run --device=/dev/hpage_map";
	struct hpmap_info info = { .struct_size = sizeof(info) };
	const struct hpmap_options o = {
		.struct_size = sizeof(o), .size = MIB, .name = "any", .flags = HPMAP_MODULE_ONLY,
	};
	struct hpmap_buffer *b = NULL;

	return refused(hpmap_alloc(&o, &b), -ENOTSUP, words) &&
	       refused(hpmap_create(&o, &b), -ENOTSUP, words) &&
	       refused(hpmap_open(NULL, 0, &b), -ENOTSUP, words) &&
	       refused(hpmap_open("any", 0, &b), -ENOTSUP, words) &&
	       refused(hpmap_destroy("any"), -ENOTSUP, words) &&
	       refused(hpmap_next(0, &info), -ENOTSUP, words) &&
	       refused(hpmap_pin(memory, sizeof(memory), &b), -ENOTSUP, words) && !b;
}

static bool without_nodes(void)
{
	struct hpmap_dma *dma = NULL;
	struct hpmap_buffer *b = NULL;

	return in_a_container("mode=755", 0) && device_is_missed() &&
	       strstr(hpmap_why(NULL), "mknod -m 600 /dev/hpage_map c ") &&
	       !hpmap_alloc(HPMAP_OPTIONS(.size = 2 * MIB), &b) &&
	       strstr(hpmap_why(b), "--device=/dev/hpage_map") &&
	       refused(hpmap_dma_map(b, "any", HPMAP_DMA_TO_DEVICE, &dma), -ENOTSUP,
		       "only the module") && !strstr(hpmap_why(NULL), "modprobe");
}

/* Then /proc/modules has it. It is not for the container to load it again. */
static bool without_sys(void)
{
	struct hpmap_reserve r = { .struct_size = sizeof(r) };

	return in_a_container("mode=755", 0) && !mount("none", "/sys", "tmpfs", 0, NULL) &&
	       device_is_missed() && !strstr(hpmap_why(NULL), "modprobe") &&
	       refused(hpmap_get_reserve(HPMAP_BACKING_THP, 2 * MIB, 0, &r), -ENOTSUP,
		       "mount -t sysfs");
}

static bool without_that_node(void)
{
	struct hpmap_buffer *b = NULL;
	struct stat st;

	return !stat("/dev/hpage_map", &st) && in_a_container("mode=755", 0) &&
	       !mknod("/dev/hpage_map", S_IFCHR | 0666, st.st_rdev) &&
	       refused(hpmap_open("inside", 0, &b), -ENOENT, "--device=/dev/hpage/inside") &&
	       refused(hpmap_open("outside", 0, &b), -ENOENT, "hpagectl create outside");
}

static bool where_nodes_are_none(void)
{
	struct hpmap_buffer *b = NULL;
	struct stat st;

	return !stat("/dev/hpage_map", &st) && in_a_container("mode=755", MS_NODEV) &&
	       !mknod("/dev/hpage_map", S_IFCHR | 0666, st.st_rdev) &&
	       refused(hpmap_open(NULL, 0, &b), -EACCES, "nodev");
}

/* Not that the module is not loaded. */
static void a_container_is_reported(void **state)
{
	(void)state;
	ok(hpmap_create(HPMAP_OPTIONS(.size = 2 * MIB, .name = "inside"), NULL));
	assert_true(in_child(without_nodes));
	assert_true(in_child(without_sys));
	assert_true(in_child(without_that_node));
	assert_true(in_child(where_nodes_are_none));
	ok(hpmap_destroy("inside"));
}

/* It was opened for ioctls. */
static void a_door_is_no_buffer(void **state)
{
	int fd = open("/dev/hpage_map", HPAGE_MAP_O_DOOR | O_CLOEXEC);
	struct hpmap_buffer *b = NULL;

	(void)state;
	assert_true(fd >= 0);
	assert_true(refused(hpmap_from_fd(fd, &b), -EINVAL, "for ioctls alone"));
	assert_null(b);
	close(fd);
}

static int behind_a_closed_door(void)
{
	struct hpmap_buffer *b = NULL;

	if (hpmap_open(NULL, 0, &b) != -EACCES)
		return 1;
	if (hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_MODULE_ONLY), &b) != -EACCES)
		return 2;
	if (hpmap_alloc(HPMAP_OPTIONS(.size = MIB), &b) ||
	    info_of(b).backend != HPMAP_BACKEND_MEMFD ||
	    !strstr(hpmap_why(b), "may not be opened"))
		return 3;
	return 0;
}

/* A user who may not open the door is served by memfd, with the reason. */
static void a_closed_door_is_reported(void **state)
{
	(void)state;
	assert_int_equal(as_nobody(behind_a_closed_door), 0);
}

static int through_an_open_door(void)
{
	static char memory[4 * 4096] __attribute__((aligned(4096)));
	struct rlimit limit = { 4096, 4096 };
	struct hpmap_buffer *b = NULL, *pinned = NULL;
	struct hpmap_run run;
	struct hpmap_dma *dma = NULL;
	unsigned int nr = 1;

	if (hpmap_alloc(HPMAP_OPTIONS(.size = MIB, .flags = HPMAP_MODULE_ONLY), &b))
		return 1;
	/* What takes a capability. */
	if (hpmap_get_runs(b, 0, &run, &nr) != -EPERM || info_of(b).address ||
	    hpmap_physical_address(b, 0, &run.address, NULL) != -EPERM)
		return 2;
	if (hpmap_dma_map(b, device, HPMAP_DMA_TO_DEVICE, &dma) != -EPERM || dma)
		return 3;
	if (hpmap_create(HPMAP_OPTIONS(.size = MIB, .name = "n"), NULL) != -EPERM ||
	    hpmap_destroy("n") != -EPERM)
		return 4;
	/* What is limited. */
	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return 5;
	if (hpmap_pin(memory, sizeof(memory), &pinned) != -EDQUOT || pinned ||
	    !strstr(hpmap_why(NULL), "ulimit -l"))
		return 6;
	if (hpmap_pin(memory, 4096, &pinned))
		return 7;
	hpmap_close(pinned);
	hpmap_close(b);
	return 0;
}

/* An ordinary user has buffers, and an errno for what is not for him. */
static void an_open_door_does_not_open_all(void **state)
{
	glob_t g;
	int ret;

	(void)state;
	assert_int_equal(glob("/sys/bus/pci/drivers/virtio-pci/0*", 0, NULL, &g), 0);
	device = strrchr(g.gl_pathv[0], '/') + 1;
	assert_int_equal(chmod("/dev/hpage_map", 0666), 0);
	ret = as_nobody(through_an_open_door);
	assert_int_equal(chmod("/dev/hpage_map", 0600), 0);
	globfree(&g);
	assert_int_equal(ret, 0);
}

static const struct CMUnitTest tests[] = {
	TEST(a_name_outlives_its_maker),
	TEST(a_name_that_is_gone_is_not_opened_again),
	TEST(others_do_not_open_it_for_writing),
	TEST(only_the_owner_of_a_memfd_makes_a_read_only_hold),
	TEST(without_proc_nothing_is_opened_again),
	TEST(buffers_are_listed),
	TEST(runs_make_up_the_buffer),
	TEST(without_the_module_pages_come_from_the_pool_too),
	TEST(a_dmabuf_holds_the_buffer),
	TEST(memory_of_the_program_is_pinned),
	TEST(a_count_of_runs_is_how_many_there_are),
	TEST(a_byte_has_a_physical_address),
	TEST(a_device_is_given_addresses),
	TEST(a_container_is_reported),
	TEST(a_door_is_no_buffer),
	TEST(a_closed_door_is_reported),
	TEST(an_open_door_does_not_open_all),
};

int test_module(void)
{
	return RUN("module", tests);
}
