// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user holds beyond his buffers: pages that a pipe, io_uring, a pin, another program or
 * direct I/O still has when the buffer has gone. They count until they are back, and nobody waits
 * for them.
 */
#define _GNU_SOURCE
#include "lent.h"

#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <linux/loop.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL	16
#define LIMIT	4		/* pages that the user may have */
#define TRIES	(3 * LIMIT)

static const enum hpage_map_backing backings[] = {
	HPAGE_MAP_BACKING_HUGETLB, HPAGE_MAP_BACKING_THP, HPAGE_MAP_BACKING_BASE,
};

#define NR_BACKINGS	(sizeof(backings) / sizeof(*backings))

static void load_for(enum hpage_map_backing backing)
{
	CHECK(want_pool(backing == HPAGE_MAP_BACKING_HUGETLB ? POOL : 0));
	CHECK_EQ(load(""), 0);
}

static const char *reserve_file(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "/sys/class/hpage_map_reserve/hugetlb-%zukB-node0/%s",
		 pmd_size / 1024, name);
	return path;
}

static uint64_t reserve_ready(void)
{
	return read_u64(reserve_file("ready"));
}

static void set_reserve(uint64_t pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)pages);
	CHECK_EQ(write_text(reserve_file("pages"), text), 0);
	CHECK_COMES(reserve_ready() == pages);
}

/*
 * The reserve is that of node 0. If it finds no page there, because some linger, it tries again
 * after 10 seconds.
 */
static void pool_on_node_0(uint64_t pages)
{
	CHECK(want_pool(0));
	set_node_pool(0, pages);
}

/* --- what keeps a page ------------------------------------------------------ */

/* Each keeps the first page at p, and returns a descriptor whose closing lets it go. */
static int keep_in_pipe(char *p)
{
	struct iovec byte = { p, 1 };
	int ends[2];

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(vmsplice(ends[1], &byte, 1, 0), 1);
	close(ends[1]);
	return ends[0];
}

static int keep_by_pin(char *p)
{
	return try_pin(p, base_page, NULL);
}

static int keep_in_ring(char *p)
{
	struct iovec page = { p, base_page };
	struct io_uring ring;
	int fd;

	CHECK_EQ(io_uring_queue_init(1, &ring, 0), 0);
	errno = -io_uring_register_buffers(&ring, &page, 1);
	if (errno) {
		io_uring_queue_exit(&ring);
		return -1;
	}
	fd = dup(ring.ring_fd);
	io_uring_queue_exit(&ring);
	return fd;
}

static const struct route {
	const char *name;
	int (*keep)(char *p);
} routes[] = {
	{ "vmsplice", keep_in_pipe },
	{ "HPAGE_MAP_PIN", keep_by_pin },
	{ "io_uring", keep_in_ring },
};

static const struct source {
	const char *name;
	enum hpage_map_backing backing;
	uint32_t flags;
} sources[] = {
	{ "thp", HPAGE_MAP_BACKING_THP, 0 },
	{ "hugetlb", HPAGE_MAP_BACKING_HUGETLB, 0 },
	{ "reserve", HPAGE_MAP_BACKING_HUGETLB, HPAGE_MAP_RESERVE },
};

/* --- the limits hold --------------------------------------------------------- */

/* A page of that source and no other, or -1 when that is refused. */
static int take_page(const struct source *s)
{
	struct hpage_map_alloc a = wish_of(s->backing, 1, s->flags);
	int ret = try_alloc(&a);

	if (ret) {
		CHECK_EQ(ret, -EDQUOT);
		return -1;
	}
	if (a.got_backing == s->backing &&
	    !(s->flags && !(a.got_attributes & HPAGE_MAP_ATTR_RESERVE)))
		return a.fd;
	close(a.fd);
	return -1;
}

/* Take pages, each kept by the route when its buffer has gone. Returns how many. */
static int drain(const struct source *s, const struct route *r, int *kept)
{
	int nr = 0, fd, err;
	char *p;

	while (nr < TRIES && (fd = take_page(s)) >= 0) {
		p = map(fd, pmd_size, RW, MAP_SHARED, 0);
		*p = 1;
		kept[nr] = r->keep(p);
		err = errno;
		CHECK_EQ(munmap(p, pmd_size), 0);
		close(fd);
		errno = err;
		if (kept[nr] < 0)
			break;
		nr++;
	}
	return nr;
}

