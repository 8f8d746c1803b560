// SPDX-License-Identifier: GPL-2.0-only
/* The contract at the top of the uAPI header, line by line and for every ioctl. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NAME	"contract"

/* The struct of any ioctl, and more behind it than any kernel reads. */
union arg {
	__u32 size;
	struct hpage_map_info info;
	struct hpage_map_alloc alloc;
	struct hpage_map_destroy destroy;
	struct hpage_map_nodes nodes;
	struct hpage_map_runs runs;
	struct hpage_map_export export;
	struct hpage_map_pin pin;
	struct hpage_map_dma_map dma_map;
	struct hpage_map_dma_sync dma_sync;
	struct hpage_map_forecast forecast;
	unsigned char bytes[HPAGE_MAP_STRUCT_MAX + 64];
};

/*
 * One ioctl. prepare() makes a request that succeeds, and what it needs; undo()
 * takes back what the request did, if it was done, and what it needed. reserved
 * are the offsets of __u32 fields that must be 0, 0 after the last.
 */
struct contract {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t first;		/* size of the first published version, 0 if there is no other */
	void (*prepare)(union arg *a);
	void (*undo)(const union arg *a, bool done);
	__u32 flags;
	size_t reserved[5];
	int capability;		/* 0 for none; no ioctl needs number 0 */
	bool on_mapping;	/* for a descriptor that only root can get, not for the door */
	bool answers;		/* something is written into the struct */
};

/* Of the default buffer and of the door: nearly every ioctl is for it. */
static int door;
/* Of the buffer for a device, while a contract needs it. */
static int mapping;

static int fd_for(const struct contract *c)
{
	return c->on_mapping ? mapping : door;
}

static void no_undo(const union arg *a, bool done)
{
	(void)a;
	(void)done;
}

static void prepare_info(union arg *a)
{
	a->info = (struct hpage_map_info){ .size = sizeof(a->info) };
}

static void prepare_forecast(union arg *a)
{
	a->forecast = (struct hpage_map_forecast){ .size = sizeof(a->forecast) };
}

static void prepare_alloc(union arg *a)
{
	a->alloc = request(1, base_page, 0);
}

static void undo_alloc(const union arg *a, bool done)
{
	if (done)
		CHECK_EQ(close(a->alloc.fd), 0);
}

static void prepare_create(union arg *a)
{
	prepare_alloc(a);
	strcpy(a->alloc.name, NAME);
}

static void undo_create(const union arg *a, bool done)
{
	CHECK_EQ(access(NODES NAME, F_OK), done ? 0 : -1);
	undo_alloc(a, done);
	if (done)
		CHECK_EQ(destroy(NAME), 0);
}

static void prepare_destroy(union arg *a)
{
	a->destroy = (struct hpage_map_destroy){ .size = sizeof(a->destroy), .name = NAME };
	close(create(NAME, 1, base_page));
}

static void undo_destroy(const union arg *a, bool done)
{
	(void)a;
	CHECK_EQ(access(NODES NAME, F_OK), done ? -1 : 0);
	if (!done)
		CHECK_EQ(destroy(NAME), 0);
}

static __u64 node_pages[1];
static struct hpage_map_run run;

static void prepare_nodes(union arg *a)
{
	a->nodes = (struct hpage_map_nodes){
		.size = sizeof(a->nodes),
		.pages = (uintptr_t)node_pages,
		.nr = 1,
	};
}

static void prepare_runs(union arg *a)
{
	a->runs = (struct hpage_map_runs){
		.size = sizeof(a->runs),
		.runs = (uintptr_t)&run,
		.nr = 1,
	};
}

static void prepare_export(union arg *a)
{
	a->export = (struct hpage_map_export){ .size = sizeof(a->export) };
}

static void undo_export(const union arg *a, bool done)
{
	if (done)
		CHECK_EQ(close(a->export.fd), 0);
}

/* Memory of the program: the largest base page there is. */
static char own_page[65536] __attribute__((aligned(65536)));

static void prepare_pin(union arg *a)
{
	a->pin = (struct hpage_map_pin){
		.size = sizeof(a->pin),
		.address = (uintptr_t)own_page,
		.length = base_page,
	};
}

static void undo_pin(const union arg *a, bool done)
{
	if (done)
		CHECK_EQ(close(a->pin.fd), 0);
}

/* The machine that runs the tests has its files by a device of this driver. */
static void prepare_dma_map(union arg *a)
{
	glob_t g;

	a->dma_map = (struct hpage_map_dma_map){
		.size = sizeof(a->dma_map),
		.flags = HPAGE_MAP_DMA_TO_DEVICE,
	};
	CHECK_EQ(glob("/sys/bus/pci/drivers/virtio-pci/*:*", 0, NULL, &g), 0);
	snprintf(a->dma_map.device, sizeof(a->dma_map.device), "%s",
		 strrchr(g.gl_pathv[0], '/') + 1);
	globfree(&g);
}

static void undo_dma_map(const union arg *a, bool done)
{
	if (done)
		CHECK_EQ(close(a->dma_map.fd), 0);
}

static void prepare_dma_sync(union arg *a)
{
	union arg map = {};

	prepare_dma_map(&map);
	CHECK_EQ(ioctl(door, HPAGE_MAP_DMA_MAP, &map), 0);
	mapping = map.dma_map.fd;
	a->dma_sync = (struct hpage_map_dma_sync){
		.size = sizeof(a->dma_sync),
		.flags = HPAGE_MAP_SYNC_FOR_DEVICE,
		.length = 1,
	};
}

static void undo_dma_sync(const union arg *a, bool done)
{
	(void)a;
	(void)done;
	CHECK_EQ(close(mapping), 0);
}

