// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that an input is made of: the table at the end, and a function for each row.
 *
 * What a process of an input opens and maps is kept in two tables, of which each forgets the oldest
 * when it is full. Lengths are small, so that zeroing takes no time, but for some that nobody has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/hpage_map.h>
#include <linux/mempolicy.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

#define DEV		"/dev/hpage_map"
#define RESERVE		"/sys/class/hpage_map_reserve/"
#define PARAMETERS	"/sys/module/hpage_map/parameters/"
#define SHMEM_HUGE	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

#define K		1024ULL
#define M		(1024 * K)
#define ARENA		(64 * M)	/* where MAP_FIXED maps */
#define OBJECTS		16

/* Newer than the C library of some. */
#define DONTNEED_LOCKED	24
#define COLLAPSE	25

#define LENGTH(array)	(sizeof(array) / sizeof(*(array)))
#define PICK(array, a)	((array)[(a) % LENGTH(array)])

static int fds[OBJECTS];
static struct mapping {
	char *at;
	size_t len;
} maps[OBJECTS];
static unsigned int nr_fds, nr_maps;
static char *arena;
static char text[HPAGE_MAP_TEXT_SIZE], scratch[64 * K] __attribute__((aligned(4096)));
static struct hpage_map_run runs[64];

int *machine_is_changed;

static long fail(int err)
{
	errno = err;
	return -1;
}

static long fd_keep(int fd)
{
	if (fd < 0)
		return -1;
	if (nr_fds >= OBJECTS)
		close(fds[nr_fds % OBJECTS]);
	fds[nr_fds++ % OBJECTS] = fd;
	return fd;
}

static int fd_of(uint8_t a)
{
	unsigned int nr = nr_fds < OBJECTS ? nr_fds : OBJECTS;

	return nr && a < 255 ? fds[(nr_fds - 1 - a % nr) % OBJECTS] : -1;
}

/* The first descriptor of an input is the door, until that is forgotten. */
static int door_of(uint8_t a)
{
	return a ? fd_of(a - 1) : fds[0];
}

static long map_keep(void *at, size_t len)
{
	if (at == MAP_FAILED)
		return -1;
	maps[nr_maps++ % OBJECTS] = (struct mapping){ at, len };
	return 0;
}

static struct mapping *map_of(uint8_t a)
{
	unsigned int nr = nr_maps < OBJECTS ? nr_maps : OBJECTS;

	return &maps[(nr_maps - 1 - a % nr) % OBJECTS];
}

/* Bytes: of a length, an offset or an address. */
static uint64_t bytes_of(uint8_t a)
{
	static const uint64_t bytes[] = {
		2 * M, 4 * M, 0, 4 * K, 6 * M, 1, 4 * K - 1, 4 * K + 1, 8 * K, 64 * K, 1 * M,
		2 * M - 4 * K, 2 * M + 4 * K, 3 * M, 8 * M, 4 * M - 1, 32 * M, 1ULL << 40,
		~0ULL, ~0ULL << 12, 1ULL << 63, 1ULL << 31, 1ULL << 32, 4 * M + 4 * K,
	};

	return PICK(bytes, a);
}

/* A part of a mapping, which may go beyond it. */
static char *part_of(uint8_t a, uint8_t offset)
{
	return map_of(a)->at + bytes_of(offset + 2);
}

static const char * const names[] = {
	"n0", "n1", "n2", "n3", "", "hpage_map", "a/b", "..", "-x", "\xff\n",
	"n0123456789012345678901234567890123456789012345678901234567890", "default",
};

static const char *name_of(uint8_t a)
{
	return PICK(names, a);
}

static const char *device_of(uint8_t a)
{
	static const char * const devices[] = {
		"0000:00:02.0", "0000:21:00.0", "0000:00:03.0", "0000:00:1f.2", "serial8250",
		"0000:00:00.0", "nobody", "", "../x", "0000:00:04.0", "reg-dummy",
	};

	return PICK(devices, a);
}