struct attack {
	const struct source *source;
	const struct route *route;
};

/* A reserve that refills has ordinary pages in its place. */
static void await_source(const struct source *s)
{
	if (s->flags)
		CHECK_COMES(reserve_ready() == LIMIT + 2);
}

static void attack(void *arg)
{
	const struct attack *a = arg;
	int kept[TRIES], nr;

	LABEL("%s of %s", a->route->name, a->source->name);
	become(NOBODY, LIMIT * pmd_size);
	await_source(a->source);
	nr = drain(a->source, a->route, kept);
	/* io_uring of 6.1 knows tmpfs by its vm_ops, and takes none of ours. */
	if (!nr && errno == EOPNOTSUPP && a->source->backing == HPAGE_MAP_BACKING_THP)
		return;
	CHECK_GE(nr, 1);
	CHECK_LE(nr, LIMIT + 1);
	while (nr--)
		close(kept[nr]);
	/* All is back, and counts no more. */
	CHECK_COMES(nr_buffers() == 0);
	await_source(a->source);
	nr = drain(a->source, &routes[0], kept);
	CHECK_GE(nr, LIMIT);
	while (nr--)
		close(kept[nr]);
	CHECK_COMES(nr_buffers() == 0);
}

static void what_others_keep_counts_until_it_is_back(void)
{
	char limits[96];

	snprintf(limits, sizeof(limits), "mode=0666 user_hugetlb=%zu user_reserve=%zu",
		 LIMIT * pmd_size, LIMIT * pmd_size);
	CHECK_EQ(load(limits), 0);
	for (size_t s = 0; s < sizeof(sources) / sizeof(*sources); s++) {
		pool_on_node_0(sources[s].backing == HPAGE_MAP_BACKING_HUGETLB ? POOL : 0);
		set_reserve(sources[s].flags ? LIMIT + 2 : 0);
		for (size_t r = 0; r < sizeof(routes) / sizeof(*routes); r++) {
			struct attack a = { &sources[s], &routes[r] };

			CHECK_EXITS(spawn(attack, &a));
		}
	}
	set_reserve(0);
	CHECK_COMES(pool_of(pmd_size, "free") == POOL);
	CHECK_EQ(unload(), 0);
}

/* --- pins --------------------------------------------------------------------- */

static void pin_parts(void *arg)
{
	char text[TEXT], *p = map(-1, (LIMIT + 1) * pmd_size, RW,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 0);
	int first, fds[LIMIT], again;

	(void)arg;
	become(NOBODY, LIMIT * pmd_size);
	for (int i = 0; i < LIMIT; i++)
		fds[i] = pin(p + i * pmd_size, base_page);
	CHECK_EQ(try_pin(p + LIMIT * pmd_size, base_page, text), -EDQUOT);
	CHECK(strstr(text, "RLIMIT_MEMLOCK"));

	/* More of what is held already costs nothing, and holds it as well. */
	first = pin(p + base_page, 3 * base_page);
	again = pin(p, pmd_size);
	close(fds[0]);
	CHECK_EQ(try_pin(p + LIMIT * pmd_size, base_page, text), -EDQUOT);
	close(first);
	close(again);
	close(pin(p + LIMIT * pmd_size, base_page));
}

/* Who pins 4 KiB of a huge page holds all of it. */
static void a_folio_counts_whole_and_once(void)
{
	CHECK(want_pool(POOL));
	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EXITS(spawn(pin_parts, NULL));
	CHECK_EQ(unload(), 0);
}

static void pin_in_pieces(void *arg)
{
	size_t step = 3 * base_page, len = 2 * pmd_size;
	char *p = map(-1, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, 0);
	int fds[64], nr = 0;

	(void)arg;
	become(NOBODY, 2 * pmd_size);
	for (size_t at = 0; at + step <= len && nr < 64; at += len / 64)
		fds[nr++] = pin(p + at, step);
	while (nr--)
		close(fds[nr]);
	close(pin(p, len));
}

