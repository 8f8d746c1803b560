// SPDX-License-Identifier: MIT
/*
 * Write the packets that hpage_map_capture takes to a file for tcpdump and Wireshark.
 *
 * The ring is read as hpage_map_capture.h describes: copy a record, then see whether it was still
 * there. A reader that is too slow loses packets, and says how many: at the end, and in the file
 * with the first packet after the gap.
 *
 * The file is a pcapng file with time stamps in nanoseconds and the direction of each packet.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hpage_map_capture.h"

#define DEVICE "/dev/hpage_map_capture"

static const char usage[] =
	"usage: capture_read [-n] [-c COUNT] [-w FILE] [DEVICE]\n"
	"\n"
	"Writes packets from the ring of hpage_map_capture as pcapng, until the interface is gone\n"
	"or a signal (Ctrl-C) comes, and waits for more meanwhile.\n"
	"\n"
	"  -n        new packets only, not those that are in the ring already\n"
	"  -c COUNT  end after COUNT packets\n"
	"  -w FILE   write to FILE instead of standard output\n"
	"  DEVICE    default: " DEVICE "\n";

struct ring {
	int fd;
	const char *base;
	/* Copied once, and checked: what the driver wrote there never changes. */
	__u64 size, data_offset, data_size, block_size;
	__u32 snaplen, link_type;
	char interface[16];

	__u64 position;
	__u64 expected;		/* sequence number of the next packet */
	bool started;			/* expected is known: 0 for the first of all */
	__u64 lost, overruns;
};

struct packet {
	struct hpage_map_capture_record rec;
	__u64 lost;			/* packets missed before it */
	char *bytes;			/* room for snaplen */
};

/* Set by the handler of signals. */
static bool stop;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* --- the ring */

static const struct hpage_map_capture_ring *header(const struct ring *ring)
{
	return (const struct hpage_map_capture_ring *)ring->base;
}