/* Structs longer than the kernel knows, too short, and with an address that nobody has. */
static long ioctl_sized(int fd, unsigned long cmd, const void *arg, size_t size, uint8_t how)
{
	static const int more[] = { 0, 8, -8, 2000, 5000, -4, -200 };
	char room[8 * K] = "";
	uint32_t told = size + PICK(more, how / 4);
	long ret;

	memcpy(room, arg, size);
	memcpy(room, &told, sizeof(told));
	if (how / 4 == 1)
		room[size + 4] = how & 1;
	if (how == 3)
		return ioctl(fd, cmd, PROT_NONE);
	ret = ioctl(fd, cmd, room);
	memcpy((void *)arg, room, size);
	return ret;
}

#define SIZED(fd, cmd, arg, how)	ioctl_sized(fd, cmd, &(arg), sizeof(arg), how)

/* --- the module's ioctls */

static long call_open(const uint8_t *a)
{
	static const int flags[] = {
		O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY, O_WRONLY, 3, O_PATH, O_RDONLY | O_NONBLOCK,
		O_RDWR | O_TRUNC | O_APPEND, O_RDWR | O_DIRECT | O_SYNC, O_RDWR | O_CREAT, 7,
	};
	char path[128];

	snprintf(path, sizeof(path), a[1] ? "/dev/hpage/%s" : DEV, name_of(a[1] - 1));
	return fd_keep(open(path, PICK(flags, a[0]) | O_CLOEXEC, 0600));
}

/* door, flags, length, page size, policy and node, how odd */
static struct hpage_map_alloc request(const uint8_t *a)
{
	static const uint64_t page_sizes[] = { 0, 4 * K, 2 * M, 64 * K, 1024 * M, 3, 1ULL << 63 };
	static const int nodes[] = { 0, 1, -1, 2, 1 << 20 };
	struct hpage_map_alloc r = {
		.flags = a[1] == 255 ? ~0U : a[1] % 32,
		.length = bytes_of(a[2]),
		.page_size = PICK(page_sizes, a[3]),
		.policy = a[4] % 8 < 4 ? a[4] % 4 : a[4] % 8 == 4 ? 0 : 5,
		.node = PICK(nodes, a[4] / 8),
		.text = (uintptr_t)text,
		.text_size = a[5] % 5 == 4 ? a[5] : sizeof(text),
	};

	if (a[5] >= 128)
		strcpy(r.near_device, device_of(a[5] - 128));
	else if (a[5] >= 64)
		strcpy(r.name, name_of(a[5] - 64));
	else if (a[5] >= 56)
		r.text = a[5] % 2 ? 0 : (uintptr_t)part_of(a[5], a[5]);
	return r;
}

static long call_alloc(const uint8_t *a)
{
	struct hpage_map_alloc r = request(a);
	long ret = SIZED(door_of(a[0]), HPAGE_MAP_ALLOC, r, a[5] < 56 ? a[5] : 0);

	return ret ? ret : fd_keep(r.fd);
}

/* as for alloc, but for a name and a mode in the place of oddities */
static long call_create(const uint8_t *a)
{
	static const uint32_t modes[] = { 0666, 0, 0400, 0200, 0777, 01000 };
	const uint8_t plain[MAX_ARGS] = { a[0], a[1], a[2], a[3], a[4] };
	struct hpage_map_alloc r = request(plain);
	long ret;

	strcpy(r.name, name_of(a[5]));
	r.mode = PICK(modes, a[5] / 4);
	r.uid = a[5] / 64 ? 65534 : 0;
	ret = SIZED(door_of(a[0]), HPAGE_MAP_CREATE, r, 0);
	return ret ? ret : fd_keep(r.fd);
}