#define FIELD(field)	offsetof(union arg, field)

static const struct contract contracts[] = {
	{
		.name = "INFO", .cmd = HPAGE_MAP_INFO, .size = sizeof(struct hpage_map_info),
		.first = offsetof(struct hpage_map_info, alignment),
		.prepare = prepare_info, .undo = no_undo, .answers = true,
	}, {
		.name = "ALLOC", .cmd = HPAGE_MAP_ALLOC, .size = sizeof(struct hpage_map_alloc),
		.prepare = prepare_alloc, .undo = undo_alloc, .flags = HPAGE_MAP_ALLOC_FLAGS,
		.reserved = { FIELD(alloc.mode), FIELD(alloc.uid), FIELD(alloc.gid),
			      FIELD(alloc.reserved) },
		.answers = true,
	}, {
		.name = "CREATE", .cmd = HPAGE_MAP_CREATE, .size = sizeof(struct hpage_map_alloc),
		.prepare = prepare_create, .undo = undo_create, .flags = HPAGE_MAP_ALLOC_FLAGS,
		.reserved = { FIELD(alloc.reserved) }, .capability = CAP_SYS_ADMIN,
		.answers = true,
	}, {
		.name = "DESTROY", .cmd = HPAGE_MAP_DESTROY,
		.size = sizeof(struct hpage_map_destroy),
		.prepare = prepare_destroy, .undo = undo_destroy, .capability = CAP_SYS_ADMIN,
	}, {
		.name = "LIST", .cmd = HPAGE_MAP_LIST, .size = sizeof(struct hpage_map_info),
		.first = offsetof(struct hpage_map_info, alignment),
		.prepare = prepare_info, .undo = no_undo, .answers = true,
	}, {
		.name = "NODES", .cmd = HPAGE_MAP_NODES, .size = sizeof(struct hpage_map_nodes),
		.prepare = prepare_nodes, .undo = no_undo,
		.reserved = { FIELD(nodes.reserved) }, .answers = true,
	}, {
		.name = "RUNS", .cmd = HPAGE_MAP_RUNS, .size = sizeof(struct hpage_map_runs),
		.prepare = prepare_runs, .undo = no_undo,
		.reserved = { FIELD(runs.reserved) }, .capability = CAP_SYS_RAWIO,
		.answers = true,
	}, {
		.name = "EXPORT", .cmd = HPAGE_MAP_EXPORT,
		.size = sizeof(struct hpage_map_export),
		.first = offsetof(struct hpage_map_export, offset),
		.prepare = prepare_export, .undo = undo_export, .flags = HPAGE_MAP_EXPORT_FLAGS,
		.reserved = { FIELD(export.reserved) }, .answers = true,
	}, {
		.name = "PIN", .cmd = HPAGE_MAP_PIN, .size = sizeof(struct hpage_map_pin),
		.prepare = prepare_pin, .undo = undo_pin,
		.reserved = { FIELD(pin.reserved) }, .answers = true,
	}, {
		.name = "DMA_MAP", .cmd = HPAGE_MAP_DMA_MAP,
		.size = sizeof(struct hpage_map_dma_map),
		.prepare = prepare_dma_map, .undo = undo_dma_map,
		.flags = HPAGE_MAP_DMA_FLAGS, .reserved = { FIELD(dma_map.reserved) },
		.capability = CAP_SYS_RAWIO, .answers = true,
	}, {
		.name = "DMA_SYNC", .cmd = HPAGE_MAP_DMA_SYNC,
		.size = sizeof(struct hpage_map_dma_sync),
		.prepare = prepare_dma_sync, .undo = undo_dma_sync,
		.flags = HPAGE_MAP_SYNC_FLAGS, .on_mapping = true,
	}, {
		.name = "FORECAST", .cmd = HPAGE_MAP_FORECAST,
		.size = sizeof(struct hpage_map_forecast),
		.prepare = prepare_forecast, .undo = no_undo, .flags = HPAGE_MAP_BELOW_4G,
		.reserved = { FIELD(forecast.reserved) }, .capability = CAP_SYS_ADMIN,
		.answers = true,
	},
};

static int next_fd(void)
{
	int fd = dup(door);

	CHECK_GE(fd, 0);
	CHECK_EQ(close(fd), 0);
	return fd;
}

/* Nothing has happened, and the struct is as it was. */
static void refused(const struct contract *c, int fd, union arg *a, int err)
{
	unsigned int buffers = nr_buffers();
	union arg before = *a;
	int lowest = next_fd();

	errno = 0;
	if (ioctl(fd, c->cmd, a) != -1 || errno != err) {
		printf("# %s of %u bytes: %s\n", c->name, a->size, strerror(errno));
		CHECK(!"refused as it ought to be");
	}
	CHECK_EQ(memcmp(a, &before, sizeof(before)), 0);
	CHECK_EQ(nr_buffers(), buffers);
	CHECK_EQ(next_fd(), lowest);
}

static bool privileged(const struct contract *c)
{
	return (!c->capability && !c->on_mapping) || !strcmp(suite_user, "root");
}

/* Every ioctl that this user may do at all. */
static void for_each(void (*fn)(const struct contract *c, union arg *a))
{
	union arg a;

	door = dev_open(O_RDWR);
	for (size_t i = 0; i < COUNT(contracts); i++) {
		LABEL("%s", contracts[i].name);
		if (!privileged(&contracts[i]))
			continue;
		memset(&a, 0, sizeof(a));
		contracts[i].prepare(&a);
		fn(&contracts[i], &a);
	}
}

