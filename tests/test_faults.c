// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation on the way fails once: the n-th one of the call, for n =
 * 1, 2, ... until the call needs no more than n - 1. Whatever fails, nothing
 * stays behind. Needs a kernel with fault injection, and a virtio device.
 */
#define _GNU_SOURCE
#include "buffers.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEBUG	"/sys/kernel/debug/"
#define POOL	16
/* Unloading has its grace periods. */
#define SWEEP_SECONDS 1800

static void set_everywhere(const char *file, const char *text)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[128];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), DEBUG "%s/%s", kinds[i], file);
		if (access(path, F_OK) == 0)
			CHECK_EQ(write_text(path, text), 0);
	}
}

/* Modules come after the kernel's own text, which KASLR gives twice the room. */
static const char *modules_start(void)
{
	unsigned long addr = 0;
	char line[256];
	FILE *f;

	CHECK_EQ(load(""), 0);
	f = fopen("/proc/modules", "re");
	CHECK(f);
	while (!addr && fgets(line, sizeof(line), f))
		sscanf(line, "hpage_map %*s %*s %*s %*s %lx", &addr);
	fclose(f);
	CHECK(addr);
	CHECK_EQ(unload(), 0);
	return addr < 0xffffffffc0000000 ? "0xffffffffa0000000" : "0xffffffffc0000000";
}

/* Let a function of the kernel have its memory. Kallsyms has those of its text by address. */
static void spare(const char *function)
{
	unsigned long addr, start = 0, end = 0;
	char line[256], name[128], text[32];
	FILE *f = fopen("/proc/kallsyms", "re");

	CHECK(f);
	while (!end && fgets(line, sizeof(line), f)) {
		CHECK_EQ(sscanf(line, "%lx %*c %127s", &addr, name), 2);
		if (!strcmp(name, function))
			start = addr;
		else if (start && addr > start)
			end = addr;
	}
	fclose(f);
	CHECK(end);
	snprintf(text, sizeof(text), "0x%lx", start);
	set_everywhere("reject-start", text);
	snprintf(text, sizeof(text), "0x%lx", end);
	set_everywhere("reject-end", text);
}

/*
 * Fail what modules allocate, or anything that the call does. But kmemleak, which makes a note of
 * each allocation, has memory of its own for those that fail.
 */
static void prepare(bool only_modules)
{
	set_everywhere("verbose", "0");
	set_everywhere("ignore-gfp-wait", "N");
	set_everywhere("ignore-gfp-highmem", "N");
	set_everywhere("min-order", "0");
	set_everywhere("stacktrace-depth", "32");
	set_everywhere("require-start", only_modules ? modules_start() : "0");
	set_everywhere("require-end", only_modules ? "0xffffffffff000000" :
		       "0xffffffffffffffff");
	spare("__create_object");
}

static int fail_nth;
static unsigned int failed, passed_over, odd;

#define MANY	5000	/* more than any call allocates */

/* Do call() with its n-th allocation failing. Was there an n-th? */
static bool with_failure(unsigned int n, int (*call)(void), int *err)
{
	char text[32] = "";

	snprintf(text, sizeof(text), "%u", n);
	CHECK_GT(pwrite(fail_nth, text, strlen(text), 0), 0);
	*err = call();
	memset(text, 0, sizeof(text));
	/* A count that the call did not use up may meet these two instead. */
	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		strcpy(text, "1");
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return atoi(text) == 0;
}

static void open_fail_nth(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	CHECK_GE(fail_nth, 0);
}

/* How many allocations a call has that succeeds. */
static unsigned int steps_of(int (*call)(void))
{
	char text[32] = "";

	open_fail_nth();
	snprintf(text, sizeof(text), "%u", MANY);
	CHECK_GT(pwrite(fail_nth, text, strlen(text), 0), 0);
	CHECK_EQ(call(), 0);
	memset(text, 0, sizeof(text));
	CHECK_GT(pread(fail_nth, text, sizeof(text) - 1, 0), 0);
	CHECK_EQ(pwrite(fail_nth, "0", 1, 0), 1);
	close(fail_nth);
	CHECK_LT(atoi(text), MANY);
	return MANY - atoi(text);
}