static long call_destroy(const uint8_t *a)
{
	struct hpage_map_destroy d = {};

	strcpy(d.name, name_of(a[1]));
	return SIZED(door_of(a[0]), HPAGE_MAP_DESTROY, d, a[2]);
}

static long call_pin(const uint8_t *a)
{
	struct hpage_map_pin p = {
		.address = (uintptr_t)part_of(a[1], a[2]),
		.length = bytes_of(a[3]),
		.text = (uintptr_t)text,
		.text_size = sizeof(text),
	};
	long ret = SIZED(door_of(a[0]), HPAGE_MAP_PIN, p, a[4]);

	return ret ? ret : fd_keep(p.fd);
}

static long call_info(const uint8_t *a)
{
	struct hpage_map_info i = {};

	return SIZED(fd_of(a[0]), HPAGE_MAP_INFO, i, a[1]);
}

static long call_list(const uint8_t *a)
{
	struct hpage_map_info i = { .id = bytes_of(a[1] + 2) };
	long ret = -1;

	while (SIZED(door_of(a[0]), HPAGE_MAP_LIST, i, a[2]) == 0) {
		ret = 0;
		i.id++;
	}
	return ret;
}

static long call_nodes(const uint8_t *a)
{
	struct hpage_map_nodes n = { .pages = (uintptr_t)runs, .nr = a[1] };

	return SIZED(fd_of(a[0]), HPAGE_MAP_NODES, n, a[2]);
}

static long call_runs(const uint8_t *a)
{
	struct hpage_map_runs r = {
		.runs = a[1] == 255 ? (uintptr_t)part_of(a[2], 0) : (uintptr_t)runs,
		.nr = a[1] % (LENGTH(runs) + 1),
		.first = a[2] < 200 ? a[2] : bytes_of(a[2]),
	};

	return SIZED(fd_of(a[0]), HPAGE_MAP_RUNS, r, a[3]);
}

static long call_export(const uint8_t *a)
{
	struct hpage_map_export e = {
		.flags = a[1] % 3, .offset = bytes_of(a[2] + 2), .length = bytes_of(a[3] + 2),
	};
	long ret = SIZED(fd_of(a[0]), HPAGE_MAP_EXPORT, e, a[4]);

	return ret ? ret : fd_keep(e.fd);
}

static long call_dma_map(const uint8_t *a)
{
	struct hpage_map_dma_map d = { .flags = 3 - a[1] % 4 };
	long ret;

	strcpy(d.device, device_of(a[2]));
	ret = SIZED(fd_of(a[0]), HPAGE_MAP_DMA_MAP, d, a[3]);
	return ret ? ret : fd_keep(d.fd);
}

static long call_dma_sync(const uint8_t *a)
{
	struct hpage_map_dma_sync s = {
		.flags = 1 + a[1] % 3, .offset = bytes_of(a[2] + 2), .length = bytes_of(a[3]),
	};

	return SIZED(fd_of(a[0]), HPAGE_MAP_DMA_SYNC, s, a[4]);
}

static long call_forecast(const uint8_t *a)
{
	struct hpage_map_forecast f = {
		.flags = a[1] & 1 ? HPAGE_MAP_BELOW_4G : 0, .node = (int)(a[1] / 2) - a[1] / 128,
	};

	return SIZED(door_of(a[0]), HPAGE_MAP_FORECAST, f, a[2]);
}

/* Any number, and a struct that is zero but for one byte. */
static long call_raw(const uint8_t *a)
{
	static char any[5000];

	memset(any, 0, sizeof(any));
	any[a[3]] = a[4];
	return ioctl_sized(fd_of(a[0]), _IO(HPAGE_MAP_IOC_TYPE, 0x3f + a[1] % 16), any, a[2] * 4,
			   0);
}