/* The sum is that of the folios, in whatever order the pins come and go. */
static void pins_of_one_folio_add_up_to_it(void)
{
	CHECK(want_pool(POOL));
	CHECK_EQ(load("mode=0666"), 0);
	CHECK_EXITS(spawn(pin_in_pieces, NULL));
	CHECK_EQ(unload(), 0);
}

/* --- what is seen, and who waits ----------------------------------------------- */

/* A buffer of two pages that has gone, but for the one in a pipe, which is returned. */
static int leave_one_in_a_pipe(enum hpage_map_backing backing)
{
	size_t page = page_of(backing);
	int fd = alloc_on(backing, 2, 0), end;
	char *p = map(fd, 2 * page, RW, MAP_SHARED, 0);

	fill(p, 2 * page, 1);
	close(fd);
	end = keep_in_pipe(p + page);
	CHECK_EQ(munmap(p, 2 * page), 0);
	return end;
}

static void what_lingers_is_listed(void)
{
	struct hpage_map_info info;
	int end;

	CHECK(want_pool(POOL));
	CHECK_EQ(load(""), 0);
	end = leave_one_in_a_pipe(HPAGE_MAP_BACKING_HUGETLB);
	info = first_buffer();
	CHECK_EQ(info.lingering, 1);
	CHECK_EQ(info.descriptors + info.mappings + info.exports + info.drivers + info.devices, 0);
	CHECK_EQ(info.nr_pages, 2);
	/* The other one is free at once. */
	CHECK_EQ(pool_of(pmd_size, "free"), POOL - 1);
	close(end);
	CHECK_COMES(nr_buffers() == 0);
	CHECK_EQ(pool_of(pmd_size, "free"), POOL);
	CHECK_EQ(unload(), 0);
}

static void the_module_goes_before_what_lingers(void)
{
	char byte;
	int end;

	for (size_t i = 0; i < NR_BACKINGS; i++) {
		LABEL("backing %d", backings[i]);
		load_for(backings[i]);
		end = leave_one_in_a_pipe(backings[i]);
		CHECK_EQ(unload(), 0);
		/* The page is the pipe's alone, and has what it had. */
		CHECK_EQ(read(end, &byte, 1), 1);
		close(end);
		CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
	}
}

/* What is left of the page's users decides the answer, not the poison. */
static void poison(void *p)
{
	madvise(p, base_page, MADV_HWPOISON);
}

static void a_page_that_broke_does_not_linger(void)
{
	int fd, end;
	char *p;

	CHECK_EQ(load(""), 0);
	fd = alloc_on(HPAGE_MAP_BACKING_BASE, 2, 0);
	p = map(fd, 2 * base_page, RW, MAP_SHARED | MAP_POPULATE, 0);
	end = keep_in_pipe(p);
	wait_for(spawn(poison, p));
	CHECK_EQ(munmap(p, 2 * base_page), 0);
	close(fd);
	CHECK_EQ(nr_buffers(), 0);
	close(end);
	CHECK_EQ(unload(), 0);
}

/* --- other programs ------------------------------------------------------------- */

/* Memory of ours that is not there. Whoever copies from it or to it waits for supply(). */
static char *absent_page(int *uffd)
{
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	char *p = map(-1, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);

	area.range = (struct uffdio_range){ (uintptr_t)p, base_page };
	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	CHECK_GE(*uffd, 0);
	CHECK_EQ(ioctl(*uffd, UFFDIO_API, &api), 0);
	CHECK_EQ(ioctl(*uffd, UFFDIO_REGISTER, &area), 0);
	return p;
}