/* Those before the first are swept elsewhere. */
static void sweep_from(unsigned int first, int (*call)(void), void (*check)(int err))
{
	unsigned int n = first;
	bool hit = true;
	int err = 0;

	failed = passed_over = odd = 0;
	open_fail_nth();
	for (; hit; n++) {
		CHECK_LT(n, MANY);
		hit = with_failure(n, call, &err);
		if (!hit)
			CHECK_EQ(err, 0);
		else if (err)
			failed++;
		else
			passed_over++;
		check(err);
	}
	printf("# places %u to %u: %u made it fail, %u did without\n", first, n - 2, failed,
	       passed_over);
	fflush(stdout);
	CHECK_GT(failed, 0);
	CHECK_EQ(odd, 0);
	close(fail_nth);
}

static void sweep(int (*call)(void), void (*check)(int err))
{
	sweep_from(1, call, check);
}

/* A failure for want of memory says so; the sweep goes on to find them all. */
static void must_be_enomem(int err)
{
	if (!err || err == -ENOMEM || err == -EINTR)
		return;
	printf("# not ENOMEM after %u failures: %s\n", failed, strerror(-err));
	odd++;
}

static const char *params;

static int try_load(void)
{
	return load(params);
}

static void check_load(int err)
{
	CHECK_EQ(loaded(), !err);
	CHECK(!err || (access(DEV, F_OK) == -1 && access("/dev/hpage", F_OK) == -1));
	must_be_enomem(err);
	if (!err)
		CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
}

/* Each place is a load and an unload, and most of that is grace periods. */
static void hasten(const char *on)
{
	write_text("/sys/kernel/rcu_expedited", on);
}

static void prepare_load(void)
{
	may_take(SWEEP_SECONDS);
	prepare(true);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	hasten("1");
}

static void every_step_of_load_may_fail(void)
{
	prepare_load();
	params = "";
	sweep(try_load, check_load);
	hasten("0");
}

/*
 * The load itself is swept above. Its class and its devices come after the buffer, a tenth of all
 * steps, and how many there are may differ a little each time.
 */
static void every_step_of_a_load_with_a_buffer_may_fail(void)
{
	unsigned int bare;

	prepare_load();
	params = "";
	bare = steps_of(try_load);
	CHECK_EQ(unload(), 0);
	params = "nr_hpages=1";
	sweep_from(bare - bare / 6, try_load, check_load);
	hasten("0");
}