static long call_dmabuf(const uint8_t *a)
{
	struct dma_buf_sync sync = { .flags = a[2] % 8 };
	struct dma_buf_export_sync_file export = { .flags = a[2] % 4 };
	long ret;

	switch (a[1] % 3) {
	case 0:
		return ioctl(fd_of(a[0]), DMA_BUF_IOCTL_SYNC, &sync);
	case 1:
		return ioctl(fd_of(a[0]), DMA_BUF_SET_NAME, "fuzz");
	}
	ret = ioctl(fd_of(a[0]), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &export);
	return ret ? ret : fd_keep(export.fd);
}

/* --- mappings */

/* descriptor, length, offset, protection, flags, address in the arena if 1 or more */
static long call_mmap(const uint8_t *a)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE, PROT_READ | PROT_EXEC,
	};
	static const int flags[] = {
		MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_POPULATE, MAP_PRIVATE | MAP_POPULATE,
		MAP_PRIVATE | MAP_NORESERVE, MAP_SHARED | MAP_LOCKED, MAP_PRIVATE | MAP_LOCKED,
		MAP_SHARED_VALIDATE | MAP_SYNC, MAP_SHARED | MAP_32BIT, MAP_SHARED | MAP_NONBLOCK,
	};
	static const int fixed[] = { MAP_FIXED, 0, MAP_FIXED_NOREPLACE };
	char *at = a[5] ? arena + bytes_of(a[5] / 3) % ARENA : NULL;
	size_t len = bytes_of(a[1]);

	return map_keep(mmap(at, len, PICK(prots, a[3]),
			     PICK(flags, a[4]) | (at ? PICK(fixed, a[5]) : 0), fd_of(a[0]),
			     bytes_of(a[2] + 2)), len);
}

static long call_anon(const uint8_t *a)
{
	static const int flags[] = {
		MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_HUGETLB, MAP_SHARED | MAP_HUGETLB,
		MAP_PRIVATE | MAP_POPULATE,
	};
	size_t len = bytes_of(a[0]) % ARENA;

	return map_keep(mmap(NULL, len, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | PICK(flags, a[1]), -1, 0), len);
}

static long call_memfd(const uint8_t *a)
{
	static const unsigned int flags[] = { 0, MFD_ALLOW_SEALING, MFD_HUGETLB };
	int fd = memfd_create("fuzz", PICK(flags, a[0]) | MFD_CLOEXEC);

	if (fd >= 0)
		ftruncate(fd, bytes_of(a[1]) % ARENA);
	return fd_keep(fd);
}

static long call_mremap(const uint8_t *a)
{
	static const int flags[] = {
		MREMAP_MAYMOVE, 0, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	};
	struct mapping *m = map_of(a[0]);
	size_t len = bytes_of(a[1]), old = a[2] ? bytes_of(a[2] + 1) : m->len;
	char *at = mremap(m->at, old, len, PICK(flags, a[3]), arena + bytes_of(a[4]) % ARENA);

	return map_keep(at, len);
}

static long call_madvise(const uint8_t *a)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DODUMP, MADV_DONTDUMP, MADV_REMOVE,
		MADV_WILLNEED, MADV_POPULATE_WRITE, MADV_POPULATE_READ, MADV_FREE, MADV_MERGEABLE,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD,
		MADV_PAGEOUT, MADV_UNMERGEABLE, DONTNEED_LOCKED, COLLAPSE,
	};

	return madvise(part_of(a[0], a[2]), bytes_of(a[3]), PICK(advice, a[1]));
}

static long call_mprotect(const uint8_t *a)
{
	return mprotect(part_of(a[0], a[2]), bytes_of(a[3]), a[1] % 8);
}

static long call_munmap(const uint8_t *a)
{
	return munmap(part_of(a[0], a[1]), a[2] ? bytes_of(a[2]) : map_of(a[0])->len);
}

static long call_mlock(const uint8_t *a)
{
	char *at = part_of(a[0], a[2]);
	size_t len = bytes_of(a[3]);

	switch (a[1] % 4) {
	case 0:
		return mlock(at, len);
	case 1:
		return munlock(at, len);
	case 2:
		return mlock2(at, len, MLOCK_ONFAULT);
	}
	return mlockall(MCL_CURRENT | MCL_ONFAULT);
}

