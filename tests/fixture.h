/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test stands on.
 *
 * A test is a function that runs in a process of its own and ends that
 * process with CHECK() at the first thing that is not so. Around it the
 * parent looks at what a test could leave behind: huge page pools, module
 * references, open descriptors, mappings, buffers, names and the kernel log. A
 * test that changes any of them fails, whatever it thought of itself.
 *
 * A test says where it has a meaning (the backings) and whether it needs
 * root. The runner takes those that fit the suite it was called for, so an
 * ordinary user's run has fewer tests rather than skipped ones.
 */
#ifndef HPM_FIXTURE_H
#define HPM_FIXTURE_H

#include <errno.h>
#include <linux/hpage_map.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DEV		"/dev/hpage_map"
#define CLASS		"/sys/class/hpage_map/hpage_map/"
#define NODES		"/dev/hpage/"		/* of named buffers */
#define TEXT		HPAGE_MAP_TEXT_SIZE

/* Where a test has a meaning. */
enum {
	ON_HUGETLB	= 1 << 0,	/* a pool of pages up to a PMD, with pages to spare */
	ON_GIGANTIC	= 1 << 1,	/* a pool of one gigantic page */
	ON_THP		= 1 << 2,
	ON_BASE		= 1 << 3,
	ON_NONE		= 1 << 4,	/* module not loaded: the test loads it */
	ON_SHMEM	= ON_THP | ON_BASE,
	ON_SMALL	= ON_HUGETLB | ON_SHMEM,
	ON_POOL		= ON_HUGETLB | ON_GIGANTIC,
	ON_ANY		= ON_SMALL | ON_GIGANTIC,
	NEEDS_ROOT	= 1 << 8,
	LOSES_PAGES	= 1 << 9,	/* poisons them: the pool has fewer afterwards */
};

struct test {
	const char *name;
	void (*fn)(void);
	unsigned int where;
};

#define TEST(fn, where)	{ #fn, fn, where }
#define RUN_TESTS(tests) run_suite(tests, sizeof(tests) / sizeof((tests)[0]))

/* The buffer of this suite, as sysfs told it before the first test. */
extern size_t buf_size, buf_page, pmd_size, base_page;
extern unsigned int suite_where;
extern const char *suite_user;		/* root, user or userns */

int run_suite(const struct test *tests, size_t n);

void check_failed(const char *file, int line, const char *what, int err)
	__attribute__((noreturn));

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			check_failed(__FILE__, __LINE__, #cond, errno);	\
	} while (0)

/*
 * Comparisons, which tell both values. Either side is computed once and keeps
 * its type, so that they compare as a and b themselves would.
 */
#define CHECK_EQ(a, b)	CHECK_THAT(a, #a, ==, b, #b)
#define CHECK_NE(a, b)	CHECK_THAT(a, #a, !=, b, #b)
#define CHECK_LT(a, b)	CHECK_THAT(a, #a, <, b, #b)
#define CHECK_LE(a, b)	CHECK_THAT(a, #a, <=, b, #b)
#define CHECK_GT(a, b)	CHECK_THAT(a, #a, >, b, #b)
#define CHECK_GE(a, b)	CHECK_THAT(a, #a, >=, b, #b)

/* Strings that are the same, or not. */
#define CHECK_STREQ(a, b)	check_strings(__FILE__, __LINE__, #a, a, true, #b, b)
#define CHECK_STRNE(a, b)	check_strings(__FILE__, __LINE__, #a, a, false, #b, b)

/*
 * What a loop is at, as printf() has it, told with each check that fails until
 * the end of the block, also in children that begin there.
 */
#define LABEL(...)							\
	struct label CHECK_NAME(label_, __LINE__)			\
		__attribute__((cleanup(label_end)));			\
	label_begin(&CHECK_NAME(label_, __LINE__), __VA_ARGS__)