static void succeeds(const struct contract *c, union arg *a)
{
	__u32 size = a->size;

	if (ioctl(fd_for(c), c->cmd, a))
		printf("# %s: %s\n", c->name, strerror(errno));
	else
		errno = 0;
	CHECK_EQ(errno, 0);
	CHECK_EQ(a->size, size);
	c->undo(a, true);
}

/* What the other tests take away one thing from. */
static void a_good_request_succeeds(void)
{
	for_each(succeeds);
}

static void try_short(const struct contract *c, union arg *a)
{
	for (a->size = 0; a->size < (c->first ?: c->size); a->size++)
		refused(c, fd_for(c), a, EINVAL);
	c->undo(a, false);
}

static void a_short_struct_is_refused(void)
{
	for_each(try_short);
}

/* Programs of later headers run, as long as they ask for nothing new. */
static void try_zero_tails(const struct contract *c, union arg *a)
{
	const size_t sizes[] = { c->size + 1, c->size + 8, c->size + 64, HPAGE_MAP_STRUCT_MAX };

	c->undo(a, false);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		memset(a, 0, sizeof(*a));
		c->prepare(a);
		a->size = sizes[i];
		a->bytes[sizes[i]] = 1;		/* not ours any more */
		succeeds(c, a);
		CHECK_EQ(a->bytes[sizes[i]], 1);
		a->bytes[sizes[i]] = 0;
		for (size_t j = c->size; j < sizeof(*a); j++)
			CHECK_EQ(a->bytes[j], 0);
	}
}

static void a_long_zero_tail_is_accepted(void)
{
	for_each(try_zero_tails);
}

static void try_garbage_tails(const struct contract *c, union arg *a)
{
	const size_t at[] = { c->size, c->size + 7, c->size + 63, HPAGE_MAP_STRUCT_MAX - 1 };

	for (size_t i = 0; i < COUNT(at); i++) {
		a->bytes[at[i]] = 0x80;
		a->size = at[i] + 1;
		refused(c, fd_for(c), a, E2BIG);
		a->size = HPAGE_MAP_STRUCT_MAX;
		refused(c, fd_for(c), a, E2BIG);
		a->bytes[at[i]] = 0;
	}
	c->undo(a, false);
}

static void a_long_garbage_tail_is_e2big(void)
{
	for_each(try_garbage_tails);
}

static void try_too_long(const struct contract *c, union arg *a)
{
	a->size = HPAGE_MAP_STRUCT_MAX + 1;
	refused(c, fd_for(c), a, E2BIG);
	a->size = 0xffffffff;
	refused(c, fd_for(c), a, E2BIG);
	c->undo(a, false);
}

/* A limit, so that no tail is long to look at. */
static void no_struct_is_longer_than_the_limit(void)
{
	for_each(try_too_long);
}

static void try_flags(const struct contract *c, union arg *a)
{
	for (int bit = 0; bit < 32; bit++) {
		a->info.flags = 1u << bit;	/* where all of them have it */
		if (!(c->flags & a->info.flags))
			refused(c, fd_for(c), a, EINVAL);
	}
	c->undo(a, false);
}

static void every_unknown_flag_is_refused(void)
{
	for_each(try_flags);
}

static void try_reserved(const struct contract *c, union arg *a)
{
	for (const size_t *r = c->reserved; *r; r++)
		for (int byte = 0; byte < 4; byte++) {
			a->bytes[*r + byte] = 1;
			refused(c, fd_for(c), a, EINVAL);
			a->bytes[*r + byte] = 0;
		}
	c->undo(a, false);
}

static void every_reserved_field_is_refused(void)
{
	for_each(try_reserved);
}

/* An answer needs no input: what was in the output fields is overwritten. */
static void output_fields_may_hold_anything(void)
{
	const size_t from = FIELD(alloc.fd), to = FIELD(alloc.reserved);
	struct hpage_map_info want, info;
	union arg a = {}, b = {};

	door = dev_open(O_RDWR);
	want = ask(door);
	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	CHECK_EQ(ioctl(door, HPAGE_MAP_INFO, &info), 0);
	CHECK_EQ(memcmp(&info, &want, sizeof(info)), 0);

	memset(&info, 0xff, sizeof(info));
	info.id = want.id;
	CHECK(next_buffer(door, &info));
	CHECK_EQ(memcmp(&info, &want, sizeof(info)), 0);

	prepare_alloc(&a);
	prepare_alloc(&b);
	memset(b.bytes + from, 0xff, to - from);
	CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &a), 0);
	CHECK_EQ(close(a.alloc.fd), 0);
	CHECK_EQ(ioctl(door, HPAGE_MAP_ALLOC, &b), 0);
	CHECK_GT(b.alloc.id, a.alloc.id);
	b.alloc.id = a.alloc.id;
	CHECK_EQ(memcmp(&a, &b, sizeof(a)), 0);
}

static char *pages;		/* one, and nothing behind it */

static void try_bad_pointers(const struct contract *c, union arg *a)
{
	union arg *end = (void *)(pages + base_page - c->size);
	unsigned int buffers = nr_buffers();

	CHECK_ERR(ioctl(fd_for(c), c->cmd, NULL), EFAULT);
	CHECK_ERR(ioctl(fd_for(c), c->cmd, -1L), EFAULT);
	CHECK_ERR(ioctl(fd_for(c), c->cmd, pages + base_page), EFAULT);
	CHECK_ERR(ioctl(fd_for(c), c->cmd, pages + base_page - 2), EFAULT);
	memcpy(end, a, c->size);
	end->size = c->size + 8;		/* the tail is nobody's */
	CHECK_ERR(ioctl(fd_for(c), c->cmd, end), EFAULT);
	end = (void *)(pages + base_page - 8);
	memcpy(end, a, 8);
	CHECK_ERR(ioctl(fd_for(c), c->cmd, end), EFAULT);
	end->size = 0xffffffff;			/* told before it is looked for */
	CHECK_ERR(ioctl(fd_for(c), c->cmd, end), E2BIG);
	CHECK_EQ(nr_buffers(), buffers);

	end = (void *)(pages + base_page - c->size);
	memcpy(end, a, c->size);
	CHECK_EQ(ioctl(fd_for(c), c->cmd, end), 0);
	c->undo(end, true);
}