static int try_open(void)
{
	int fd = open(DEV, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void check_open(int err)
{
	must_be_enomem(err);
	CHECK_EQ(class_u64("size"), err ? 0 : 10 * pmd_size);
	CHECK_COUNT("descriptors", 0);
	CHECK_EQ(refcnt(), 0);
	if (err)	/* as good as new */
		return;
	CHECK_EQ(unload(), 0);
	CHECK_EQ(load(""), 0);
}

static void every_step_of_the_first_open_may_fail(void)
{
	prepare_load();
	CHECK_EQ(load(""), 0);
	sweep(try_open, check_open);
	CHECK_EQ(unload(), 0);
	hasten("0");
}

static int dev;
static char *mapped;

static char *shared, *own;

static int try_mmap(void)
{
	shared = mmap(NULL, 2 * pmd_size, RW, MAP_SHARED | MAP_POPULATE, dev, 0);
	if (shared == MAP_FAILED)
		return -errno;
	own = mmap(NULL, 2 * pmd_size, RW, MAP_PRIVATE, dev, 0);
	if (own == MAP_FAILED)
		return -errno;
	return munmap(own, 2 * pmd_size) ? -errno : 0;
}

static void check_mmap(int err)
{
	CHECK(!err || err == -ENOMEM || err == -EINTR);
	if (shared != MAP_FAILED)
		CHECK_EQ(munmap(shared, 2 * pmd_size), 0);
	if (own && own != MAP_FAILED)
		munmap(own, 2 * pmd_size);
	shared = own = NULL;
	CHECK_COUNT("mappings", 0);
	CHECK_EQ(pool_of(pmd_size, "resv"), 0);
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	wait_for(pid);
	return 0;
}

static void check_fork(int err)
{
	CHECK(!err || err == -ENOMEM || err == -EAGAIN);
	CHECK_COUNT("mappings", 3);
	CHECK_COUNT("descriptors", 1);
	CHECK(filled(mapped, base_page, 1));
}

static int try_split(void)
{
	char *p = mapped + pmd_size;

	if (munmap(p, pmd_size))
		return -errno;
	return 0;
}

/* One that fails may have split already, but has unmapped nothing. */
static void check_split(int err)
{
	CHECK(!err || err == -ENOMEM);
	for (size_t i = 0; err && i < 3; i++)
		fill(mapped + i * pmd_size, base_page, i);
	CHECK_EQ(mmap(mapped, 3 * pmd_size, RW, MAP_SHARED | MAP_FIXED, dev, 0), mapped);
	CHECK_COUNT("mappings", 1);
}

static void mapping_may_fail_at_every_step(void)
{
	prepare(false);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(load("nr_hpages=4"), 0);
	dev = dev_open(O_RDWR);
	sweep(try_mmap, check_mmap);
}

static void forking_may_fail_at_every_step(void)
{
	prepare(false);
	CHECK_EQ(set_pool(pmd_size, "nr", POOL), 0);
	CHECK_EQ(load("nr_hpages=4"), 0);
	dev = dev_open(O_RDWR);
	mapped = map(dev, 3 * pmd_size, RW, MAP_SHARED, 0);
	map(dev, pmd_size, PROT_READ, MAP_SHARED, 0);
	map(dev, pmd_size, RW, MAP_PRIVATE, 0)[0] = 1;
	fill(mapped, base_page, 1);
	sweep(try_fork, check_fork);
}

static void splitting_may_fail_at_every_step(void)
{
	prepare(false);
	CHECK_EQ(load("nr_hpages=4"), 0);
	dev = dev_open(O_RDWR);
	mapped = reserve(3 * pmd_size);
	check_split(0);
	sweep(try_split, check_split);
}

static struct hpage_map_info info;

static int try_info(void)
{
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	return ioctl(dev, HPAGE_MAP_INFO, &info) ? -errno : 0;
}

static void check_info(int err)
{
	CHECK(err == 0 || err == -EFAULT || err == -ENOMEM);
	CHECK(err ? info.length == 0 : info.length == 4 * pmd_size);
}

static void asking_may_fail_at_every_step(void)
{
	prepare(false);
	CHECK_EQ(load("nr_hpages=4"), 0);
	dev = dev_open(O_RDWR);
	sweep(try_info, check_info);
}

static int try_rw(void)
{
	static char b[64];

	if (pread(dev, b, sizeof(b), 100) != sizeof(b))
		return -errno;
	return pwrite(dev, b, sizeof(b), 200) == sizeof(b) ? 0 : -errno;
}

static void check_rw(int err)
{
	CHECK(err == 0 || err == -EFAULT || err == -ENOMEM);
}

static void copying_may_fail_at_every_step(void)
{
	prepare(false);
	CHECK_EQ(load("nr_hpages=4"), 0);
	dev = dev_open(O_RDWR);
	sweep(try_rw, check_rw);
}

/* The struct of any ioctl: as it is passed, and as it was given. */
static union {
	struct hpage_map_info info;
	struct hpage_map_alloc alloc;
	struct hpage_map_destroy destroy;
	struct hpage_map_nodes nodes;
	struct hpage_map_runs runs;
	struct hpage_map_export export;
	struct hpage_map_pin pin;
	struct hpage_map_dma_map dma_map;
	struct hpage_map_forecast forecast;
} passed, given;

static unsigned long cmd;
static char text[TEXT];

static int try_ioctl(void)
{
	passed = given;
	return ioctl(dev, cmd, &passed) ? -errno : 0;
}

/* What user memory does not take is EFAULT; what fails has done nothing. */
static void check_ioctl(int err)
{
	if (err != -EFAULT)
		must_be_enomem(err);
	CHECK(!err || memcmp(&passed, &given, sizeof(passed)) == 0);
	CHECK(err || memcmp(&passed, &given, 4) == 0);
}

static void check_made(int err)
{
	bool named = cmd == HPAGE_MAP_CREATE;

	check_ioctl(err);
	CHECK_EQ(nr_buffers(), !err);
	if (named)
		CHECK_EQ(access(NODES "fault", F_OK), err ? -1 : 0);
	if (!err)
		CHECK_EQ(close(passed.alloc.fd), 0);
	if (!err && named)
		CHECK_EQ(destroy("fault"), 0);
	CHECK_EQ(nr_buffers(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
}

/* Prepared as for modules: how the kernel gets at the struct is not ours to test. */
static void sweep_making(unsigned long with, uint64_t pages, struct hpage_map_alloc wanted)
{
	prepare(true);
	CHECK_EQ(set_pool(pmd_size, "nr", pages), 0);
	CHECK_EQ(load(""), 0);
	dev = dev_open(HPAGE_MAP_O_DOOR);
	cmd = with;
	given.alloc = wanted;
	given.alloc.text = (uintptr_t)text;
	given.alloc.text_size = sizeof(text);
	if (cmd == HPAGE_MAP_CREATE)
		strcpy(given.alloc.name, "fault");
	sweep(try_ioctl, check_made);
}

static void allocating_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 2, request(2 * pmd_size, pmd_size, 0));
}

static void allocating_thp_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 0, request(pmd_size, 0, HPAGE_MAP_ALLOW_BASE));
}