static long call_msync(const uint8_t *a)
{
	return msync(part_of(a[0], a[2]), bytes_of(a[3]), a[1] % 8);
}

static long call_policy(const uint8_t *a)
{
	unsigned long nodes = a[2] % 4;

	switch (a[1] % 4) {
	case 0:
		return syscall(SYS_mbind, map_of(a[0])->at, map_of(a[0])->len, a[3] % 6, &nodes, 8,
			       MPOL_MF_MOVE);
	case 1:
		return syscall(SYS_set_mempolicy, a[3] % 6, nodes ? &nodes : NULL, 8);
	case 2:
		return syscall(SYS_migrate_pages, 0, 8, (unsigned long[]){ 3 }, &nodes);
	}
	return syscall(SYS_remap_file_pages, map_of(a[0])->at, bytes_of(a[2]), 0, a[3], 0);
}

static __thread sigjmp_buf touched_badly;
static __thread volatile sig_atomic_t touching;

static void touch_failed(int sig)
{
	if (touching)
		siglongjmp(touched_badly, sig);
	_exit(1);
}

static char *volatile touched;

/* One byte, or one of each base page, is read or written. */
static long touch(char *at, size_t len, unsigned int how)
{
	size_t i = 0;

	if (sigsetjmp(touched_badly, 1)) {
		touching = 0;
		return fail(EFAULT);
	}
	touching = 1;
	do {
		touched = at + i;
		if (how & 1)
			*(volatile char *)touched += 1;
		else
			(void)*(volatile char *)touched;
		i += 4 * K;
	} while (how & 2 && i < len && i < 8 * M);
	touching = 0;
	return 0;
}

static long call_touch(const uint8_t *a)
{
	return touch(part_of(a[0], a[2]), map_of(a[0])->len, a[1]);
}

/* --- reading and writing */

static long call_rw(const uint8_t *a)
{
	char *at = a[2] ? part_of(a[2] - 1, 0) : scratch;
	size_t len = a[2] ? bytes_of(a[3]) : bytes_of(a[3]) % sizeof(scratch);
	struct iovec iov[2] = { { scratch, 100 }, { at, len } };
	off_t offset = bytes_of(a[4] + 2);
	int fd = fd_of(a[0]);

	switch (a[1] % 6) {
	case 0:
		return read(fd, at, len);
	case 1:
		return write(fd, at, len);
	case 2:
		return pread(fd, at, len, offset);
	case 3:
		return pwrite(fd, at, len, offset);
	case 4:
		return preadv2(fd, iov, 2, offset, a[5] % 32);
	}
	return pwritev2(fd, iov, 2, offset, a[5] % 32);
}

static long call_seek(const uint8_t *a)
{
	return lseek(fd_of(a[0]), bytes_of(a[1] + 2), a[2] % 6);
}

static long call_pipe(const uint8_t *a)
{
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, bytes_of(a[0]) % (1 * M));
	fd_keep(ends[0]);
	return fd_keep(ends[1]);
}

/* From one descriptor to another; a pipe that was just made reads at 1 and writes at 0. */
static long call_splice(const uint8_t *a)
{
	struct iovec iov = { part_of(a[1], a[4]), bytes_of(a[3]) };
	loff_t offset = bytes_of(a[4] + 2);
	int from = fd_of(a[0]), to = fd_of(a[1]);
	size_t len = bytes_of(a[3]);

	switch (a[2] % 6) {
	case 0:
		return splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK);
	case 1:
		return splice(from, &offset, to, NULL, len, SPLICE_F_NONBLOCK);
	case 2:
		return splice(from, NULL, to, &offset, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	case 3:
		return sendfile(to, from, a[4] & 1 ? &offset : NULL, len);
	case 4:
		return vmsplice(from, &iov, 1, SPLICE_F_NONBLOCK | (a[5] % 16));
	}
	return copy_file_range(from, NULL, to, NULL, len, 0);
}

