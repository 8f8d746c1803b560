// SPDX-License-Identifier: MIT
/*
 * What samples/capture/try needs besides the reader:
 *
 *	send ADDRESS PORT COUNT MAX	datagrams with known contents; prints them in hexadecimal
 *	flood ADDRESS PORT COUNT SIZE	datagrams as fast as it goes, each of one byte's value
 *	refuse DEVICE			all the ways to write to the ring
 *	hold DEVICE			map it, close it, and read it when told so on stdin
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hpage_map_capture.h"

/* --- traffic */

static int udp_socket(const char *address, const char *port, struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		err(2, "socket");
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	if (inet_pton(AF_INET, address, &to->sin_addr) != 1)
		errx(2, "%s is no IPv4 address", address);
	return fd;
}

static void send_one(int fd, const struct sockaddr_in *to, const void *bytes, size_t size)
{
	if (sendto(fd, bytes, size, 0, (const struct sockaddr *)to, sizeof(*to)) != (ssize_t)size)
		err(1, "sendto");
}

/* Lengths from a few bytes to @max, contents from the number. */
static int send_known(const char *address, const char *port, __u32 count, __u32 max)
{
	static unsigned char bytes[65536];
	struct sockaddr_in to;
	int fd = udp_socket(address, port, &to);
	__u32 i, j, size;

	for (i = 0; i < count; i++) {
		size = 20 + i * 7919 % (max - 19);
		for (j = 0; j < size; j++)
			bytes[j] = i * 31 + j * 7 + (j >> 8);
		send_one(fd, &to, bytes, size);
		for (j = 0; j < size; j++)
			printf("%02x", bytes[j]);
		printf("\n");
	}
	return 0;
}

static int flood(const char *address, const char *port, __u32 count, __u32 size)
{
	static unsigned char bytes[65536];
	struct sockaddr_in to;
	int fd = udp_socket(address, port, &to);

	while (count--) {
		memset(bytes, count, size);
		send_one(fd, &to, bytes, size);
	}
	return 0;
}

/* --- the ring */

static int failures;

static void refused(const char *what, long ret, int want)
{
	int got = ret == -1 ? errno : 0;
	bool ok = want ? got == want : got != 0;

	printf("%-52s %s\n", what, got ? strerrorname_np(got) : "DONE");
	if (!ok) {
		if (want)
			printf("  NOT AS PROMISED: that should be %s\n", strerrorname_np(want));
		failures++;
	}
}

static void *map(int fd, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, fd, 0);
}

/* The size that may be mapped: its header tells. */
static char *map_ring(int fd, size_t *size)
{
	const struct hpage_map_capture_ring *h;
	size_t step;
	char *ring;

	for (step = 4096; ; step *= 2) {
		h = map(fd, step, PROT_READ, MAP_SHARED);
		if (h != MAP_FAILED)
			break;
		if (errno != EINVAL)
			err(2, "mmap");
	}
	*size = (h->data_offset + h->data_size + step - 1) / step * step;
	ring = map(fd, *size, PROT_READ, MAP_SHARED);
	if (ring == MAP_FAILED)
		err(2, "mmap %zu", *size);
	munmap((void *)h, step);
	return ring;
}

static void through_proc(char *ring, size_t size, char *private_map)
{
	char byte = 'x', path[96];
	struct iovec from = { &byte, 1 }, to = { ring, 1 };
	int mem = open("/proc/self/mem", O_RDWR), again, zero = open("/dev/zero", O_RDONLY);

	refused("write /proc/self/mem", pwrite(mem, &byte, 1, (off_t)ring), EIO);
	refused("write /proc/self/mem, private mapping", pwrite(mem, &byte, 1, (off_t)private_map),
		EIO);
	refused("process_vm_writev()", process_vm_writev(getpid(), &from, 1, &to, 1, 0), EFAULT);
	refused("read() of another file into it", read(zero, ring, 1), EFAULT);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (long)ring,
		 (long)(ring + size));
	again = open(path, O_RDWR);
	refused("open the file behind the mapping for writing", again, 0);
	again = open(path, O_RDONLY);
	refused("open the file behind the mapping for reading", again, 0);
}

static int refuse(const char *device)
{
	int reader = open(device, O_RDONLY), both = open(device, O_RDWR);
	char *ring, *private_map;
	const int rw = PROT_READ | PROT_WRITE;
	size_t size;

	if (reader < 0 || both < 0)
		err(2, "%s", device);
	ring = map_ring(both, &size);
	private_map = map(reader, size, PROT_READ, MAP_PRIVATE);
	if (private_map == MAP_FAILED)
		err(2, "mmap private");

	refused("map shared and writable, opened O_RDONLY",
		(long)map(reader, size, rw, MAP_SHARED), EACCES);
	refused("map shared and writable, opened O_RDWR", (long)map(both, size, rw, MAP_SHARED),
		EPERM);
	refused("map private and writable", (long)map(both, size, rw, MAP_PRIVATE), EPERM);
	refused("map only writable", (long)map(both, size, PROT_WRITE, MAP_SHARED), EPERM);
	refused("map one page more than there is",
		(long)map(both, 2 * size, PROT_READ, MAP_SHARED), EINVAL);
	refused("mprotect() to writable", mprotect(ring, size, rw), EACCES);
	refused("mprotect() to writable, private", mprotect(private_map, size, rw), EACCES);
	refused("mremap() to more", (long)mremap(ring, size, 2 * size, MREMAP_MAYMOVE), 0);
	refused("madvise(MADV_REMOVE)", madvise(ring, size, MADV_REMOVE), 0);
	refused("madvise(MADV_POPULATE_WRITE)", madvise(ring, size, MADV_POPULATE_WRITE), EINVAL);
	refused("write() to the node", write(both, "x", 1), EINVAL);
	refused("ftruncate() of the node", ftruncate(both, 0), EINVAL);
	through_proc(ring, size, private_map);
	return failures != 0;
}

static int hold(const char *device)
{
	const struct hpage_map_capture_ring *h;
	int fd = open(device, O_RDONLY);
	size_t size, i;
	char *ring, line[16];
	unsigned int sum = 0;

	if (fd < 0)
		err(2, "%s", device);
	ring = map_ring(fd, &size);
	close(fd);
	printf("mapped\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 2;
	h = (const void *)ring;
	for (i = 0; i < size; i++)
		sum += (unsigned char)ring[i];
	printf("%zu bytes read, magic %s, packets %llu, ended %llu\n", size,
	       h->magic == HPAGE_MAP_CAPTURE_MAGIC && sum ? "there" : "MISSING",
	       h->packets, h->ended);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_known(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	if (argc == 6 && !strcmp(argv[1], "flood"))
		return flood(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	if (argc == 3 && !strcmp(argv[1], "refuse"))
		return refuse(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return hold(argv[2]);
	fprintf(stderr, "usage: see the top of capture_try.c\n");
	return 2;
}