static void allocating_base_pages_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 0, request(3, base_page, HPAGE_MAP_EXACT));
}

/* What others do for the call, the workers that choose pages, is not made to fail. */
static void allocating_chosen_pages_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 8, request(2 * pmd_size, pmd_size,
						 HPAGE_MAP_EXACT | HPAGE_MAP_CONTIGUOUS));
}

static void allocating_claimed_memory_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 0, request(2 * pmd_size, pmd_size, HPAGE_MAP_CONTIGUOUS));
}

static void allocating_on_a_node_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_ALLOC, 0, wish_on(request(pmd_size, pmd_size, 0),
						 HPAGE_MAP_POLICY_STRICT, 1));
}

static void allocating_for_a_user_may_fail_at_every_step(void)
{
	drop_capability(CAP_IPC_LOCK);
	sweep_making(HPAGE_MAP_ALLOC, 2, request(2 * pmd_size, pmd_size, 0));
}

#define RESERVE	"/sys/class/hpage_map_reserve/thp-2048kB-node0/"

/* Pages that are ready may fail to be had, and new ones are made instead. */
static void check_lent_by_the_reserve(int err)
{
	check_ioctl(err);
	CHECK_EQ(nr_buffers(), !err);
	if (!err)
		CHECK_EQ(close(passed.alloc.fd), 0);
	CHECK_EQ(nr_buffers(), 0);
	CHECK_COMES(read_u64(RESERVE "ready") == 2);
}

static void borrowing_may_fail_at_every_step(void)
{
	prepare(true);
	CHECK_EQ(load(""), 0);
	CHECK_EQ(write_text(RESERVE "pages", "2"), 0);
	CHECK_COMES(read_u64(RESERVE "ready") == 2);
	dev = dev_open(HPAGE_MAP_O_DOOR);
	cmd = HPAGE_MAP_ALLOC;
	given.alloc = wish_on(request(pmd_size, pmd_size, HPAGE_MAP_RESERVE),
			      HPAGE_MAP_POLICY_PREFERRED, 0);
	given.alloc.text = (uintptr_t)text;
	given.alloc.text_size = sizeof(text);
	sweep(try_ioctl, check_lent_by_the_reserve);
}

static void creating_may_fail_at_every_step(void)
{
	sweep_making(HPAGE_MAP_CREATE, 1, request(pmd_size, pmd_size, 0));
}

/* It is gone or it is not, in /dev, in sysfs and in the list alike. */
static void check_destroyed(int err)
{
	check_ioctl(err);
	CHECK_EQ(nr_buffers(), !!err);
	CHECK_EQ(access(NODES "fault", F_OK), err ? 0 : -1);
	CHECK_EQ(access("/sys/class/hpage_map/fault", F_OK), err ? 0 : -1);
	if (!err)
		close(create("fault", 1, base_page));
}

static void destroying_may_fail_at_every_step(void)
{
	prepare(true);
	CHECK_EQ(load(""), 0);
	dev = dev_open(HPAGE_MAP_O_DOOR);
	close(create("fault", 1, base_page));
	cmd = HPAGE_MAP_DESTROY;
	given.destroy = (struct hpage_map_destroy){ .size = sizeof(given.destroy),
						   .name = "fault" };
	sweep(try_ioctl, check_destroyed);
	CHECK_EQ(destroy("fault"), 0);
}

/* What makes nothing, of a buffer that is there. */
static void sweep_asking(unsigned long with)
{
	prepare(false);
	CHECK_EQ(load("nr_hpages=2"), 0);
	dev = dev_open(O_RDWR);
	cmd = with;
	sweep(try_ioctl, check_ioctl);
}

static void listing_may_fail_at_every_step(void)
{
	given.info = (struct hpage_map_info){ .size = sizeof(given.info) };
	sweep_asking(HPAGE_MAP_LIST);
	CHECK_STREQ(passed.info.name, "default");
}

static void counting_nodes_may_fail_at_every_step(void)
{
	static __u64 pages[4];

	given.nodes = (struct hpage_map_nodes){ .size = sizeof(given.nodes),
					       .pages = (uintptr_t)pages, .nr = 4 };
	sweep_asking(HPAGE_MAP_NODES);
	CHECK_EQ(pages[0] + pages[1], 2);
}