static void bad_pointers_are_efault(void)
{
	pages = map(-1, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	CHECK_EQ(munmap(pages + base_page, base_page), 0);
	for_each(try_bad_pointers);
}

/* Whoever cannot be told of a buffer must not be given it. */
static void try_read_only(const struct contract *c, union arg *a)
{
	unsigned int buffers = nr_buffers();
	int lowest = next_fd();

	CHECK_EQ(mprotect(pages, base_page, RW), 0);
	memcpy(pages, a, c->size);
	CHECK_EQ(mprotect(pages, base_page, PROT_READ), 0);
	if (!c->answers) {
		CHECK_EQ(ioctl(fd_for(c), c->cmd, pages), 0);
		c->undo(a, true);
		return;
	}
	CHECK_ERR(ioctl(fd_for(c), c->cmd, pages), EFAULT);
	CHECK_EQ(memcmp(pages, a, c->size), 0);
	CHECK_EQ(nr_buffers(), buffers);
	CHECK_EQ(next_fd(), lowest);
	c->undo(a, false);
}

static void an_answer_that_cannot_be_given_is_undone(void)
{
	pages = map(-1, base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	for_each(try_read_only);
}

static const struct contract *of(unsigned long cmd)
{
	const struct contract *c = contracts;

	while (c->cmd != cmd)
		c++;
	return c;
}

/* Arrays of a length that is told, at an address that is told. */
static void pointers_inside_must_be_the_callers(void)
{
	const struct contract *c;
	union arg a = {};
	__u64 nobodys;

	door = dev_open(O_RDWR);
	pages = map(-1, 2 * base_page, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	CHECK_EQ(munmap(pages + base_page, base_page), 0);
	nobodys = (uintptr_t)pages + base_page;
	const __u64 bad[] = { 8, nobodys, nobodys - 4, -8ULL, 1ULL << 63 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		c = of(HPAGE_MAP_NODES);
		c->prepare(&a);
		a.nodes.pages = bad[i];
		refused(c, door, &a, EFAULT);
		memset(&a, 0, sizeof(a));

		c = of(HPAGE_MAP_RUNS);
		c->prepare(&a);
		a.runs.runs = bad[i];
		refused(c, door, &a, privileged(c) ? EFAULT : EPERM);
		memset(&a, 0, sizeof(a));

		c = of(HPAGE_MAP_ALLOC);
		c->prepare(&a);
		a.alloc.text = bad[i] == nobodys - 4 ? nobodys : bad[i];
		a.alloc.text_size = TEXT;
		refused(c, door, &a, EFAULT);
		c = of(HPAGE_MAP_CREATE);
		strcpy(a.alloc.name, NAME);
		refused(c, door, &a, privileged(c) ? EFAULT : EPERM);
		memset(&a, 0, sizeof(a));
	}

	/* No more is written than there is to report, however large the array is said to be. */
	c = of(HPAGE_MAP_NODES);
	c->prepare(&a);
	a.nodes.nr = 0;
	CHECK_EQ(ioctl(door, HPAGE_MAP_NODES, &a), 0);
	a.nodes.pages = nobodys - 8 * a.nodes.nr;
	a.nodes.nr = 0xffffffff;
	CHECK_EQ(ioctl(door, HPAGE_MAP_NODES, &a), 0);
	a.nodes.pages += 8;
	refused(c, door, &a, EFAULT);

	/* No array at all is one of no elements. */
	c->prepare(&a);
	a.nodes.pages = 0;
	a.nodes.nr = 0;
	CHECK_EQ(ioctl(door, HPAGE_MAP_NODES, &a), 0);
	CHECK_GE(a.nodes.nr, 1);
}

/* A text and its room come together. */
static void a_text_needs_a_place_and_a_size(void)
{
	const struct contract *c = of(HPAGE_MAP_ALLOC);
	char text[TEXT];
	union arg a = {};

	door = dev_open(O_RDWR);
	c->prepare(&a);
	a.alloc.text = (uintptr_t)text;
	refused(c, door, &a, EINVAL);
	a.alloc.text = 0;
	a.alloc.text_size = TEXT;
	refused(c, door, &a, EINVAL);
}

static void refused_by(int fd, int err, const unsigned long *cmds, size_t n)
{
	union arg a = {};

	for (size_t i = 0; i < n; i++) {
		const struct contract *c = of(cmds[i]);

		if (!privileged(c))
			continue;
		memset(&a, 0, sizeof(a));
		c->prepare(&a);
		refused(c, fd, &a, err);
		c->undo(&a, false);
	}
}

#define REFUSED_BY(fd, err, ...)						\
	refused_by(fd, err, (const unsigned long[]){ __VA_ARGS__ },		\
		   COUNT(((const unsigned long[]){ __VA_ARGS__ })))

/* Whoever was given a buffer was not given the door; nor may a reader make any. */
static void the_wrong_descriptor_is_ebadf(void)
{
	struct hpage_map_info info, none = { .size = sizeof(none) };
	int own, only;

	door = dev_open(O_RDWR);
	own = alloc(1, base_page, 0);
	REFUSED_BY(own, EBADF, HPAGE_MAP_ALLOC, HPAGE_MAP_CREATE, HPAGE_MAP_DESTROY,
		   HPAGE_MAP_LIST, HPAGE_MAP_DMA_SYNC, HPAGE_MAP_FORECAST);
	REFUSED_BY(dev_open(O_RDONLY), EBADF, HPAGE_MAP_ALLOC, HPAGE_MAP_CREATE,
		   HPAGE_MAP_DMA_SYNC);

	only = dev_open(HPAGE_MAP_O_DOOR);
	REFUSED_BY(only, EBADF, HPAGE_MAP_NODES, HPAGE_MAP_RUNS, HPAGE_MAP_DMA_MAP);
	info = ask(only);
	CHECK(info.features);
	none.features = info.features;
	CHECK_EQ(memcmp(&info, &none, sizeof(none)), 0);

	/* The right ones: all but that. */
	CHECK(next_buffer(only, &info));
	info.id = 0;
	CHECK(next_buffer(dev_open(O_RDONLY), &info));
	CHECK_EQ(ask(own).length, base_page);
}

/* Nor is a mapping a buffer; its runs are those that the device sees. */
static void a_mapping_is_neither_buffer_nor_door(void)
{
	union arg a = {};

	door = dev_open(O_RDWR);
	prepare_dma_sync(&a);
	for (size_t i = 0; i < COUNT(contracts); i++) {
		const struct contract *c = &contracts[i];

		LABEL("%s", c->name);
		memset(&a, 0, sizeof(a));
		if (c->on_mapping)
			continue;
		c->prepare(&a);
		if (c->cmd == HPAGE_MAP_RUNS) {
			CHECK_EQ(ioctl(mapping, c->cmd, &a), 0);
			c->undo(&a, true);
		} else {
			refused(c, mapping, &a, EBADF);
			c->undo(&a, false);
		}
	}
	CHECK_EQ(close(mapping), 0);
}

/*
 * What every ioctl needs its descriptor to be open for: y if it may be used, by who is open for
 * reading, for writing, for both. A device that reads needs a reader, one that writes a writer.
 */
static const struct right {
	const char *name;
	unsigned long cmd;
	const char *door;		/* with the default buffer */
	const char *door_alone;		/* with O_NONBLOCK */
	const char *named;		/* of a named buffer */
	__u32 flags;
} rights[] = {
	{ "INFO", HPAGE_MAP_INFO, "yyy", "yyy", "yyy", 0 },
	{ "ALLOC", HPAGE_MAP_ALLOC, "nyy", "nyy", "nnn", 0 },
	{ "CREATE", HPAGE_MAP_CREATE, "nyy", "nyy", "nnn", 0 },
	{ "DESTROY", HPAGE_MAP_DESTROY, "nyy", "nyy", "nnn", 0 },
	{ "LIST", HPAGE_MAP_LIST, "yyy", "yyy", "nnn", 0 },
	{ "NODES", HPAGE_MAP_NODES, "yyy", "nnn", "yyy", 0 },
	{ "RUNS", HPAGE_MAP_RUNS, "yyy", "nnn", "yyy", 0 },
	{ "EXPORT", HPAGE_MAP_EXPORT, "nny", "nnn", "nny", 0 },
	{ "EXPORT to read", HPAGE_MAP_EXPORT, "yny", "nnn", "yny", HPAGE_MAP_EXPORT_READ_ONLY },
	{ "PIN", HPAGE_MAP_PIN, "nyy", "nyy", "nnn", 0 },
	{ "DMA_MAP to", HPAGE_MAP_DMA_MAP, "yny", "nnn", "yny", HPAGE_MAP_DMA_TO_DEVICE },
	{ "DMA_MAP from", HPAGE_MAP_DMA_MAP, "nyy", "nnn", "nyy", HPAGE_MAP_DMA_FROM_DEVICE },
	{ "DMA_MAP both", HPAGE_MAP_DMA_MAP, "nny", "nnn", "nny", HPAGE_MAP_DMA_FLAGS },
	{ "DMA_SYNC", HPAGE_MAP_DMA_SYNC, "nnn", "nnn", "nnn", 0 },
	{ "FORECAST", HPAGE_MAP_FORECAST, "yyy", "yyy", "nnn", 0 },
};

static const int access_modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

/* No device is called so: one that may map for it learns that, others not even that. */
static int try_for_device(int fd, const struct right *r)
{
	union arg a = {};

	if (r->cmd == HPAGE_MAP_DMA_SYNC)
		a.dma_sync = (struct hpage_map_dma_sync){
			.size = sizeof(a.dma_sync), .flags = HPAGE_MAP_SYNC_FOR_CPU, .length = 1,
		};
	else
		a.dma_map = (struct hpage_map_dma_map){
			.size = sizeof(a.dma_map), .flags = r->flags, .device = "none",
		};
	CHECK_EQ(ioctl(fd, r->cmd, &a), -1);
	return errno;
}

/* The errno, 0 for success, of which nothing stays. */
static int try_right(int fd, const struct right *r)
{
	union arg a = {};
	int err;

	if (r->cmd == HPAGE_MAP_DMA_MAP || r->cmd == HPAGE_MAP_DMA_SYNC)
		return try_for_device(fd, r);

	const struct contract *c = of(r->cmd);

	/* DESTROY needs somebody who may make what it destroys. */
	if (privileged(c) || r->cmd == HPAGE_MAP_FORECAST)
		c->prepare(&a);
	else
		a.alloc = request(1, base_page, 0);
	if (!privileged(c) && r->cmd == HPAGE_MAP_DESTROY)
		a.destroy = (struct hpage_map_destroy){ .size = sizeof(a.destroy), .name = NAME };
	if (r->cmd == HPAGE_MAP_EXPORT)
		a.export.flags = r->flags;
	err = ioctl(fd, r->cmd, &a) ? errno : 0;
	if (privileged(c))
		c->undo(&a, !err);
	return err;
}

static bool right_is(const struct right *r, const char *where, int i, int fd, bool may)
{
	bool root = !strcmp(suite_user, "root");
	bool by_root = r->cmd == HPAGE_MAP_CREATE || r->cmd == HPAGE_MAP_DESTROY ||
		       r->cmd == HPAGE_MAP_RUNS || r->cmd == HPAGE_MAP_DMA_MAP ||
		       r->cmd == HPAGE_MAP_FORECAST;
	int want = !may ? EBADF : by_root && !root ? EPERM :
		   r->cmd == HPAGE_MAP_DMA_MAP ? ENODEV : 0;
	int got = try_right(fd, r);

	if (got != want)
		printf("# %s on %s, access mode %d: %s, not %s\n", r->name, where,
		       access_modes[i], strerror(got), strerror(want));
	return got == want;
}

static void every_ioctl_needs_what_its_descriptor_is_open_for(void)
{
	bool good = true, root = !strcmp(suite_user, "root");

	door = dev_open(O_RDWR);
	if (root)
		close(create("rights", 1, base_page));
	for (int i = 0; i < 3; i++) {
		int whole = dev_open(access_modes[i]);
		int alone = dev_open(access_modes[i] | O_NONBLOCK);
		int named = open(NODES "rights", access_modes[i] | O_CLOEXEC);

		CHECK_EQ(named >= 0, root);
		for (const struct right *r = rights; r < rights + COUNT(rights); r++) {
			good &= right_is(r, "the door", i, whole, r->door[i] == 'y');
			good &= right_is(r, "the door alone", i, alone, r->door_alone[i] == 'y');
			if (root)
				good &= right_is(r, "a buffer", i, named, r->named[i] == 'y');
		}
		close(whole);
		close(alone);
		close(named);
	}
	if (root)
		CHECK_EQ(destroy("rights"), 0);
	CHECK(good);
}

static void a_named_buffer_is_not_the_door(void)
{
	static const int modes[] = { O_RDWR, HPAGE_MAP_O_DOOR };

	door = dev_open(O_RDWR);
	close(create("named", 1, base_page));
	for (size_t i = 0; i < COUNT(modes); i++) {
		int fd = open(NODES "named", modes[i] | O_CLOEXEC);

		CHECK_GE(fd, 0);
		REFUSED_BY(fd, EBADF, HPAGE_MAP_ALLOC, HPAGE_MAP_CREATE, HPAGE_MAP_DESTROY,
			   HPAGE_MAP_LIST);
		CHECK(ask(fd).attributes & HPAGE_MAP_ATTR_NAMED);
		close(fd);
	}
	CHECK_EQ(destroy("named"), 0);
}

static void other_files_know_none_of_it(void)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int path = open(DEV, O_PATH | O_CLOEXEC);

	door = dev_open(O_RDWR);
	CHECK_GE(file, 0);
	CHECK_GE(null, 0);
	CHECK_GE(path, 0);
	for (size_t i = 0; i < COUNT(contracts); i++) {
		REFUSED_BY(file, ENOTTY, contracts[i].cmd);
		REFUSED_BY(null, ENOTTY, contracts[i].cmd);
		REFUSED_BY(path, EBADF, contracts[i].cmd);
	}
}

static void drop(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK_EQ(syscall(SYS_capget, &head, data), 0);
	data[capability / 32].effective &= ~(1u << capability % 32);
	CHECK_EQ(syscall(SYS_capset, &head, data), 0);
}

static void without_capability(void *arg)
{
	const struct contract *c = arg;
	union arg a = {};

	/* DESTROY would need somebody to make what it destroys. */
	a.destroy = (struct hpage_map_destroy){ .size = sizeof(a.destroy), .name = NAME };
	if (c->cmd != HPAGE_MAP_DESTROY)
		c->prepare(&a);
	if (!strcmp(suite_user, "root"))
		drop(c->capability);
	refused(c, door, &a, EPERM);
}

/* Exactly the capability that the header names, whatever else one has. */
static void a_missing_capability_is_eperm(void)
{
	door = dev_open(O_RDWR);
	for (size_t i = 0; i < COUNT(contracts); i++)
		if (contracts[i].capability)
			CHECK_EXITS(spawn(without_capability, (void *)&contracts[i]));
}

/* Another capability than the one that is named does not help, nor is it needed. */
static void without_others(void *arg)
{
	struct hpage_map_info info;
	union arg a = {};

	(void)arg;
	drop(CAP_SYS_RAWIO);
	CHECK_EQ(ask(door).address, 0);
	close(create(NAME, 1, base_page));
	CHECK_EQ(destroy(NAME), 0);
	drop(CAP_SYS_ADMIN);
	close(alloc(1, base_page, 0));
	info.id = 0;
	CHECK(next_buffer(door, &info));
	CHECK_EQ(info.address, 0);
	prepare_nodes(&a);
	CHECK_EQ(ioctl(door, HPAGE_MAP_NODES, &a), 0);
}

static void addresses_are_for_rawio_only(void)
{
	union arg a = {};

	door = dev_open(O_RDWR);
	CHECK_NE(ask(door).address, 0);
	prepare_runs(&a);
	CHECK_EQ(ioctl(door, HPAGE_MAP_RUNS, &a), 0);
	CHECK_EQ(a.runs.nr, 1);
	CHECK_EQ(run.address, ask(door).address);
	CHECK_EXITS(spawn(without_others, NULL));
}

/* Both take the same struct; what is no value for one is none for the other. */
static void make_refused(union arg *a, int err)
{
	refused(of(HPAGE_MAP_ALLOC), door, a, err);
	if (strcmp(suite_user, "root"))
		return;
	strcpy(a->alloc.name, NAME);
	refused(of(HPAGE_MAP_CREATE), door, a, err);
}

/* With these fields of a set to other values than those of a good request. */
#define MAKE_REFUSED(err, ...)							\
	do {									\
		union arg _a = {};						\
		struct hpage_map_alloc *a = &_a.alloc;				\
										\
		*a = request(1, base_page, 0);					\
		__VA_ARGS__;							\
		make_refused(&_a, err);						\
	} while (0)

static void values_out_of_range_are_refused(void)
{
	door = dev_open(O_RDWR);
	for (__u32 policy = HPAGE_MAP_POLICY_INTERLEAVE + 1; policy; policy <<= 1)
		MAKE_REFUSED(EINVAL, a->policy = policy);
	for (int bit = 0; bit < 31; bit++)
		MAKE_REFUSED(EINVAL, a->node = 1 << bit);	/* no policy that uses it */
	MAKE_REFUSED(EINVAL, a->node = -2);
	for (__u32 p = HPAGE_MAP_POLICY_PREFERRED; p <= HPAGE_MAP_POLICY_STRICT; p++) {
		MAKE_REFUSED(EINVAL, a->policy = p, a->node = -1);
		MAKE_REFUSED(EINVAL, a->policy = p, a->node = INT_MIN);
		MAKE_REFUSED(EINVAL, a->policy = p, a->node = INT_MAX);
		MAKE_REFUSED(EINVAL, a->policy = p, a->node = 1023);
		MAKE_REFUSED(EINVAL, a->policy = p, a->node = 1024);
	}
	MAKE_REFUSED(EINVAL, a->length = 0);
	MAKE_REFUSED(ENOMEM, a->length = -1ULL);
	MAKE_REFUSED(ENOMEM, a->length = 1ULL << 63);
	MAKE_REFUSED(EINVAL, a->page_size = 1);
	MAKE_REFUSED(EINVAL, a->page_size = 3 * base_page);
	MAKE_REFUSED(EINVAL, a->page_size = base_page - 1);
	MAKE_REFUSED(EINVAL, a->page_size = -1ULL);
	MAKE_REFUSED(EINVAL, a->page_size = 2 * base_page);
	MAKE_REFUSED(EINVAL, a->page_size = 1ULL << 63, a->flags = HPAGE_MAP_EXACT);
	MAKE_REFUSED(ENODEV, strcpy(a->near_device, "no-such-device"));
	MAKE_REFUSED(ENODEV, strcpy(a->near_device, "/"));

	MAKE_REFUSED(EINVAL, memset(a->near_device, 'a', sizeof(a->near_device)));
}

/* Better told than half of it done. */
static void contradictions_are_refused(void)
{
	door = dev_open(O_RDWR);
	MAKE_REFUSED(EINVAL, a->flags = HPAGE_MAP_EXACT | HPAGE_MAP_ALLOW_BASE);
	MAKE_REFUSED(EINVAL, a->policy = HPAGE_MAP_POLICY_INTERLEAVE,
		     a->flags = HPAGE_MAP_CONTIGUOUS);
	MAKE_REFUSED(EINVAL, a->policy = HPAGE_MAP_POLICY_INTERLEAVE,
		     a->flags = HPAGE_MAP_BELOW_4G);
	MAKE_REFUSED(EINVAL, a->policy = HPAGE_MAP_POLICY_INTERLEAVE,
		     strcpy(a->near_device, "pci0"));
	MAKE_REFUSED(EINVAL, a->policy = HPAGE_MAP_POLICY_INTERLEAVE, a->node = 1);
	MAKE_REFUSED(EINVAL, a->policy = HPAGE_MAP_POLICY_STRICT, a->node = 1,
		     strcpy(a->near_device, "pci0"));
}

/* Of the node that CREATE makes. */
static void modes_and_owners_out_of_range_are_refused(void)
{
	const struct contract *c = of(HPAGE_MAP_CREATE);
	union arg a = {};

	door = dev_open(O_RDWR);
	c->prepare(&a);
	for (int bit = 9; bit < 32; bit++) {
		a.alloc.mode = 1u << bit | 0600;
		refused(c, door, &a, EINVAL);
	}
	c->prepare(&a);
	a.alloc.uid = -1;
	refused(c, door, &a, EINVAL);
	c->prepare(&a);
	a.alloc.gid = -1;
	refused(c, door, &a, EINVAL);
}

static void info_agrees_with_sysfs(void)
{
	static const char * const names[] = { "none", "hugetlb", "thp", "base" };
	struct hpage_map_info info = ask(dev_open(O_RDWR));
	char text[32];

	CHECK_EQ(info.length, buf_size);
	CHECK_EQ(info.length, class_u64("size"));
	CHECK_EQ(info.page_size, class_u64("page_size"));
	CHECK_EQ(info.nr_pages, class_u64("nr_pages"));
	CHECK_EQ(info.nr_pages * info.page_size, info.length);
	CHECK_EQ(info.nr_huge, class_u64("nr_huge"));
	CHECK_EQ(info.nr_runs, class_u64("runs"));
	CHECK_GE(info.nr_runs, 1);
	CHECK_LE(info.nr_runs, info.nr_pages);
	class_text("node", text, sizeof(text));
	CHECK_EQ(info.node, atoi(text));
	class_text("backing", text, sizeof(text));
	CHECK_GE(info.backing, 1);
	CHECK_LE(info.backing, 3);
	CHECK_STREQ(text, names[info.backing]);
	CHECK_EQ(info.flags, 0);
	CHECK(info.features & HPAGE_MAP_FEATURE_HUGETLB);
	CHECK(info.features & HPAGE_MAP_FEATURE_THP);
	if (suite_where == ON_THP)
		CHECK(info.page_size == pmd_size && info.nr_huge == info.nr_pages);
	CHECK_EQ(info.asked, class_u64("asked"));
	CHECK_LE(info.asked, info.length);
	CHECK_EQ(info.id, class_u64("id"));
	CHECK_GT(info.id, 0);
	CHECK(info.attributes & HPAGE_MAP_ATTR_DEFAULT);
	CHECK(!(info.attributes & (HPAGE_MAP_ATTR_NAMED | HPAGE_MAP_ATTR_RESERVE)));
	CHECK(!!(info.attributes & HPAGE_MAP_ATTR_CONTIGUOUS) == (info.nr_runs == 1));
	CHECK(!!(info.attributes & HPAGE_MAP_ATTR_BELOW_4G) == class_u64("below_4g"));
	CHECK_EQ(info.descriptors, 1);
	CHECK_EQ(info.mappings, 0);
	CHECK_EQ(info.lingering, 0);
	CHECK_STREQ(info.name, "default");
}

static void any_descriptor_may_ask(void)
{
	ask(dev_open(O_RDONLY));
	ask(dev_open(O_WRONLY));
	ask(dev_open(HPAGE_MAP_O_DOOR));
}

static void other_numbers_are_enotty(void)
{
	struct hpage_map_info info = { .size = sizeof(info) };
	int fd = dev_open(O_RDWR);

	for (unsigned int nr = 0; nr < 256; nr++)
		if (nr < _IOC_NR(HPAGE_MAP_INFO) || nr > _IOC_NR(HPAGE_MAP_FORECAST))
			CHECK_ERR(ioctl(fd, _IO(HPAGE_MAP_IOC_TYPE, nr), &info), ENOTTY);
	for (size_t i = 0; i < COUNT(contracts); i++) {
		unsigned int nr = _IOC_NR(contracts[i].cmd);

		CHECK_ERR(ioctl(fd, _IO(0xBA, nr), &info), ENOTTY);
		CHECK_ERR(ioctl(fd, _IOWR(HPAGE_MAP_IOC_TYPE, nr, info), &info), ENOTTY);
	}
	CHECK_EQ(info.length, 0);
}

#ifdef __x86_64__
static long ioctl_32(int fd, unsigned long cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret)
		     : "a"(54L), "b"((long)fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* A 32-bit program's system call: the layout is the same for it. */
static void thirty_two_bit_programs_may_ask(void)
{
	union arg *a = (void *)map(-1, 2 * base_page, RW,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, 0);
	struct hpage_map_info want;

	door = dev_open(O_RDWR);
	want = ask(door);
	prepare_info(a);
	CHECK_EQ(ioctl_32(door, HPAGE_MAP_INFO, a), 0);
	CHECK_EQ(memcmp(a, &want, sizeof(want)), 0);

	prepare_alloc(a);
	CHECK_EQ(ioctl_32(door, HPAGE_MAP_ALLOC, a), 0);
	CHECK_EQ(ask(a->alloc.fd).id, a->alloc.id);
	CHECK_EQ(a->alloc.got_length, base_page);
}
#endif

static const struct test tests[] = {
	TEST(a_good_request_succeeds, ON_ANY),
	TEST(a_short_struct_is_refused, ON_ANY),
	TEST(a_long_zero_tail_is_accepted, ON_ANY),
	TEST(a_long_garbage_tail_is_e2big, ON_ANY),
	TEST(no_struct_is_longer_than_the_limit, ON_ANY),
	TEST(every_unknown_flag_is_refused, ON_ANY),
	TEST(every_reserved_field_is_refused, ON_ANY),
	TEST(output_fields_may_hold_anything, ON_ANY),
	TEST(bad_pointers_are_efault, ON_ANY),
	TEST(an_answer_that_cannot_be_given_is_undone, ON_ANY),
	TEST(pointers_inside_must_be_the_callers, ON_ANY),
	TEST(a_text_needs_a_place_and_a_size, ON_ANY),
	TEST(the_wrong_descriptor_is_ebadf, ON_ANY),
	TEST(a_mapping_is_neither_buffer_nor_door, ON_ANY | NEEDS_ROOT),
	TEST(every_ioctl_needs_what_its_descriptor_is_open_for, ON_ANY),
	TEST(a_named_buffer_is_not_the_door, ON_ANY | NEEDS_ROOT),
	TEST(other_files_know_none_of_it, ON_ANY),
	TEST(a_missing_capability_is_eperm, ON_ANY),
	TEST(addresses_are_for_rawio_only, ON_ANY | NEEDS_ROOT),
	TEST(values_out_of_range_are_refused, ON_ANY),
	TEST(contradictions_are_refused, ON_ANY),
	TEST(modes_and_owners_out_of_range_are_refused, ON_ANY | NEEDS_ROOT),
	TEST(info_agrees_with_sysfs, ON_ANY),
	TEST(any_descriptor_may_ask, ON_ANY),
	TEST(other_numbers_are_enotty, ON_ANY),
#ifdef __x86_64__
	TEST(thirty_two_bit_programs_may_ask, ON_ANY),
#endif
};

int main(void)
{
	return RUN_TESTS(tests);
}