/* As a debugger does it: of mappings that nobody can pin, too. */
static long call_peek(const uint8_t *a)
{
	struct iovec own = { scratch, sizeof(scratch) };
	struct iovec far = { part_of(a[0], a[2]), bytes_of(a[3]) % sizeof(scratch) };
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	long ret = -1;

	switch (a[1] % 4) {
	case 0:
		ret = pread(fd, own.iov_base, far.iov_len, (uintptr_t)far.iov_base);
		break;
	case 1:
		ret = pwrite(fd, own.iov_base, far.iov_len, (uintptr_t)far.iov_base);
		break;
	case 2:
		ret = process_vm_readv(getpid(), &own, 1, &far, 1, 0);
		break;
	case 3:
		ret = process_vm_writev(getpid(), &own, 1, &far, 1, 0);
		break;
	}
	close(fd);
	return ret;
}

/* --- descriptors */

static long call_file(const uint8_t *a)
{
	int fd = fd_of(a[0]);
	struct stat st;

	switch (a[1] % 10) {
	case 0:
		return fstat(fd, &st);
	case 1:
		return ftruncate(fd, bytes_of(a[2]) % ARENA);
	case 2:
		return fallocate(fd, a[3] % 64, bytes_of(a[4] + 2), bytes_of(a[2]) % ARENA);
	case 3:
		return fcntl(fd, F_ADD_SEALS, a[2] % 64);
	case 4:
		return fcntl(fd, F_SETFL, a[2] & 1 ? O_NONBLOCK | O_APPEND : O_DIRECT);
	case 5:
		return fsync(fd);
	case 6:
		return fchmod(fd, 0777);
	case 7:
		return fcntl(fd, F_SETLEASE, a[2] % 3);
	case 8:
		return posix_fadvise(fd, 0, 0, a[2] % 6) ? fail(EINVAL) : 0;
	}
	return readahead(fd, bytes_of(a[2]), bytes_of(a[4]));
}

static long call_reopen(const uint8_t *a)
{
	static const int flags[] = { O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_NONBLOCK, 3, O_PATH };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd_of(a[0]));
	return fd_keep(open(path, PICK(flags, a[1]) | O_CLOEXEC));
}

static long call_dup(const uint8_t *a)
{
	return fd_keep(fcntl(fd_of(a[0]), F_DUPFD_CLOEXEC, 0));
}

static long call_close(const uint8_t *a)
{
	return close(fd_of(a[0]));
}

/* Send a descriptor through a socket, and receive it, or leave it there. */
static long call_pass(const uint8_t *a)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = {
		CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS
	} };
	struct iovec iov = { scratch, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int ends[2], fd = fd_of(a[0]);

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -1;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(ends[0], &msg, 0) == 1 && a[1] % 2 == 0 &&
	    recvmsg(ends[1], &msg, MSG_CMSG_CLOEXEC) == 1 && msg.msg_controllen) {
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
		fd_keep(fd);
	}
	fd_keep(ends[0]);
	return fd_keep(ends[1]);
}

/* Read what /proc and /sys tell of a descriptor, the mappings, or a buffer. */
static long call_look(const uint8_t *a)
{
	static const char * const files[] = {
		"/proc/self/fdinfo/%d", "/proc/self/maps", "/proc/self/smaps",
		"/proc/self/numa_maps",
		"/sys/class/hpage_map/hpage_map/mappings", "/sys/class/hpage_map/n0/runs",
		"/sys/class/hpage_map/n1/creator", RESERVE "hugetlb-2048kB-node0/why",
		RESERVE "thp-2048kB-node0/ready", PARAMETERS "user_hugetlb", "/proc/self/pagemap",
		"/sys/kernel/debug/dma_buf/bufinfo", "/proc/self/map_files/%d",
	};
	char path[128];
	long ret;
	int fd;

	snprintf(path, sizeof(path), PICK(files, a[0]), fd_of(a[1]));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = read(fd, scratch, sizeof(scratch));
	close(fd);
	return ret;
}

