// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl demo: what one buffer is good for, done on this machine.
 *
 * Each step does what it prints, and looks whether it was so. A step that this
 * machine or this user cannot have prints why; only one that should have worked
 * makes the demo fail.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "report.h"
#include "touch.h"

#define LENGTH		(16UL << 20)
/* Where the letter is; touch() writes to the first byte of each page. */
#define AT		64

static const char letter[] = "written by the kernel";
static const char reply[] = "written by another process";

/**
 * struct tour - one buffer, from beginning to end
 * @buffer: it
 * @info: what was got
 * @memory: where it is mapped
 * @filled: the letter is in it
 */
struct tour {
	struct hpmap_buffer *buffer;
	struct hpmap_info info;
	char *memory;
	bool filled;
};

/* With --json what is printed; else NULL. */
static struct json_object *steps_done;

static void step_print(const char *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* So that each line is there when it is done, and not all of them at the end. */
static void step_print(const char *step, const char *fmt, ...)
{
	struct json_object *o;
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!steps_done) {
		printf("%-8s %s\n", step, text);
		fflush(stdout);
		return;
	}
	o = json_object_new_object();
	json_text(o, "step", step);
	json_text(o, "text", text);
	json_object_array_add(steps_done, o);
}

/* What the library returns as reasons, a line each. */
static void step_print_why(const char *step, const char *before, const char *why)
{
	size_t length;

	for (; *why; why += length + (why[length] == '\n')) {
		length = strcspn(why, "\n");
		step_print(step, "%s%.*s", before, (int)length, why);
		step = before = "";
	}
}

static int step_wrong(const char *what)
{
	complain("%s (please report this)", what);
	return EXIT_FAILED;
}

static uint64_t pool_free(uint64_t page_size)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };

	return hpmap_get_pool(page_size, -1, &pool) ? 0 : pool.free;
}

static int demo_have(struct tour *t, const struct args *a)
{
	struct hpmap_options o = a->o;
	char text[BUFFER_ROOM];
	int ret;

	o.size = LENGTH;
	ret = hpmap_alloc(&o, &t->buffer);
	if (ret)
		return failed(ret, NULL);
	t->info.struct_size = sizeof(t->info);
	ret = hpmap_info(t->buffer, &t->info);
	if (ret)
		return failed(ret, NULL);
	step_print("have", "%s, from %s", buffer_text(&t->info, text),
		   t->info.backend == HPMAP_BACKEND_MODULE ? "the module" : "memfd");
	step_print_why("", "nothing better: ", hpmap_why(t->buffer));
	return 0;
}

/* As a device fills it: before anybody has mapped it. */
static int demo_fill(struct tour *t)
{
	t->filled = pwrite(hpmap_fd(t->buffer), letter, sizeof(letter), AT) == sizeof(letter);
	if (t->filled)
		step_print("fill", "the kernel wrote to it before anything was mapped");
	else if (t->info.backend == HPMAP_BACKEND_MEMFD &&
		 t->info.backing == HPMAP_BACKING_HUGETLB)
		step_print("fill", "not here: memfd has no write(2) for hugetlb, the module has");
	else
		return step_wrong("it cannot be written before it is mapped");
	return 0;
}

static int demo_map(struct tour *t)
{
	uint64_t few, many;
	void *memory;
	int ret = hpmap_map(t->buffer, 0, &memory);

	if (ret)
		return failed(ret, NULL);
	t->memory = memory;
	few = touch(memory, t->info.size);
	if (t->filled && strcmp(t->memory + AT, letter))
		return step_wrong("what the kernel wrote is not there");
	memory = ordinary_memory(t->info.size);
	if (!memory)
		return EXIT_LESS;
	many = touch(memory, t->info.size);
	munmap(memory, t->info.size);
	step_print("map", "%llu page fault%s to touch all of it; ordinary memory takes %llu",
		   (unsigned long long)few, plural(few), (unsigned long long)many);
	return 0;
}

/* In a process that has nothing of ours but the descriptor. */
static int letter_answer(int fd, uint64_t length)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return 1;
	memcpy(memory + length - sizeof(reply), reply, sizeof(reply));
	return 0;
}