#define CHECK_THAT(a, a_text, op, b, b_text)				\
	do {								\
		_Pragma("GCC diagnostic push")				\
		_Pragma("GCC diagnostic ignored \"-Wsign-compare\"")	\
		__auto_type a_ = (a);					\
		__auto_type b_ = (b);					\
									\
		if (!(a_ op b_))					\
			compare_failed(__FILE__, __LINE__, a_text, VALUE(a_), \
				       #op, b_text, VALUE(b_), errno);	\
		_Pragma("GCC diagnostic pop")				\
	} while (0)

struct value {
	uint64_t bits;
	enum { SIGNED, UNSIGNED, POINTER } kind;
};

#define VALUE(x)							\
	((struct value){ .bits = (uint64_t)(x), .kind = _Generic((x),	\
		char: SIGNED, signed char: SIGNED, short: SIGNED,	\
		int: SIGNED, long: SIGNED, long long: SIGNED,		\
		bool: UNSIGNED, unsigned char: UNSIGNED,		\
		unsigned short: UNSIGNED, unsigned int: UNSIGNED,	\
		unsigned long: UNSIGNED, unsigned long long: UNSIGNED,	\
		default: POINTER) })

void compare_failed(const char *file, int line, const char *a, struct value a_is,
		    const char *op, const char *b, struct value b_is, int err)
	__attribute__((noreturn));
void check_strings(const char *file, int line, const char *a, const char *a_is, bool same,
		   const char *b, const char *b_is);

struct label {
	char text[96];
	struct label *outer;
};

void label_begin(struct label *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void label_end(struct label *label);

#define CHECK_NAME(a, b)	CHECK_NAME_(a, b)
#define CHECK_NAME_(a, b)	a ## b

/* The call fails with exactly this errno. mmap's failure is -1 as well. */
#define CHECK_ERR(call, err)						\
	do {								\
		errno = 0;						\
		if ((long)(call) != -1 || errno != (err))		\
			check_failed(__FILE__, __LINE__,		\
				     #call " fails with " #err, errno);	\
	} while (0)

/* For a test that may take longer than others, wherever it runs, before it is said to hang. */
void may_take(unsigned int seconds);

/*
 * To wait for what must come by itself: sleep for a moment, or return false when the machine has
 * done nothing for that long since the first poll, in vain. While somebody is at work it does not
 * count how long that takes on this host; what never ends is ended by the runner.
 */
struct polls {
	unsigned int nr;
	int64_t idle;		/* milliseconds, at the first */
};

bool poll_again(struct polls *polls, unsigned int limit_ms);

/* A size as the driver's texts have it; good until the next call. */
const char *size_text(uint64_t bytes);

/*
 * A count in sysfs, of this whole machine. That of mappings is waited for: whoever looks at a
 * mapping for mm/, as khugepaged does, holds its file meanwhile, and that counts as one.
 */
void check_count(const char *file, int line, const char *name, uint64_t want);
#define CHECK_COUNT(name, want)	check_count(__FILE__, __LINE__, name, want)

/* Device and mappings, all checked. */
int dev_open(int flags);
char *map(int fd, size_t len, int prot, int flags, off_t off);
char *map_all(int fd, int prot, int flags);
/* Address space with nothing in it, aligned to a PMD or more. */
char *reserve(size_t len);

/* Buffers of one's own, all checked. */
struct hpage_map_alloc request(size_t len, size_t page_size, unsigned int flags);
int alloc(size_t len, size_t page_size, unsigned int flags);
int alloc_mine(size_t pages);		/* as the default buffer of this suite is made */
size_t plenty(void);			/* pages that a test may have for alloc_mine() */
uint64_t pages_free(void);		/* of the suite's pool; 0 if it has none */
int create(const char *name, size_t len, size_t page_size);
int destroy(const char *name);		/* 0 or -errno */
struct hpage_map_info ask(int fd);
/* The buffer with the lowest id from info->id on, of those that this user sees. */
bool next_buffer(int door, struct hpage_map_info *info);
unsigned int nr_buffers(void);

/* A pattern that tells every 8 bytes apart by seed and offset. */
void fill(void *p, size_t len, uint64_t seed);
bool filled(const void *p, size_t len, uint64_t seed);
bool zeroed(const void *p, size_t len);

/* Children: fn runs in one, and ends it with status 0 by returning. */
pid_t spawn(void (*fn)(void *), void *arg);
int wait_for(pid_t pid);
#define CHECK_EXITS(pid)	CHECK_EQ(wait_for(pid), 0)
#define CHECK_KILLED(pid, sig)	CHECK_EQ(wait_for(pid), -(sig))
void step_done(int fd);			/* one byte into a pipe */
void step_wait(int fd);			/* one byte out of it */

/* Facts. */
long faults(void);
long smaps(const void *addr, const char *field);	/* kB, -1 = no such line */
uint64_t read_u64(const char *path);
void read_text(const char *path, char *buf, size_t len);
int write_text(const char *path, const char *text);	/* 0 or -errno */
uint64_t class_u64(const char *name);
void class_text(const char *name, char *buf, size_t len);
uint64_t pool(const char *name);	/* of the buffer's page size: free, resv, ... */
uint64_t pool_of(size_t page_size, const char *name);
int set_pool(size_t page_size, const char *name, uint64_t pages);
uint64_t pfn_of(const void *addr);	/* root only */
unsigned int refcnt(void);

/* Loading, in ON_NONE tests. */
int load(const char *params);		/* 0 or -errno */
int unload(void);			/* 0 or -errno, never waits */
bool loaded(void);

#endif