static void telling_runs_may_fail_at_every_step(void)
{
	static struct hpage_map_run runs[2];

	given.runs = (struct hpage_map_runs){ .size = sizeof(given.runs),
					     .runs = (uintptr_t)runs, .nr = 2 };
	sweep_asking(HPAGE_MAP_RUNS);
	CHECK_GE(passed.runs.nr, 1);
	CHECK(runs[0].address);
}

static void forecasting_may_fail_at_every_step(void)
{
	given.forecast = (struct hpage_map_forecast){ .size = sizeof(given.forecast), .node = 1 };
	sweep_asking(HPAGE_MAP_FORECAST);
	CHECK_GE(passed.forecast.length, pmd_size);
}

/* The holders of a kind that the call makes, beside the descriptor. */
static const char *holders;

static void check_lent(int err)
{
	check_ioctl(err);
	CHECK_EQ(class_u64(holders), !err);
	if (!err)
		CHECK_EQ(close(cmd == HPAGE_MAP_EXPORT ? passed.export.fd : passed.dma_map.fd), 0);
	CHECK_EQ(class_u64(holders), 0);
}

static void sweep_lending(unsigned long with, const char *kind)
{
	prepare(false);
	/* The kernel's own check of the DMA API ends for good when it finds no memory. */
	spare("add_dma_entry");
	CHECK_EQ(load("nr_hpages=2"), 0);
	dev = dev_open(O_RDWR);
	cmd = with;
	holders = kind;
	sweep(try_ioctl, check_lent);
}

static void exporting_may_fail_at_every_step(void)
{
	given.export = (struct hpage_map_export){ .size = sizeof(given.export) };
	sweep_lending(HPAGE_MAP_EXPORT, "exports");
}

static void mapping_for_a_device_may_fail_at_every_step(void)
{
	glob_t g;

	CHECK_EQ(glob("/sys/bus/pci/drivers/virtio-pci/0*", 0, NULL, &g), 0);
	given.dma_map = (struct hpage_map_dma_map){
		.size = sizeof(given.dma_map),
		.flags = HPAGE_MAP_DMA_TO_DEVICE | HPAGE_MAP_DMA_FROM_DEVICE,
	};
	strcpy(given.dma_map.device, strrchr(g.gl_pathv[0], '/') + 1);
	sweep_lending(HPAGE_MAP_DMA_MAP, "devices");
}

static void check_pinned(int err)
{
	check_ioctl(err);
	CHECK_EQ(nr_buffers(), !err);
	if (!err)
		CHECK_EQ(close(passed.pin.fd), 0);
	CHECK_EQ(nr_buffers(), 0);
	CHECK(filled(mapped, pmd_size, 3));
}

