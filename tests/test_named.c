// SPDX-License-Identifier: GPL-2.0-only
/* Buffers with a name below /dev/hpage: who finds them, and what a name holds. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RW	(PROT_READ | PROT_WRITE)
#define NOBODY	65534
#define LONGEST "a23456789012345678901234567890123456789012345678901234567890123"

static int open_name(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), NODES "%s", name);
	return open(path, flags | O_CLOEXEC);
}

static bool exists(const char *name)
{
	char dev[128], fact[128];

	snprintf(dev, sizeof(dev), NODES "%s", name);
	snprintf(fact, sizeof(fact), "/sys/class/hpage_map/%s", name);
	CHECK_EQ(access(dev, F_OK), access(fact, F_OK));
	return access(dev, F_OK) == 0;
}

static uint64_t fact(const char *name, const char *what)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/hpage_map/%s/%s", name, what);
	CHECK_EQ(access(path, R_OK), 0);
	return read_u64(path);
}

/* 0 or -errno; a->fd stays open. */
static int try_create(const char *name, struct hpage_map_alloc *a)
{
	int door = dev_open(HPAGE_MAP_O_DOOR), ret;

	memcpy(a->name, name, strnlen(name, sizeof(a->name)));
	ret = ioctl(door, HPAGE_MAP_CREATE, a) ? -errno : 0;
	close(door);
	return ret;
}

static int try_destroy(const char *name)
{
	struct hpage_map_destroy d = { .size = sizeof(d) };
	int door = dev_open(HPAGE_MAP_O_DOOR), ret;

	memcpy(d.name, name, strnlen(name, sizeof(d.name)));
	ret = ioctl(door, HPAGE_MAP_DESTROY, &d) ? -errno : 0;
	close(door);
	return ret;
}

static void become_nobody(void)
{
	CHECK_EQ(setgid(NOBODY), 0);
	CHECK_EQ(setuid(NOBODY), 0);
}

/* --- made and found ------------------------------------------------------ */

static void a_name_is_there_from_create_to_destroy(void)
{
	static const char * const names[] = { "a", "0", "A.b_c-d", LONGEST };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = create(names[i], 1, base_page), again;

		CHECK(exists(names[i]));
		again = open_name(names[i], O_RDWR);
		CHECK_GE(again, 0);
		CHECK_EQ(ask(again).id, ask(fd).id);
		CHECK_STREQ(ask(again).name, names[i]);
		CHECK(ask(again).attributes & HPAGE_MAP_ATTR_NAMED);
		close(fd);
		close(again);
		CHECK(exists(names[i]));
		CHECK_EQ(destroy(names[i]), 0);
		CHECK(!exists(names[i]));
		CHECK_EQ(open_name(names[i], O_RDWR), -1);
		CHECK_EQ(errno, ENOENT);
		CHECK_EQ(destroy(names[i]), -ENOENT);
	}
}

static void the_node_has_mode_and_owner(void)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} nodes[] = { { 0, 0, 0 }, { 0640, 1, 2 }, { 0666, 0, NOBODY }, { 0111, 4000000, 7 } };
	struct stat st;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		struct hpage_map_alloc a = request(1, base_page, 0);

		a.mode = nodes[i].mode;
		a.uid = nodes[i].uid;
		a.gid = nodes[i].gid;
		CHECK_EQ(try_create("modes", &a), 0);
		CHECK_EQ(stat(NODES "modes", &st), 0);
		CHECK(S_ISCHR(st.st_mode));
		CHECK_EQ(st.st_mode & 07777, nodes[i].mode ?: 0600);
		CHECK_EQ(st.st_uid, nodes[i].uid);
		CHECK_EQ(st.st_gid, nodes[i].gid);
		close(a.fd);
		CHECK_EQ(destroy("modes"), 0);
	}
}

