// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "asker.h"

#include "buffers.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Becomes the helper, in the group, with its input and output at pipes. */
static void become_asker(void *arg)
{
	const struct asker *asker = arg;
	char helper[PATH_MAX] = "";

	CHECK_GE(readlink("/proc/self/exe", helper, sizeof(helper) - 1), 0);
	enter_group();
	CHECK_GE(dup2(asker->to[0], STDIN_FILENO), 0);
	CHECK_GE(dup2(asker->from[1], STDOUT_FILENO), 0);
	strcpy(strrchr(helper, '/'), "/helper_asker");
	execl(helper, helper, asker->does, NULL);
	CHECK_EQ(errno, 0);
}

struct asker asker_begin(const char *does)
{
	struct asker asker = { .does = does };

	make_group("+cpuset");
	CHECK_EQ(write_text(GROUP "cpuset.mems", "0-1"), 0);
	CHECK_EQ(pipe2(asker.to, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(asker.from, O_CLOEXEC), 0);
	asker.pid = spawn(become_asker, &asker);
	close(asker.to[0]);
	close(asker.from[1]);
	step_wait(asker.from[0]);
	return asker;
}

/* It ends with its input. */
void asker_end(const struct asker *asker)
{
	close(asker->to[1]);
	close(asker->from[0]);
	CHECK_EXITS(asker->pid);
	remove_group();
}

void asker_asks(const struct asker *asker, const struct hpage_map_alloc *a)
{
	CHECK_EQ(write(asker->to[1], a, sizeof(*a)), (ssize_t)sizeof(*a));
	step_wait(asker->from[0]);
	if (asker->does && !strcmp(asker->does, "map"))
		step_wait(asker->from[0]);
}

struct asked asker_answers(const struct asker *asker)
{
	struct asked asked;

	step_done(asker->to[1]);
	CHECK_EQ(read(asker->from[0], &asked, sizeof(asked)), (ssize_t)sizeof(asked));
	return asked;
}

struct asked asker_gets(const struct asker *asker, const struct hpage_map_alloc *a, uint64_t on_0,
			uint64_t on_1)
{
	struct asked asked;

	asker_asks(asker, a);
	asked = asker_answers(asker);
	CHECK_EQ(asked.err, 0);
	CHECK_EQ(asked.pages[0], on_0);
	CHECK_EQ(asked.pages[1], on_1);
	return asked;
}