static void await_someone(int uffd)
{
	struct uffd_msg msg;

	CHECK_EQ(read(uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

/* It has the pattern of that seed. */
static void supply(int uffd, char *absent, uint64_t seed)
{
	char *from = aligned_alloc(base_page, base_page);
	struct uffdio_copy c = {
		.dst = (uintptr_t)absent, .src = (uintptr_t)from, .len = base_page,
	};

	CHECK(from);
	fill(from, base_page, seed);
	CHECK_EQ(ioctl(uffd, UFFDIO_COPY, &c), 0);
	free(from);
}

static int told[2];

struct mapping {
	char *p;
	size_t size;
};

static void unmap_when_told(void *arg)
{
	const struct mapping *m = arg;

	step_wait(told[0]);
	CHECK_EQ(munmap(m->p, m->size), 0);
}

/* One base page between a program and this one, in a thread. */
struct copying {
	pid_t pid;
	char *theirs, *own;
	bool write;
	ssize_t done;
};

static void *copy(void *arg)
{
	struct copying *c = arg;
	struct iovec own = { c->own, base_page }, theirs = { c->theirs, base_page };

	c->done = c->write ? process_vm_writev(c->pid, &own, 1, &theirs, 1, 0) :
			     process_vm_readv(c->pid, &own, 1, &theirs, 1, 0);
	return NULL;
}

/* The module goes while somebody writes, and after he has read. */
static void copy_and_unmap(enum hpage_map_backing backing, bool write)
{
	size_t page = page_of(backing);
	int fd = alloc_on(backing, 2, 0), uffd;
	struct mapping m = { map(fd, 2 * page, RW, MAP_SHARED, 0), 2 * page };
	struct copying c = { .own = absent_page(&uffd), .theirs = m.p + page, .write = write };
	pthread_t thread;

	fill(m.p, m.size, 1);
	fill(c.theirs, base_page, 2);
	close(fd);
	c.pid = spawn(unmap_when_told, &m);
	CHECK_EQ(munmap(m.p, m.size), 0);
	CHECK_EQ(pthread_create(&thread, NULL, copy, &c), 0);
	await_someone(uffd);

	step_done(told[1]);
	CHECK_EXITS(c.pid);
	CHECK_EQ(first_buffer().lingering, 1);
	CHECK_COUNT("mappings", 0);
	if (write)
		CHECK_EQ(unload(), 0);
	supply(uffd, c.own, 3);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(c.done, (ssize_t)base_page);
	if (!write) {
		CHECK(filled(c.own, base_page, 2));
		CHECK_COMES(nr_buffers() == 0);
		CHECK_EQ(unload(), 0);
	}
	CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
	CHECK_EQ(munmap(c.own, base_page), 0);
	close(uffd);
}

/* process_vm_readv() has their page in hand while it waits for ours. */
static void who_copies_from_another_program_keeps_the_page(void)
{
	CHECK_EQ(pipe(told), 0);
	for (size_t i = 0; i < 2 * NR_BACKINGS; i++) {
		LABEL("%s, backing %d", i % 2 ? "write" : "read", backings[i / 2]);
		load_for(backings[i / 2]);
		copy_and_unmap(backings[i / 2], i % 2);
	}
}

#define POKED	100	/* times */

/* As PTRACE_POKEDATA, which needs no other way than this. */
static void poke_for_ever(void *arg)
{
	char *p = arg, path[32];
	int mem;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
	mem = open(path, O_RDWR | O_CLOEXEC);
	CHECK_GE(mem, 0);
	for (;;)
		if (pwrite(mem, "x", 1, (uintptr_t)p) < 0)
			CHECK_EQ(errno, EIO);
}

static void be_poked(enum hpage_map_backing backing)
{
	size_t size = 2 * page_of(backing);
	char *place = reserve(size);
	pid_t poker = spawn(poke_for_ever, place);

	for (int i = 0; i < POKED; i++) {
		int fd = alloc_on(backing, 2, 0);

		map_at(place, fd, size, RW, MAP_SHARED, 0);
		close(fd);
		while (*(volatile char *)place != 'x')
			sched_yield();
		CHECK_EQ(mmap(place, size, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0),
			 place);
	}
	CHECK_EQ(kill(poker, SIGKILL), 0);
	CHECK_KILLED(poker, SIGKILL);
	CHECK_COMES(nr_buffers() == 0);
	CHECK_EQ(munmap(place, size), 0);
}

static void pokes_of_a_tracer_race_with_munmap(void)
{
	for (size_t i = 0; i < NR_BACKINGS; i++) {
		LABEL("backing %d", backings[i]);
		load_for(backings[i]);
		be_poked(backings[i]);
		CHECK_EQ(unload(), 0);
		CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
	}
}

/* Given back by a worker. */
#define LARGE	5000	/* base pages */

struct traced {
	struct mapping m;
	int fd;
	bool close_last;
};

static void give_back_traced(void *arg)
{
	const struct traced *t = arg;

	CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	raise(SIGSTOP);
	if (!t->close_last)
		close(t->fd);
	CHECK_EQ(munmap(t->m.p, t->m.size), 0);
	if (t->close_last)
		close(t->fd);
}

/* The next stop, by a signal or at one end of a system call, or false at the end. */
static bool next_stop(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK(WIFEXITED(status) || WIFSTOPPED(status));
	return WIFSTOPPED(status);
}

/* Wherever the task stands: either the module cannot go, or all pages are back when it has. */
static void stop_at_each_call(enum hpage_map_backing backing, size_t nr, bool close_last)
{
	unsigned int refused = 0;
	struct traced t = { .close_last = close_last };
	bool gone = false;
	pid_t pid;
	int ret;

	t.fd = alloc_on(backing, nr, 0);
	t.m.size = nr * page_of(backing);
	t.m.p = map(t.fd, t.m.size, RW, MAP_SHARED, 0);
	fill(t.m.p, t.m.size, 1);
	pid = spawn(give_back_traced, &t);
	CHECK_EQ(munmap(t.m.p, t.m.size), 0);
	close(t.fd);
	while (next_stop(pid)) {
		ret = gone ? 0 : unload();
		CHECK(ret == 0 || ret == -EWOULDBLOCK);
		gone = !ret;
		refused += !gone;
		if (gone)
			CHECK_EQ(pool_of(pmd_size, "free"), pool_of(pmd_size, "nr"));
		CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
	}
	/* At the signal, and when the first call begins, it has both. */
	CHECK_GE(refused, 2);
	CHECK(gone);
}

static void a_tracer_may_stop_who_gives_a_buffer_back(void)
{
	for (size_t i = 0; i < 2 * (NR_BACKINGS + 1); i++) {
		bool large = i / 2 == NR_BACKINGS;
		enum hpage_map_backing b = backings[large ? NR_BACKINGS - 1 : i / 2];

		LABEL("backing %d%s, %s last", b, large ? ", large" : "",
		      i % 2 ? "close" : "munmap");
		load_for(b);
		stop_at_each_call(b, large ? LARGE : 2, i % 2);
	}
}

/* --- a worker gives back ----------------------------------------------------------- */

#define VAST	(64UL << 20)	/* bytes, in base pages */

/* What files in memory have on this machine, in bytes. */
static uint64_t shmem_bytes(void)
{
	char text[8192], *line;

	read_text("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "\nShmem:");
	CHECK(line);
	return strtoull(line + strlen("\nShmem:"), NULL, 10) << 10;
}

/* Some are still to come when the module is told to go, and one is a pipe's. */
static void unloading_waits_for_a_worker_that_gives_pages_back(void)
{
	uint64_t before, out;
	unsigned int refused;
	int end, ret;
	char *p, byte;

	for (int i = 0; i < 4; i++) {
		CHECK_EQ(load(""), 0);
		before = shmem_bytes();
		ret = alloc_on(HPAGE_MAP_BACKING_BASE, VAST / base_page, 0);
		p = map(ret, VAST, RW, MAP_SHARED, 0);
		close(ret);
		CHECK_GE(shmem_bytes(), before + VAST / 8 * 7);
		p[VAST / 2] = 'x';
		end = keep_in_pipe(p + VAST / 2);
		CHECK_EQ(munmap(p, VAST), 0);

		out = shmem_bytes() - before;
		for (refused = 0; (ret = unload()) == -EWOULDBLOCK;)
			refused++;
		CHECK_EQ(ret, 0);
		printf("# %llu kB were still to come, %u times it was refused\n",
		       (unsigned long long)out >> 10, refused);
		CHECK_LE(shmem_bytes(), before + VAST / 8);
		CHECK_EQ(read(end, &byte, 1), 1);
		CHECK_EQ(byte, 'x');
		close(end);
	}
}

/* --- direct I/O ---------------------------------------------------------------------- */

#define FLIGHT	(64UL << 10)	/* bytes */
#define DISK	(1UL << 20)

/* A disk whose sectors are those of a file, until the last descriptor of it is closed. */
static int disk_of(int file)
{
	struct loop_config config = {
		.fd = file, .block_size = 512, .info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control, fd, nr;
	char path[32];

	run_command("modprobe -q loop");	/* or it is built in */
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	CHECK_GE(control, 0);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	CHECK_GE(nr, 0);
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	CHECK_GE(fd, 0);
	CHECK_EQ(ioctl(fd, LOOP_CONFIGURE, &config), 0);
	close(control);
	return fd;
}

/* Whoever writes to a file has it for himself, and this one is held up. */
struct writer {
	int file;
	char *absent;
	pthread_t thread;
};

static void *write_at_the_end(void *arg)
{
	const struct writer *w = arg;

	CHECK_EQ(pwrite(w->file, w->absent, 512, DISK - 512), 512);
	return NULL;
}

struct flight {
	const struct source *source;
	int disk, started[2], landed[2];
};

static aio_context_t take_off(int disk, const char *p)
{
	struct iocb write = {
		.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = disk,
		.aio_buf = (uintptr_t)p, .aio_nbytes = FLIGHT,
	}, *list = &write;
	aio_context_t context = 0;

	CHECK_EQ(syscall(SYS_io_setup, 1, &context), 0);
	CHECK_EQ(syscall(SYS_io_submit, context, 1, &list), 1);
	return context;
}

static void land(aio_context_t context)
{
	struct io_event event;

	CHECK_EQ(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
	CHECK_EQ(event.res, (long long)FLIGHT);
	CHECK_EQ(syscall(SYS_io_destroy, context), 0);
}

/* How many pages this user can have beside those that linger, which are so many. */
static int room_left(const struct source *s, unsigned int lingering)
{
	int kept[TRIES], nr, i;

	await_source(s);
	nr = drain(s, &routes[0], kept);
	for (i = 0; i < nr; i++)
		close(kept[i]);
	CHECK_COMES(nr_buffers() == lingering);
	return nr;
}

static void give_back_in_flight(void *arg)
{
	struct flight *f = arg;
	aio_context_t context;
	int fd, nr;
	char *p;

	become(NOBODY, LIMIT * pmd_size);
	fd = take_page(f->source);
	p = map(fd, pmd_size, RW, MAP_SHARED, 0);
	fill(p, FLIGHT, 5);
	context = take_off(f->disk, p);
	CHECK_EQ(munmap(p, pmd_size), 0);
	close(fd);
	CHECK_EQ(first_buffer().lingering, 1);
	nr = room_left(f->source, 1);
	CHECK_EQ(first_buffer().lingering, 1);
	step_done(f->started[1]);
	step_wait(f->landed[0]);
	land(context);
	CHECK_COMES(nr_buffers() == 0);
	CHECK_EQ(room_left(f->source, 0), nr + 1);
}

static void check_sectors(int file, bool written)
{
	char *own = malloc(FLIGHT);

	CHECK_EQ(pread(file, own, FLIGHT, 0), (ssize_t)FLIGHT);
	CHECK(written ? filled(own, FLIGHT, 5) : zeroed(own, FLIGHT));
	free(own);
}

static void fly_from(const struct source *s)
{
	struct flight f = { .source = s };
	struct writer w = { .file = memfd_create("disk", MFD_CLOEXEC) };
	int uffd;
	pid_t pid;

	CHECK_GE(w.file, 0);
	CHECK_EQ(ftruncate(w.file, DISK), 0);
	f.disk = disk_of(w.file);
	CHECK_EQ(pipe(f.started), 0);
	CHECK_EQ(pipe(f.landed), 0);
	w.absent = absent_page(&uffd);
	CHECK_EQ(pthread_create(&w.thread, NULL, write_at_the_end, &w), 0);
	await_someone(uffd);

	pid = spawn(give_back_in_flight, &f);
	step_wait(f.started[0]);
	check_sectors(w.file, false);
	supply(uffd, w.absent, 6);
	CHECK_EQ(pthread_join(w.thread, NULL), 0);
	step_done(f.landed[1]);
	CHECK_EXITS(pid);
	check_sectors(w.file, true);
	CHECK_EQ(munmap(w.absent, base_page), 0);
	close_range(uffd < w.file ? uffd : w.file, ~0U, 0);
}

/* O_DIRECT to a disk that is held up, and then ends, long after the buffer has. */
static void a_write_in_flight_counts_until_it_has_ended(void)
{
	char limits[96];

	snprintf(limits, sizeof(limits), "mode=0666 user_hugetlb=%zu user_reserve=%zu",
		 LIMIT * pmd_size, LIMIT * pmd_size);
	CHECK_EQ(load(limits), 0);
	for (size_t s = 0; s < sizeof(sources) / sizeof(*sources); s++) {
		LABEL("%s", sources[s].name);
		pool_on_node_0(sources[s].backing == HPAGE_MAP_BACKING_HUGETLB ? POOL : 0);
		set_reserve(sources[s].flags ? LIMIT + 2 : 0);
		fly_from(&sources[s]);
	}
	set_reserve(0);
	CHECK_COMES(pool_of(pmd_size, "free") == POOL);
	CHECK_EQ(unload(), 0);
}

/* --- many ------------------------------------------------------------------------ */

#define MANY	2000

/* The minor number of a new superblock's device. */
static unsigned int next_minor(void)
{
	char dir[] = "/tmp/hpm-minor-XXXXXX";
	struct stat st;

	CHECK(mkdtemp(dir));
	CHECK_EQ(mount("none", dir, "tmpfs", 0, NULL), 0);
	CHECK_EQ(stat(dir, &st), 0);
	CHECK_EQ(umount(dir), 0);
	CHECK_EQ(rmdir(dir), 0);
	return minor(st.st_dev);
}

static int many_steps[2][2];

static void take_many(void *arg)
{
	struct rlimit files = { MANY + 64, MANY + 64 };

	(void)arg;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	become(NOBODY, MANY * base_page);
	for (int i = 0; i < MANY; i++)
		alloc_on(HPAGE_MAP_BACKING_BASE, 1, 0);
	step_done(many_steps[0][1]);
	step_wait(many_steps[1][0]);
}

/* Each superblock takes a device number of the machine's, of which there are not many. */
static void many_buffers_need_no_mount_each(void)
{
	unsigned int before;
	pid_t pid;

	CHECK_EQ(load("mode=0666"), 0);
	before = next_minor();
	CHECK_EQ(pipe(many_steps[0]), 0);
	CHECK_EQ(pipe(many_steps[1]), 0);
	pid = spawn(take_many, NULL);
	step_wait(many_steps[0][0]);
	CHECK_EQ(nr_buffers(), MANY);
	CHECK_LE(next_minor(), before + 16);
	step_done(many_steps[1][1]);
	CHECK_EXITS(pid);
	CHECK_EQ(unload(), 0);
}

static const struct test tests[] = {
	TEST(what_others_keep_counts_until_it_is_back, ON_NONE),
	TEST(a_folio_counts_whole_and_once, ON_NONE),
	TEST(pins_of_one_folio_add_up_to_it, ON_NONE),
	TEST(what_lingers_is_listed, ON_NONE),
	TEST(the_module_goes_before_what_lingers, ON_NONE),
	TEST(a_page_that_broke_does_not_linger, ON_NONE | LOSES_PAGES),
	TEST(who_copies_from_another_program_keeps_the_page, ON_NONE),
	TEST(pokes_of_a_tracer_race_with_munmap, ON_NONE),
	TEST(a_tracer_may_stop_who_gives_a_buffer_back, ON_NONE),
	TEST(unloading_waits_for_a_worker_that_gives_pages_back, ON_NONE),
	TEST(a_write_in_flight_counts_until_it_has_ended, ON_NONE),
	TEST(many_buffers_need_no_mount_each, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