static __u64 load(const __u64 *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void ring_open(struct ring *ring, const char *device)
{
	const struct hpage_map_capture_ring *h;
	long page = sysconf(_SC_PAGESIZE);
	__u64 step, offset, data;

	ring->fd = open(device, O_RDONLY | O_CLOEXEC);
	if (ring->fd < 0)
		err(1, "%s", device);

	/*
	 * A mapping is a multiple of the huge page size, which is not known yet. The header is in
	 * the first one; it tells how long all is.
	 */
	for (step = page; ; step *= 2) {
		h = mmap(NULL, step, PROT_READ, MAP_SHARED, ring->fd, 0);
		if (h != MAP_FAILED)
			break;
		if (errno != EINVAL || step > 1ULL << 40)
			err(1, "cannot map %s", device);
	}
	if (h->magic != HPAGE_MAP_CAPTURE_MAGIC)
		errx(1, "%s is no ring of packets", device);
	if (h->version != HPAGE_MAP_CAPTURE_VERSION)
		errx(1, "%s has version %u of the ring, not %u", device, h->version,
		     HPAGE_MAP_CAPTURE_VERSION);
	offset = h->data_offset;
	data = h->data_size;
	ring->block_size = h->block_size;
	ring->snaplen = h->snaplen;
	ring->link_type = h->link_type;
	memcpy(ring->interface, h->interface, sizeof(ring->interface));
	ring->interface[sizeof(ring->interface) - 1] = '\0';
	munmap((void *)h, step);

	if (!ring->block_size || ring->block_size & (ring->block_size - 1) || !data ||
	    data % ring->block_size || offset < sizeof(*h) || offset + data < data)
		errx(1, "%s has a header that makes no sense", device);
	ring->data_offset = offset;
	ring->data_size = data;
	ring->size = (offset + data + step - 1) / step * step;
	ring->base = mmap(NULL, ring->size, PROT_READ, MAP_SHARED, ring->fd, 0);
	if (ring->base == MAP_FAILED)
		err(1, "cannot map %llu bytes of %s", ring->size, device);
}

/* Was what stands at our position overwritten, or is it about to be? */
static bool overrun(const struct ring *ring)
{
	/* The record was loaded before oldest is. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load(&header(ring)->oldest) > ring->position;
}

/* Go on in the middle of what is there: at the oldest we would be overrun again at once. */
static void catch_up(struct ring *ring)
{
	__u64 produced = load(&header(ring)->produced);
	__u64 oldest = load(&header(ring)->oldest);

	ring->overruns++;
	ring->position = oldest;
	if (produced > oldest)
		ring->position += (produced - oldest) / 2 / ring->block_size * ring->block_size;
}

/*
 * Copy the record at our position into @packet; false if it was overrun. What was copied is only
 * believed after it has proved to be whole; before that it must merely not lead us out of the ring.
 */
static bool copy_record(struct ring *ring, struct packet *packet)
{
	__u64 offset = ring->position % ring->data_size;
	__u64 room = ring->block_size - offset % ring->block_size;
	const char *from = ring->base + ring->data_offset + offset;
	struct hpage_map_capture_record *rec = &packet->rec;
	bool sane;

	memset(rec, 0, sizeof(*rec));
	memcpy(rec, from, room < sizeof(*rec) ? room : sizeof(*rec));
	sane = rec->size <= room && rec->captured <= ring->snaplen &&
	       rec->size % HPAGE_MAP_CAPTURE_ALIGN == 0 &&
	       (__u64)rec->captured + sizeof(*rec) <= rec->size;
	if (rec->size && sane)
		memcpy(packet->bytes, from + sizeof(*rec), rec->captured);
	if (overrun(ring))
		return false;
	if (rec->size && !sane)
		errx(1, "the record at position %llu makes no sense", ring->position);
	ring->position += rec->size ? rec->size : room;
	return true;
}

/* The next packet; false if there is none now. */
static bool ring_next(struct ring *ring, struct packet *packet)
{
	for (;;) {
		if (overrun(ring))
			catch_up(ring);
		if (ring->position == load(&header(ring)->produced))
			return false;
		if (copy_record(ring, packet) && packet->rec.size)
			break;
	}
	packet->lost = ring->started ? packet->rec.sequence - ring->expected : 0;
	ring->lost += packet->lost;
	ring->expected = packet->rec.sequence + 1;
	ring->started = true;
	return true;
}

/*
 * Begin with the oldest packet, or behind the newest. The latter's sequence number must be known,
 * lest packets that are lost first of all go uncounted; its block is read up to there.
 */
static void ring_begin(struct ring *ring, struct packet *packet, bool new_only)
{
	const struct hpage_map_capture_ring *h = header(ring);
	__u64 produced = load(&h->produced);

	ring->position = load(&h->oldest);
	ring->started = !ring->position;
	if (!new_only || produced <= ring->position)
		return;
	ring->position = (produced - 1) / ring->block_size * ring->block_size;
	ring->started = false;
	while (ring->position < produced && ring_next(ring, packet))
		;
	ring->lost = 0;
	ring->overruns = 0;
}

/* Wait for packets or a signal; false when no packets will come any more. */
static bool ring_wait(struct ring *ring)
{
	struct pollfd fd = { .fd = ring->fd, .events = POLLIN };
	sigset_t ours, before;
	__u64 produced;
	int ready = 0;
	ssize_t n;

	/* From the look at it on, a signal comes in ppoll() or not at all. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &before);
	if (!stopped())
		ready = ppoll(&fd, 1, NULL, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ready < 0 && errno != EINTR)
		err(1, "poll");
	if (ready <= 0)
		return true;

	/* What it says does not matter, only that we were told: the ring is looked at anyway. */
	n = read(ring->fd, &produced, sizeof(produced));
	if (n < 0)
		err(1, "read");
	return n > 0;
}

/* --- the file: see the pcapng specification, draft-ietf-opsawg-pcapng */

enum {
	SECTION = 0x0a0d0d0a, INTERFACE = 1, STATISTICS = 5, PACKET = 6,
	OPT_END = 0, IF_NAME = 2, IF_TSRESOL = 9, EPB_FLAGS = 2, EPB_DROPCOUNT = 4,
	ISB_IFRECV = 4, ISB_IFDROP = 5,
	INBOUND = 1, OUTBOUND = 2,
};

struct out {
	FILE *file;
	const char *name;
};

static void put(struct out *out, const void *bytes, size_t size)
{
	static const char zero[4];

	fwrite(bytes, 1, size, out->file);
	fwrite(zero, 1, -size & 3, out->file);
}

static void put_u32(struct out *out, __u32 value)
{
	put(out, &value, sizeof(value));
}

static void put_u16s(struct out *out, __u16 first, __u16 second)
{
	const __u16 both[] = { first, second };

	put(out, both, sizeof(both));
}

static size_t option_size(size_t size)
{
	return 4 + ((size + 3) & ~3UL);
}

static void put_option(struct out *out, __u16 code, const void *value, __u16 size)
{
	put_u16s(out, code, size);
	put(out, value, size);
}

static void put_time(struct out *out, __u64 ns)
{
	put_u32(out, ns >> 32);
	put_u32(out, ns);
}

static void out_begin(struct out *out, const struct ring *ring)
{
	const __u8 nanoseconds = 9;
	const __u64 unknown = UINT64_MAX;
	size_t name = strlen(ring->interface);
	__u32 size = 28;

	put_u32(out, SECTION);
	put_u32(out, size);
	put_u32(out, 0x1a2b3c4d);
	put_u16s(out, 1, 0);
	put(out, &unknown, sizeof(unknown));
	put_u32(out, size);

	size = 20 + option_size(name) + option_size(1) + 4;
	put_u32(out, INTERFACE);
	put_u32(out, size);
	put_u16s(out, ring->link_type, 0);
	put_u32(out, ring->snaplen);
	put_option(out, IF_NAME, ring->interface, name);
	put_option(out, IF_TSRESOL, &nanoseconds, 1);
	put_u32(out, OPT_END);
	put_u32(out, size);
}

static void out_packet(struct out *out, const struct packet *packet)
{
	const struct hpage_map_capture_record *rec = &packet->rec;
	__u32 flags = rec->flags & HPAGE_MAP_CAPTURE_OUTGOING ? OUTBOUND : INBOUND;
	__u32 size = 32 + ((rec->captured + 3) & ~3U) + option_size(sizeof(flags)) + 4;

	if (packet->lost)
		size += option_size(sizeof(packet->lost));
	put_u32(out, PACKET);
	put_u32(out, size);
	put_u32(out, 0);
	put_time(out, rec->time_ns);
	put_u32(out, rec->captured);
	put_u32(out, rec->length);
	put(out, packet->bytes, rec->captured);
	put_option(out, EPB_FLAGS, &flags, sizeof(flags));
	if (packet->lost)
		put_option(out, EPB_DROPCOUNT, &packet->lost, sizeof(packet->lost));
	put_u32(out, OPT_END);
	put_u32(out, size);
}

static void out_end(struct out *out, __u64 received, __u64 lost, __u64 ns)
{
	__u32 size = 24 + 2 * option_size(sizeof(__u64)) + 4;

	put_u32(out, STATISTICS);
	put_u32(out, size);
	put_u32(out, 0);
	put_time(out, ns);
	put_option(out, ISB_IFRECV, &received, sizeof(received));
	put_option(out, ISB_IFDROP, &lost, sizeof(lost));
	put_u32(out, OPT_END);
	put_u32(out, size);
}

static void out_flush(struct out *out)
{
	if (fflush(out->file) || ferror(out->file))
		err(1, "%s", out->name);
}

/* --- the program */

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct out out = { .file = stdout, .name = "standard output" };
	__u64 packets = 0, count = UINT64_MAX;
	struct packet packet = { 0 };
	struct ring ring = { 0 };
	bool new_only = false;
	int c;

	while ((c = getopt(argc, argv, "nc:w:h")) != -1) {
		switch (c) {
		case 'n':
			new_only = true;
			break;
		case 'c':
			count = strtoull(optarg, NULL, 10);
			break;
		case 'w':
			out.name = optarg;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (argc - optind > 1 || !count) {
		fputs(usage, stderr);
		return 2;
	}

	ring_open(&ring, optind < argc ? argv[optind] : DEVICE);
	packet.bytes = malloc(ring.snaplen);
	if (!packet.bytes)
		err(1, "malloc");
	if (strcmp(out.name, "standard output") && strcmp(out.name, "-"))
		out.file = fopen(out.name, "we");
	if (!out.file)
		err(1, "%s", out.name);
	if (isatty(fileno(out.file)))
		errx(1, "a terminal cannot show packets; use -w FILE or | tcpdump -r -");

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ring_begin(&ring, &packet, new_only);
	out_begin(&out, &ring);
	while (packets < count && !stopped()) {
		if (ring_next(&ring, &packet)) {
			out_packet(&out, &packet);
			packets++;
			continue;
		}
		out_flush(&out);
		if (!ring_wait(&ring) &&
		    ring.position == load(&header(&ring)->produced))
			break;
	}
	out_end(&out, packets + ring.lost, ring.lost, packet.rec.time_ns);
	out_flush(&out);
	fprintf(stderr, "capture_read: %s: %llu packets, %llu lost in %llu overruns\n",
		ring.interface, packets, ring.lost,
		ring.overruns);
	return 0;
}