static void maker(void *arg)
{
	struct hpage_map_alloc a = request(buf_page, 0, HPAGE_MAP_ALLOW_BASE);
	char *p;

	a.mode = *(int *)arg;
	CHECK_EQ(try_create("shared", &a), 0);
	p = map(a.fd, a.got_length, RW, MAP_SHARED, 0);
	fill(p, base_page, 3);
}

static void finder(void *arg)
{
	char *p, word[8];
	int fd;

	become_nobody();
	fd = open_name("shared", O_RDWR);
	if (!arg) {
		CHECK_EQ(fd, -1);
		CHECK_EQ(errno, EACCES);
		return;
	}
	CHECK_GE(fd, 0);
	p = map(fd, ask(fd).page_size, RW, MAP_SHARED, 0);
	CHECK(filled(p, base_page, 3));
	CHECK_EQ(pread(fd, word, sizeof(word), 8), sizeof(word));
	CHECK(!memcmp(word, p + 8, 8));
	CHECK_EQ(ask(fd).address, 0);
	fill(p, base_page, 4);
}

/* The node decides who may, and the maker need not be there any more. */
static void unrelated_processes_find_it(void)
{
	int mode = 0666;
	int fd;

	CHECK_EXITS(spawn(maker, &mode));
	CHECK_EXITS(spawn(finder, &mode));
	fd = open_name("shared", O_RDONLY);
	CHECK(filled(map(fd, ask(fd).page_size, PROT_READ, MAP_SHARED, 0), base_page, 4));
	CHECK_ERR(mmap(NULL, ask(fd).page_size, RW, MAP_SHARED, fd, 0), EACCES);
	CHECK_EQ(destroy("shared"), 0);

	mode = 0600;
	CHECK_EXITS(spawn(maker, &mode));
	CHECK_EXITS(spawn(finder, NULL));
	CHECK_EQ(destroy("shared"), 0);
}

/* Two of a name would be a splat of sysfs, which the fixture looks for. */
static void a_name_that_is_taken_is_eexist(void)
{
	static const char * const taken[] = { "taken", "hpage_map", "default" };
	struct hpage_map_alloc a, before;
	unsigned int buffers;
	char text[TEXT];

	close(create("taken", 1, base_page));
	buffers = nr_buffers();
	for (size_t i = 0; i < 3; i++) {
		/* What nobody has: it is told of the name, before any page is made. */
		a = request(1ULL << 50, 0, 0);
		strcpy(a.name, taken[i]);
		a.text = (uintptr_t)text;
		a.text_size = sizeof(text);
		before = a;
		CHECK_EQ(try_create(taken[i], &a), -EEXIST);
		CHECK_EQ(memcmp(&a, &before, sizeof(a)), 0);
		if (!strstr(text, taken[i]) || strstr(text, "iB"))
			printf("# %s: %s\n", taken[i], text);
		CHECK(strstr(text, taken[i]) && !strstr(text, "iB"));
	}
	CHECK_EQ(nr_buffers(), buffers);
	CHECK(exists("taken"));
	CHECK_EQ(destroy("taken"), 0);
	CHECK_EQ(destroy("hpage_map"), -ENOENT);	/* the default buffer is no named one */
	CHECK_EQ(destroy("default"), -ENOENT);
}