/* --- processes and the machine */

/* A child touches a mapping and ends, or stays; for some the parent waits. */
static long call_fork(const uint8_t *a)
{
	pid_t pid = fork();

	if (pid)
		return a[0] & 1 ? pid : waitpid(pid, NULL, 0);
	touch(map_of(a[1])->at, map_of(a[1])->len, a[2]);
	if (a[0] & 2)
		munmap(map_of(a[1])->at, map_of(a[1])->len);
	if (a[0] & 4 && a[0] & 1)
		usleep(100000);
	_exit(0);
}

static long call_rlimit(const uint8_t *a)
{
	static const int limits[] = { RLIMIT_MEMLOCK, RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_AS };
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	if (getrlimit(PICK(limits, a[0]), &r))
		return -1;
	r.rlim_cur = bytes_of(a[1]);
	if (r.rlim_cur > r.rlim_max)
		r.rlim_cur = r.rlim_max;
	return setrlimit(PICK(limits, a[0]), &r);
}

static long call_drop(const uint8_t *a)
{
	(void)a;
	return setresgid(65534, 65534, 65534) ? -1 : setresuid(65534, 65534, 65534);
}

static void alarm_ignored(int sig)
{
	(void)sig;
}

static long call_timer(const uint8_t *a)
{
	struct sigaction action = {
		.sa_handler = alarm_ignored, .sa_flags = a[1] & 1 ? SA_RESTART : 0,
	};
	struct itimerval when = { .it_value.tv_usec = 1 + 50 * a[0] };

	if (a[1] & 2)
		when.it_interval.tv_usec = 2000;
	sigaction(SIGALRM, &action, NULL);
	return setitimer(ITIMER_REAL, &when, NULL);
}

/* A child stops us some times, while other calls go on. */
static long call_stop(const uint8_t *a)
{
	pid_t us = getpid(), pid = fork();

	if (pid)
		return pid;
	/* Not getppid(), which would be the nurse when we have ended. */
	for (unsigned int i = 0; i <= a[0] % 4U; i++) {
		usleep(a[1] * 50);
		kill(us, SIGSTOP);
		usleep(500);
		kill(us, SIGCONT);
	}
	_exit(0);
}

static long write_file(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long ret = fd < 0 ? -1 : write(fd, word, strlen(word));

	close(fd);
	return ret;
}

static const char * const reserves[] = {
	RESERVE "hugetlb-2048kB-node0/pages", RESERVE "hugetlb-2048kB-node1/pages",
	RESERVE "thp-2048kB-node0/pages", RESERVE "thp-2048kB-node1/pages",
};

static long call_reserve(const uint8_t *a)
{
	static const char * const words[] = { "2", "0", "1", "3", "4", "x", "-1", "99999999" };

	*machine_is_changed = 1;
	return write_file(PICK(reserves, a[0]), PICK(words, a[1]));
}

static long call_parameter(const uint8_t *a)
{
	static const char * const words[] = { "2M", "0", "8M", "max", "x", "-1", "16E", "4k\n" };

	*machine_is_changed = 1;
	return write_file(a[0] & 1 ? PARAMETERS "user_reserve" : PARAMETERS "user_hugetlb",
			  PICK(words, a[1]));
}