static int demo_share(struct tour *t)
{
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		complain("no other process can be had: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (!pid)
		_exit(letter_answer(hpmap_fd(t->buffer), t->info.size));
	if (waitpid(pid, &status, 0) != pid || status ||
	    strcmp(t->memory + t->info.size - sizeof(reply), reply))
		return step_wrong("what another process wrote is not there");
	step_print("share", "another process mapped it and wrote to it, and it is here");
	return 0;
}

static int pin_without_ring(int err)
{
	char disabled[8] = "";

	file_read(disabled, sizeof(disabled), "/proc/sys/kernel/io_uring_disabled");
	step_print("pin", "not here: io_uring: %s", strerror(err));
	if (err == EPERM && (*disabled == '1' || *disabled == '2'))
		step_print("", "try: sudo sysctl kernel.io_uring_disabled=0");
	else if (err == EPERM || err == EACCES)
		step_print("", "a sandbox forbids it");
	else if (err == ENOMEM)
		step_print("", "try: ulimit -l unlimited");
	return 0;
}

/* For as long as the ring lives, as network and disk I/O on registered buffers needs it. */
static int demo_pin(struct tour *t)
{
	const struct iovec iov = { t->memory, t->info.size };
	struct io_uring_params params = {};
	int ring = syscall(__NR_io_uring_setup, 1, &params), ret;

	if (ring < 0)
		return pin_without_ring(errno);
	ret = syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1) ? errno : 0;
	/* Closing it alone would unpin the pages later, by a worker of the kernel. */
	syscall(__NR_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
	close(ring);
	if (!ret) {
		step_print("pin", "io_uring took all of it as a registered buffer");
	} else if (ret == ENOMEM || ret == EPERM) {
		step_print("pin", "not for this user: io_uring may not lock that much");
		step_print("", "try: ulimit -l unlimited");
	} else {
		step_print("pin", "not on this kernel: io_uring does not take it: %s",
			   strerror(ret));
	}
	return 0;
}

static int demo_export(struct tour *t)
{
	int fd, ret = hpmap_export_dmabuf(t->buffer, &fd);

	if (ret) {
		step_print_why("export", "not here: ", hpmap_why(NULL));
		return 0;
	}
	ret = lseek(fd, 0, SEEK_END) == (off_t)t->info.size;
	close(fd);
	if (!ret)
		return step_wrong("its dma-buf has another size");
	step_print("export", "a dma-buf of all of it, for graphics, cameras and network cards");
	return 0;
}

/* Has it still a holder? Pages that the kernel lets go of a moment later are none. */
static bool buffer_is_held(uint32_t id)
{
	struct held h;

	return !held_read(id, &h) && held_at_all(&h);
}

/* Pages may come back to the pool a moment later; not even a second is waited for them. */
static uint64_t pool_free_again(uint64_t page_size, uint64_t wanted)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	for (i = 0; i < 100 && pool_free(page_size) < wanted; i++)
		nanosleep(&moment, NULL);
	return pool_free(page_size);
}

static int demo_give_back(struct tour *t)
{
	uint64_t during = pool_free(t->info.page_size), after;

	hpmap_close(t->buffer);
	t->buffer = NULL;
	if (t->info.backend == HPMAP_BACKEND_MODULE && buffer_is_held(t->info.id))
		return step_wrong("the buffer lives on");
	if (t->info.backing == HPMAP_BACKING_HUGETLB) {
		after = pool_free_again(t->info.page_size, during + t->info.nr_pages);
		step_print("gone", "%llu pages of %s were free in the pool, and now %llu",
		     (unsigned long long)during, SIZE_TEXT(t->info.page_size),
		     (unsigned long long)after);
	} else {
		step_print("gone", "with its last holder; its memory is everybody's again");
	}
	return 0;
}

static int demo_run(const struct args *a)
{
	int (*const steps[])(struct tour *t) = {
		demo_fill, demo_map, demo_share, demo_pin, demo_export, demo_give_back,
	};
	struct tour t = {};
	size_t i;
	int ret;

	if (given(a, OPT_JSON))
		steps_done = json_object_new_array();
	ret = demo_have(&t, a);

	for (i = 0; !ret && i < sizeof(steps) / sizeof(*steps); i++)
		ret = steps[i](&t);
	hpmap_close(t.buffer);
	if (steps_done)
		json_print_member("steps", steps_done);
	return ret;
}

const struct command cmd_demo = {
	.name = "demo",
	.synopsis = "[OPTION]...",
	.summary = "show on this machine what a buffer is good for, in a second",
	.options = (PLACEMENT & ~BIT(OPT_SIZE)) | BIT(OPT_NO_MODULE) | BIT(OPT_JSON),
	.run = demo_run,
};