static void only_writes(void *arg)
{
	struct hpage_map_export e = { .size = sizeof(struct hpage_map_export) };
	char secret[8];
	int fd;

	(void)arg;
	become_nobody();
	CHECK_ERR(open_name("drop", O_RDONLY), EACCES);
	CHECK_ERR(open_name("drop", O_RDWR), EACCES);
	CHECK_ERR(open_name("drop", 3), EACCES);
	fd = open_name("drop", O_WRONLY);
	CHECK_GE(fd, 0);
	CHECK_EQ(ask(fd).length, base_page);
	CHECK_EQ(pwrite(fd, "x", 1, 8), 1);
	CHECK_ERR(pread(fd, secret, sizeof(secret), 0), EBADF);
	CHECK_ERR(mmap(NULL, base_page, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	CHECK_ERR(ioctl(fd, HPAGE_MAP_EXPORT, &e), EBADF);
}

/* A node with mode 0222 is a place to drop things. */
static void who_may_only_write_does_not_read(void)
{
	struct hpage_map_alloc a = request(1, base_page, 0);

	a.mode = 0222;
	CHECK_EQ(try_create("drop", &a), 0);
	CHECK_EQ(pwrite(a.fd, "secret", 6, 0), 6);
	CHECK_EXITS(spawn(only_writes, NULL));
	/* Root may read and write everything, but in a mode that there is. */
	CHECK_ERR(open_name("drop", 3), EINVAL);
	CHECK_EQ(destroy("drop"), 0);
}

/* What becomes a file of /dev and of sysfs is no path, and no option of a tool. */
static void bad_names_are_refused(void)
{
	static const char * const bad[] = { "", ".", "..", "a/b", "/", "a/", "-a", "_a", ".a",
		"a b", "a\n", "a!b", "a%s", "a:b", "\xc3\xa4", "\x7f", LONGEST "4" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct hpage_map_alloc a = request(1, base_page, 0);

		CHECK_EQ(try_create(bad[i], &a), -EINVAL);
		CHECK_EQ(try_destroy(bad[i]), -EINVAL);
	}
}

/* A name that cannot be told of is not there either. */
static void a_buffer_that_is_not_to_be_had_leaves_no_name(void)
{
	struct hpage_map_alloc a = request(1ULL << 50, 0, 0);

	CHECK_EQ(try_create("huge", &a), -ENOMEM);
	CHECK(!exists("huge"));
	a = request(1, 1UL << 30, HPAGE_MAP_EXACT);
	CHECK_EQ(try_create("huge", &a), -ENOMEM);
	CHECK(!exists("huge"));
	close(create("huge", 1, base_page));
	CHECK_EQ(destroy("huge"), 0);
}

static int go[2];

static void creates_the_same(void *arg)
{
	struct hpage_map_alloc a = request(1, base_page, 0);
	int err;

	(void)arg;
	step_wait(go[0]);
	err = try_create("race", &a);
	CHECK(err == 0 || err == -EEXIST);
	_exit(err ? 0 : 1);
}

static void of_racing_makers_one_wins(void)
{
	enum { N = 6 };
	pid_t pids[N];

	for (int round = 0; round < 5; round++) {
		int won = 0;

		CHECK_EQ(pipe(go), 0);
		for (int i = 0; i < N; i++)
			pids[i] = spawn(creates_the_same, NULL);
		CHECK_EQ(write(go[1], "123456", N), N);
		for (int i = 0; i < N; i++)
			won += wait_for(pids[i]);
		CHECK_EQ(won, 1);
		CHECK_EQ(destroy("race"), 0);
		close(go[0]);
		close(go[1]);
	}
}

/* --- how it goes ------------------------------------------------------- */

/* The name at once, the pages with the last who holds them. */
static void destroy_takes_the_name_and_not_the_pages(void)
{
	unsigned int buffers = nr_buffers();
	int fd = create("held", 1, base_page);
	struct hpage_map_info info;
	char *p;

	p = map(fd, base_page, RW, MAP_SHARED, 0);
	fill(p, base_page, 1);
	CHECK_EQ(destroy("held"), 0);
	CHECK(!exists("held"));
	CHECK_EQ(open_name("held", O_RDWR), -1);
	CHECK_EQ(errno, ENOENT);

	info = ask(fd);
	CHECK(!(info.attributes & HPAGE_MAP_ATTR_NAMED));
	CHECK_EQ(info.descriptors, 1);
	CHECK_EQ(info.mappings, 1);
	CHECK_STREQ(info.name, "held");
	CHECK(filled(p, base_page, 1));
	CHECK(filled(map(fd, base_page, PROT_READ, MAP_SHARED, 0), base_page, 1));
	CHECK_EQ(nr_buffers(), buffers + 1);
	close(fd);
	CHECK_EQ(nr_buffers(), buffers + 1);
	fill(p, base_page, 2);
	CHECK(filled(p, base_page, 2));
}

static void the_last_holder_of_a_destroyed_name_frees_it(void)
{
	unsigned int buffers = nr_buffers();
	int fd = create("last", 1, base_page);
	char *p = map(fd, base_page, RW, MAP_SHARED, 0);

	close(fd);
	CHECK_EQ(destroy("last"), 0);
	CHECK_EQ(nr_buffers(), buffers + 1);
	CHECK_EQ(munmap(p, base_page), 0);
	CHECK_EQ(nr_buffers(), buffers);
	close(create("last", 1, base_page));
	CHECK_EQ(nr_buffers(), buffers + 1);	/* a name holds it alone */
	CHECK_EQ(destroy("last"), 0);
	CHECK_EQ(nr_buffers(), buffers);
}

/* Whoever holds the old one keeps the old one. */
static void a_name_is_given_anew_while_the_old_is_held(void)
{
	int old = create("again", 1, base_page), new;
	char *p = map(old, base_page, RW, MAP_SHARED, 0), *q;

	fill(p, base_page, 1);
	CHECK_EQ(destroy("again"), 0);
	new = create("again", 1, base_page);
	q = map(new, base_page, RW, MAP_SHARED, 0);
	CHECK(zeroed(q, base_page));
	fill(q, base_page, 2);
	CHECK(filled(p, base_page, 1));
	CHECK_EQ(ask(open_name("again", O_RDWR)).id, ask(new).id);
	CHECK_NE(ask(old).id, ask(new).id);
	close(old);
	CHECK_EQ(munmap(p, base_page), 0);
	CHECK(exists("again"));		/* its end is not the end of the name */
	CHECK_EQ(destroy("again"), 0);
}

/* Permission for one buffer is none for the next, whatever number that has. */
static void a_node_held_beyond_its_name_leads_nowhere(void)
{
	struct hpage_map_alloc a = request(1, base_page, 0);
	char path[64];
	int node;

	a.mode = 0666;
	CHECK_EQ(try_create("open", &a), 0);
	node = open_name("open", O_PATH);
	CHECK_GE(node, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
	close(open(path, O_RDWR | O_CLOEXEC));
	close(a.fd);
	CHECK_EQ(destroy("open"), 0);
	CHECK_ERR(open(path, O_RDWR | O_CLOEXEC), ENXIO);
	close(create("closed", 1, base_page));
	CHECK_ERR(open(path, O_RDWR | O_CLOEXEC), ENXIO);
	CHECK_EQ(destroy("closed"), 0);
}

static void opens_for_ever(void *arg)
{
	(void)arg;
	step_done(go[1]);
	for (;;) {
		int fd = open_name("flicker", O_RDWR);
		char c = 1;

		CHECK(fd >= 0 || errno == ENOENT || errno == ENXIO);
		if (fd < 0)
			continue;
		CHECK_EQ(ask(fd).length, base_page);
		CHECK_STREQ(ask(fd).name, "flicker");
		CHECK_EQ(pwrite(fd, &c, 1, base_page - 1), 1);
		close(fd);
	}
}

/* Whoever opens it meanwhile gets a buffer or an errno, never half of one. */
static void opening_races_with_destroying(void)
{
	pid_t pids[2];

	CHECK_EQ(pipe(go), 0);
	for (int i = 0; i < 2; i++) {
		pids[i] = spawn(opens_for_ever, NULL);
		step_wait(go[0]);
	}
	for (int i = 0; i < 100; i++) {
		close(create("flicker", 1, base_page));
		if (i % 2)
			sched_yield();
		CHECK_EQ(destroy("flicker"), 0);
	}
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(kill(pids[i], SIGKILL), 0);
		CHECK_KILLED(pids[i], SIGKILL);
	}
}

/* --- who holds what ---------------------------------------------------- */

static void sysfs_and_info_agree(void)
{
	static const char * const kinds[] = { "none", "hugetlb", "thp", "base" };
	int fd = create("facts", base_page + 1, base_page);
	struct hpage_map_info info = ask(fd);
	char text[32];

	CHECK_EQ(fact("facts", "size"), info.length);
	CHECK_EQ(info.length, 2 * base_page);
	CHECK_EQ(fact("facts", "asked"), base_page + 1);
	CHECK_EQ(fact("facts", "page_size"), base_page);
	CHECK_EQ(fact("facts", "id"), info.id);
	CHECK_EQ(fact("facts", "nr_pages"), 2);
	CHECK_EQ(fact("facts", "runs"), info.nr_runs);
	CHECK_EQ(fact("facts", "nr_huge"), info.nr_huge);
	CHECK_EQ(fact("facts", "creator"), (uint64_t)getpid());
	CHECK_EQ(fact("facts", "reserve"), 0);
	CHECK_EQ(fact("facts", "below_4g"), !!(info.attributes & HPAGE_MAP_ATTR_BELOW_4G));
	CHECK_EQ((int)fact("facts", "node"), info.node);
	read_text("/sys/class/hpage_map/facts/backing", text, sizeof(text));
	CHECK_STREQ(text, kinds[info.backing]);
	CHECK_EQ(info.backing, HPAGE_MAP_BACKING_BASE);
	CHECK_EQ(destroy("facts"), 0);
}

static void holders_are_counted_by_kind(void)
{
	int a = create("counted", 1, base_page), b = open_name("counted", O_RDONLY);
	char *p = map(a, base_page, RW, MAP_SHARED, 0);

	CHECK_EQ(fact("counted", "descriptors"), 2);
	CHECK_EQ(ask(b).descriptors, 2);
	CHECK_EQ(fact("counted", "mappings"), 1);
	CHECK_EQ(ask(b).mappings, 1);
	map(b, base_page, PROT_READ, MAP_PRIVATE, 0);
	CHECK_EQ(fact("counted", "mappings"), 2);
	close(a);
	CHECK_EQ(fact("counted", "descriptors"), 1);
	CHECK_EQ(munmap(p, base_page), 0);
	CHECK_EQ(fact("counted", "mappings"), 1);
	close(b);
	CHECK_EQ(fact("counted", "descriptors"), 0);
	CHECK_EQ(destroy("counted"), 0);
}

/* The entry with this id, of those that this user sees. */
static bool find(int door, __u32 id, struct hpage_map_info *found)
{
	__u32 last = 0;

	for (found->id = 0; next_buffer(door, found); found->id++) {
		CHECK_GT(found->id, last);
		last = found->id;
		if (found->id == id)
			return true;
	}
	return false;
}

struct seen {
	int door;
	__u32 anonymous, named, standard;
};

static void sees_no_others(void *arg)
{
	struct seen *s = arg;
	struct hpage_map_info info;

	become_nobody();
	CHECK(!find(s->door, s->anonymous, &info));
	CHECK(find(s->door, s->named, &info));
	CHECK_STREQ(info.name, "seen");
	CHECK(find(s->door, s->standard, &info));
	CHECK_STREQ(info.name, "default");
	CHECK_EQ(info.address, 0);
}

/* What has a node can be seen anyway; a tag may tell what its owner does. */
static void list_hides_what_is_somebody_elses(void)
{
	struct hpage_map_alloc a = request(1, base_page, 0);
	struct seen s = { .door = dev_open(O_RDWR) };
	int named = create("seen", 1, base_page);
	struct hpage_map_info info;

	strcpy(a.name, "secret");
	CHECK_EQ(ioctl(s.door, HPAGE_MAP_ALLOC, &a), 0);
	s.anonymous = a.id;
	s.named = ask(named).id;
	s.standard = ask(s.door).id;
	CHECK(find(s.door, s.anonymous, &info));
	CHECK_EQ(info.creator, getpid());
	CHECK_STREQ(info.name, "secret");
	CHECK_EQ(info.descriptors, 1);
	CHECK(info.address);
	CHECK(find(s.door, s.named, &info) && info.attributes & HPAGE_MAP_ATTR_NAMED);
	CHECK(find(s.door, s.standard, &info) && info.attributes & HPAGE_MAP_ATTR_DEFAULT);
	CHECK_EXITS(spawn(sees_no_others, &s));

	/* With its name a buffer loses what everybody may know. */
	CHECK_EQ(destroy("seen"), 0);
	CHECK(find(s.door, s.named, &info) && !(info.attributes & HPAGE_MAP_ATTR_NAMED));
}

/* One's own, on a device that is open to everybody. */
static void list_shows_ones_own(void)
{
	int door = dev_open(O_RDWR), fd = alloc(1, base_page, 0);
	struct hpage_map_info want = ask(fd), info;

	CHECK(find(door, want.id, &info));
	CHECK_EQ(memcmp(&info, &want, sizeof(info)), 0);
	CHECK_EQ(info.uid, getuid());
	CHECK_EQ(info.creator, getpid());
	close(fd);
	CHECK(!find(door, want.id, &info));
}

static void list_starts_where_it_is_told(void)
{
	int a = alloc(1, base_page, 0), b = alloc(1, base_page, 0);
	struct hpage_map_info info = { .id = ask(a).id };
	int door = dev_open(HPAGE_MAP_O_DOOR);

	CHECK(next_buffer(door, &info));
	CHECK_EQ(info.id, ask(a).id);
	info.id++;
	CHECK(next_buffer(door, &info));
	CHECK_EQ(info.id, ask(b).id);
	info.id++;
	CHECK(!next_buffer(door, &info));
	info.id = 0xffffffff;
	CHECK(!next_buffer(door, &info));
	CHECK_EQ(info.id, 0xffffffff);
}

static void comes_and_goes(void *arg)
{
	(void)arg;
	step_done(go[1]);
	for (;;)
		close(alloc(1, base_page, 0));
}

/* A buffer that is found in the list may have lost its last holder just before. */
static void listing_races_with_the_last_close(void)
{
	struct hpage_map_info info = {};
	pid_t pids[2];
	int door = dev_open(HPAGE_MAP_O_DOOR);

	CHECK_EQ(pipe(go), 0);
	for (int i = 0; i < 2; i++) {
		pids[i] = spawn(comes_and_goes, NULL);
		step_wait(go[0]);
	}
	for (int i = 0; i < 1000; i++)
		for (info.id = 0; next_buffer(door, &info); info.id++)
			CHECK(info.length && info.length % info.page_size == 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(kill(pids[i], SIGKILL), 0);
		CHECK_KILLED(pids[i], SIGKILL);
	}
}

/* --- with the module to load -------------------------------------------- */

static int held;

static void makes_and_holds(void *arg)
{
	char *p;

	held = create("held", 2 * pmd_size, 0);
	p = map(held, pmd_size, RW, MAP_SHARED, 0);
	if (arg)
		close(held);
	CHECK_EQ(unload(), -EWOULDBLOCK);
	CHECK(exists("held"));
	p[0] = 1;
}

/* A name holds its buffer, and nobody holds a name: the module may take them along. */
static void unload_destroys_names_that_nobody_holds(void)
{
	CHECK_EQ(set_pool(pmd_size, "nr", 4), 0);
	CHECK_EQ(load(""), 0);
	close(create("one", pmd_size, 0));
	close(create("two", pmd_size, 0));
	CHECK_EQ(pool_of(pmd_size, "free"), 2);
	CHECK_EQ(refcnt(), 0);
	CHECK_EQ(unload(), 0);
	CHECK_EQ(access("/dev/hpage", F_OK), -1);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
}

static void unload_is_refused_while_a_name_is_held(void)
{
	CHECK_EQ(set_pool(pmd_size, "nr", 4), 0);
	CHECK_EQ(load(""), 0);
	CHECK_EXITS(spawn(makes_and_holds, NULL));
	CHECK(exists("held"));
	CHECK_EQ(destroy("held"), 0);
	CHECK_EXITS(spawn(makes_and_holds, &held));
	CHECK(exists("held"));
	CHECK_EQ(unload(), 0);
	CHECK_EQ(pool_of(pmd_size, "free"), 4);
}

/* Who has an attribute open holds nothing; there is nothing to read when the buffer is gone. */
static void open_attributes_do_not_outlive_what_they_are_of(void)
{
	static const char * const attributes[] = {
		"/sys/class/hpage_map/open/size", CLASS "size",
		"/sys/class/hpage_map_reserve/thp-%zukB-node0/pages",
	};
	char path[128], text[32];
	int fds[3];

	CHECK_EQ(load(""), 0);
	close(create("open", 1, base_page));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), attributes[i], pmd_size / 1024);
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		CHECK_GE(fds[i], 0);
		CHECK_GT(read(fds[i], text, sizeof(text)), 0);
	}
	CHECK_EQ(destroy("open"), 0);
	CHECK_ERR(pread(fds[0], text, sizeof(text), 0), ENODEV);
	CHECK_EQ(unload(), 0);
	for (int i = 0; i < 3; i++)
		CHECK_ERR(pread(fds[i], text, sizeof(text), 0), ENODEV);
}