static long call_machine(const uint8_t *a)
{
	static const char * const huge[] = { "never", "advise", "within_size", "always", "deny" };
	char word[16];

	snprintf(word, sizeof(word), "%u", a[1] % (POOL + 1));
	if (a[0] % 8 < 7)
		*machine_is_changed = 1;
	switch (a[0] % 8) {
	case 0:
		return write_file(HUGE "nr_hugepages", word);
	case 1:
		return write_file(HUGE "nr_overcommit_hugepages", word);
	case 2:
		return write_file(SHMEM_HUGE, PICK(huge, a[1]));
	case 3:
		return a[1] % 8 ? 0 : write_file("/proc/sys/vm/compact_memory", "1");
	}
	return write_file("/proc/sys/vm/drop_caches", "3");
}

void machine_restore(int door)
{
	char pages[8];

	for (unsigned int i = 0; i < LENGTH(names); i++) {
		struct hpage_map_destroy d = { .size = sizeof(d) };

		strcpy(d.name, name_of(i));
		ioctl(door, HPAGE_MAP_DESTROY, &d);
	}
	if (!*machine_is_changed)
		return;
	for (unsigned int i = 0; i < LENGTH(reserves); i++)
		write_file(reserves[i], "0");
	write_file(PARAMETERS "user_hugetlb", "max");
	write_file(PARAMETERS "user_reserve", "0");
	write_file(HUGE "nr_overcommit_hugepages", "0");
	write_file(SHMEM_HUGE, "never");
	snprintf(pages, sizeof(pages), "%u", POOL);
	write_file(HUGE "nr_hugepages", pages);
	*machine_is_changed = 0;
}

void objects_init(void)
{
	struct sigaction action = { .sa_handler = touch_failed };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	map_keep(arena, 4 * M);
	fd_keep(open(DEV, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

void objects_drop(void)
{
	for (unsigned int i = 0; i < OBJECTS && i < nr_fds; i++)
		close(fds[i]);
	for (unsigned int i = 0; i < OBJECTS && i < nr_maps; i++)
		if (maps[i].len < ARENA)
			munmap(maps[i].at, maps[i].len);
	munmap(arena, ARENA);
}

const struct call calls[] = {
	{ "open", 2, call_open },
	{ "alloc", 6, call_alloc },
	{ "create", 6, call_create },
	{ "destroy", 3, call_destroy },
	{ "pin", 5, call_pin },
	{ "info", 2, call_info },
	{ "list", 3, call_list },
	{ "nodes", 3, call_nodes },
	{ "runs", 4, call_runs },
	{ "export", 5, call_export },
	{ "dma_map", 4, call_dma_map },
	{ "dma_sync", 5, call_dma_sync },
	{ "forecast", 3, call_forecast },
	{ "raw", 5, call_raw },
	{ "dmabuf", 3, call_dmabuf },
	{ "mmap", 6, call_mmap },
	{ "anon", 2, call_anon },
	{ "memfd", 2, call_memfd },
	{ "mremap", 5, call_mremap },
	{ "madvise", 4, call_madvise },
	{ "mprotect", 4, call_mprotect },
	{ "munmap", 3, call_munmap },
	{ "mlock", 4, call_mlock },
	{ "msync", 4, call_msync },
	{ "policy", 4, call_policy },
	{ "touch", 3, call_touch },
	{ "rw", 6, call_rw },
	{ "seek", 3, call_seek },
	{ "pipe", 1, call_pipe },
	{ "splice", 6, call_splice },
	{ "peek", 4, call_peek },
	{ "file", 5, call_file },
	{ "reopen", 2, call_reopen },
	{ "dup", 1, call_dup },
	{ "close", 1, call_close },
	{ "pass", 2, call_pass },
	{ "look", 2, call_look },
	{ "fork", 3, call_fork },
	{ "rlimit", 2, call_rlimit },
	{ "drop", 0, call_drop },
	{ "timer", 2, call_timer },
	{ "stop", 2, call_stop },
	{ "reserve", 2, call_reserve },
	{ "parameter", 2, call_parameter },
	{ "machine", 2, call_machine },
};

const unsigned int nr_calls = LENGTH(calls);