static void pinning_may_fail_at_every_step(void)
{
	prepare(true);
	CHECK_EQ(load(""), 0);
	dev = dev_open(HPAGE_MAP_O_DOOR);
	mapped = map(-1, pmd_size, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	fill(mapped, pmd_size, 3);
	cmd = HPAGE_MAP_PIN;
	given.pin = (struct hpage_map_pin){
		.size = sizeof(given.pin),
		.address = (uintptr_t)mapped,
		.length = pmd_size,
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	sweep(try_ioctl, check_pinned);
}

struct body {
	void (*fn)(void);
};

static void in_child(void *arg)
{
	((struct body *)arg)->fn();
}

/* What it holds goes with the process; then the module must go too. */
static void then_unload(void (*fn)(void))
{
	struct body b = { fn };

	CHECK_EXITS(spawn(in_child, &b));
	CHECK_COUNT("mappings", 0);
	CHECK_EQ(unload(), 0);
}

static void every_step_of_mmap_may_fail(void)
{
	then_unload(mapping_may_fail_at_every_step);
}

static void every_step_of_fork_may_fail(void)
{
	then_unload(forking_may_fail_at_every_step);
}

static void every_step_of_a_split_may_fail(void)
{
	then_unload(splitting_may_fail_at_every_step);
}

static void every_step_of_info_may_fail(void)
{
	then_unload(asking_may_fail_at_every_step);
}

static void every_step_of_read_and_write_may_fail(void)
{
	then_unload(copying_may_fail_at_every_step);
}

static void every_step_of_alloc_may_fail(void)
{
	then_unload(allocating_may_fail_at_every_step);
}

static void every_step_of_alloc_of_thp_may_fail(void)
{
	then_unload(allocating_thp_may_fail_at_every_step);
}

static void every_step_of_alloc_of_base_pages_may_fail(void)
{
	then_unload(allocating_base_pages_may_fail_at_every_step);
}

static void every_step_of_alloc_of_chosen_pages_may_fail(void)
{
	then_unload(allocating_chosen_pages_may_fail_at_every_step);
}

static void every_step_of_alloc_of_claimed_memory_may_fail(void)
{
	then_unload(allocating_claimed_memory_may_fail_at_every_step);
}

static void every_step_of_alloc_on_a_node_may_fail(void)
{
	then_unload(allocating_on_a_node_may_fail_at_every_step);
}

static void every_step_of_alloc_for_a_user_may_fail(void)
{
	then_unload(allocating_for_a_user_may_fail_at_every_step);
}

static void every_step_of_alloc_from_the_reserve_may_fail(void)
{
	then_unload(borrowing_may_fail_at_every_step);
}

static void every_step_of_forecast_may_fail(void)
{
	then_unload(forecasting_may_fail_at_every_step);
}

static void every_step_of_create_may_fail(void)
{
	then_unload(creating_may_fail_at_every_step);
}

static void every_step_of_destroy_may_fail(void)
{
	then_unload(destroying_may_fail_at_every_step);
}

static void every_step_of_list_may_fail(void)
{
	then_unload(listing_may_fail_at_every_step);
}

static void every_step_of_nodes_may_fail(void)
{
	then_unload(counting_nodes_may_fail_at_every_step);
}

static void every_step_of_runs_may_fail(void)
{
	then_unload(telling_runs_may_fail_at_every_step);
}

static void every_step_of_export_may_fail(void)
{
	then_unload(exporting_may_fail_at_every_step);
}

static void every_step_of_dma_map_may_fail(void)
{
	then_unload(mapping_for_a_device_may_fail_at_every_step);
}

static void every_step_of_pin_may_fail(void)
{
	then_unload(pinning_may_fail_at_every_step);
}

static const struct test tests[] = {
	TEST(every_step_of_load_may_fail, ON_NONE),
	TEST(every_step_of_a_load_with_a_buffer_may_fail, ON_NONE),
	TEST(every_step_of_the_first_open_may_fail, ON_NONE),
	TEST(every_step_of_mmap_may_fail, ON_NONE),
	TEST(every_step_of_fork_may_fail, ON_NONE),
	TEST(every_step_of_a_split_may_fail, ON_NONE),
	TEST(every_step_of_info_may_fail, ON_NONE),
	TEST(every_step_of_read_and_write_may_fail, ON_NONE),
	TEST(every_step_of_alloc_may_fail, ON_NONE),
	TEST(every_step_of_alloc_of_thp_may_fail, ON_NONE),
	TEST(every_step_of_alloc_of_base_pages_may_fail, ON_NONE),
	TEST(every_step_of_alloc_of_chosen_pages_may_fail, ON_NONE),
	TEST(every_step_of_alloc_of_claimed_memory_may_fail, ON_NONE),
	TEST(every_step_of_alloc_on_a_node_may_fail, ON_NONE),
	TEST(every_step_of_alloc_for_a_user_may_fail, ON_NONE),
	TEST(every_step_of_alloc_from_the_reserve_may_fail, ON_NONE),
	TEST(every_step_of_forecast_may_fail, ON_NONE),
	TEST(every_step_of_create_may_fail, ON_NONE),
	TEST(every_step_of_destroy_may_fail, ON_NONE),
	TEST(every_step_of_list_may_fail, ON_NONE),
	TEST(every_step_of_nodes_may_fail, ON_NONE),
	TEST(every_step_of_runs_may_fail, ON_NONE),
	TEST(every_step_of_export_may_fail, ON_NONE),
	TEST(every_step_of_dma_map_may_fail, ON_NONE),
	TEST(every_step_of_pin_may_fail, ON_NONE),
};

/*
 * The kernel writes to this area when it has preempted the task, and ends the task if that fails.
 * After a fork the write needs a page, which may be the one that fails. Children inherit this.
 */
static void without_restartable_sequences(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	/* So old a kernel has none, or the C library did not ask for it. */
	if (!__rseq_size)
		return;
	if (syscall(SYS_rseq, area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER, RSEQ_SIG)) {
		perror("rseq");
		exit(1);
	}
}

int main(void)
{
	without_restartable_sequences();
	return RUN_TESTS(tests);
}