static const struct test tests[] = {
	TEST(a_name_is_there_from_create_to_destroy, ON_ANY | NEEDS_ROOT),
	TEST(the_node_has_mode_and_owner, ON_ANY | NEEDS_ROOT),
	TEST(unrelated_processes_find_it, ON_SMALL | NEEDS_ROOT),
	TEST(a_name_that_is_taken_is_eexist, ON_ANY | NEEDS_ROOT),
	TEST(who_may_only_write_does_not_read, ON_SMALL | NEEDS_ROOT),
	TEST(bad_names_are_refused, ON_ANY | NEEDS_ROOT),
	TEST(a_buffer_that_is_not_to_be_had_leaves_no_name, ON_ANY | NEEDS_ROOT),
	TEST(of_racing_makers_one_wins, ON_SMALL | NEEDS_ROOT),
	TEST(destroy_takes_the_name_and_not_the_pages, ON_ANY | NEEDS_ROOT),
	TEST(the_last_holder_of_a_destroyed_name_frees_it, ON_ANY | NEEDS_ROOT),
	TEST(a_name_is_given_anew_while_the_old_is_held, ON_ANY | NEEDS_ROOT),
	TEST(a_node_held_beyond_its_name_leads_nowhere, ON_ANY | NEEDS_ROOT),
	TEST(opening_races_with_destroying, ON_SMALL | NEEDS_ROOT),
	TEST(sysfs_and_info_agree, ON_ANY | NEEDS_ROOT),
	TEST(holders_are_counted_by_kind, ON_ANY | NEEDS_ROOT),
	TEST(list_hides_what_is_somebody_elses, ON_ANY | NEEDS_ROOT),
	TEST(list_shows_ones_own, ON_ANY),
	TEST(list_starts_where_it_is_told, ON_ANY),
	TEST(listing_races_with_the_last_close, ON_SMALL),
	TEST(unload_destroys_names_that_nobody_holds, ON_NONE),
	TEST(unload_is_refused_while_a_name_is_held, ON_NONE),
	TEST(open_attributes_do_not_outlive_what_they_are_of, ON_NONE),
};

int main(void)
{
	return RUN_TESTS(tests);
}
