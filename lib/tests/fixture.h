/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the library stand on. */
#ifndef HPMAP_FIXTURE_H
#define HPMAP_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../hpage_map.h"

#define MIB	(1UL << 20)

/* It must return 0; else the test fails with the reason that the library gives. */
#define ok(call)	do {							\
	int _ret = (call);							\
	if (_ret)								\
		fail_msg("%s: %s: %s", #call, strerror(-_ret), hpmap_why(NULL));	\
} while (0)

/* A test leaves descriptors and mappings as it found them. */
#define TEST(name)	cmocka_unit_test_setup_teardown(name, before, after)
#define RUN(name, tests)	cmocka_run_group_tests_name(name, tests, NULL, NULL)

int before(void **state);
int after(void **state);

/* As root in a virtual machine that has the module, and a pool of 2 MiB pages. */
extern bool with_module;

struct hpmap_info info_of(const struct hpmap_buffer *b);
struct hpmap_buffer *alloc(size_t length);
/* Of memory in many runs, which must be unmapped: @memory of @size bytes. Needs the module. */
struct hpmap_buffer *pinned_in_runs(void **memory, size_t size);
/* That a program has put "hello" at its beginning; the dma-buf is closed then. */
void dmabuf_has_hello(int dmabuf, size_t length);

/* Does fn return true in a process of its own? */
bool in_child(bool (*fn)(void));

/* For a child: a call returned @want, for a reason with @words. */
bool refused(int ret, int want, const char *words);

/*
 * From now on a system call is @err in this process; also only if @test of the argument @arg and
 * @with. Or it kills.
 */
bool forbid(unsigned int nr, unsigned int err);
bool forbid_if(unsigned int nr, unsigned int arg, unsigned int test, unsigned int with,
	       unsigned int err);
bool deadly(unsigned int nr);

/* What fn returns in a process of its own, which is nobody's. */
int as_nobody(int (*fn)(void));

/* The groups; each returns how many tests failed. */
int test_options(void);
int test_buffer(void);
int test_window(void);
int test_populate(void);
int test_socket(void);
int test_shortage(void);
int test_stranger(void);
int test_old(void);
int test_forced(void);
int forced_program(void);	/* for HPMAP_TEST=forced */
int test_faults(void);		/* with the static library */
int test_module(void);
int test_setters(void);		/* with the module, too */
int test_nodes(void);
int test_threads(void);		/* on a machine with 72 of them */

#endif
