// SPDX-License-Identifier: GPL-2.0-only
/* hpagectl create: a buffer with a name. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "command.h"
#include "file.h"
#include "json.h"
#include "report.h"

/* Bytes of huge pages that are free in all pools, and of what files in memory have. */
static void pages_read(int64_t *pooled, int64_t *shared)
{
	struct hpmap_pool pool = { .struct_size = sizeof(pool) };
	uint64_t sizes[32];
	unsigned int nr = 32, i;
	char text[8192], *line;

	*pooled = *shared = 0;
	hpmap_page_sizes(sizes, &nr);
	for (i = 0; i < nr && i < 32; i++)
		if (!hpmap_get_pool(sizes[i], -1, &pool))
			*pooled += pool.free * sizes[i];
	if (file_read(text, sizeof(text), "/proc/meminfo") > 0) {
		line = strstr(text, "\nShmem:");
		*shared = line ? strtoll(line + strlen("\nShmem:"), NULL, 10) * 1024 : 0;
	}
}

/*
 * A child that shows how far the kernel has come, from the second second on, for as long as it
 * lives. It sees what all on this machine take and give. Returns its process ID, or -1.
 */
static pid_t watcher_start(uint64_t size)
{
	const struct timespec moment = { .tv_nsec = 200 * 1000 * 1000 };
	int64_t pooled, shared, pooled_now, shared_now, done;
	pid_t pid, parent = getpid();

	if (!isatty(STDERR_FILENO))
		return -1;
	pages_read(&pooled, &shared);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	sleep(1);
	for (;;) {
		pages_read(&pooled_now, &shared_now);
		done = pooled - pooled_now + shared_now - shared;
		done = done < 0 ? 0 : done > (int64_t)size ? (int64_t)size : done;
		progress("MiB", done >> 20, size >> 20);
		nanosleep(&moment, NULL);
	}
}

static void watcher_end(pid_t pid)
{
	if (pid < 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	progress_end();
}

static int create_make(const struct hpmap_options *o, struct hpmap_buffer **buffer,
		       struct hpmap_info *info)
{
	pid_t watcher = watcher_start(o->size);
	int ret = hpmap_create(o, buffer);

	watcher_end(watcher);
	if (ret)
		return failed(ret, o->name);
	ret = hpmap_info(*buffer, info);
	if (!ret)
		return 0;
	hpmap_close(*buffer);
	return failed(ret, o->name);
}

static int create_run(const struct args *a)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	struct hpmap_options o = a->o;
	struct hpmap_buffer *buffer;
	char text[BUFFER_ROOM];
	struct json_object *json;
	int ret;

	o.name = a->words[0];
	if (!given(a, OPT_SIZE)) {
		complain("how large?" TRY "hpagectl create %s --size 64M", o.name);
		return EXIT_USAGE;
	}
	ret = buffer_name_check(o.name, o.name);
	if (!ret)
		ret = buffer_page_size_check(o.name, o.page_size);
	if (ret)
		return ret;
	if (buffer_exists(o.name)) {
		complain("%s: there is a buffer named %s already" TRY "hpagectl info %s", o.name,
			 o.name, o.name);
		return EXIT_FAILED;
	}
	if (given(a, OPT_DRY_RUN)) {
		ret = buffer_door_check(o.name);
		if (!ret)
			printf("would make /dev/hpage/%s with %s\n", o.name, SIZE_TEXT(o.size));
		return ret;
	}
	ret = create_make(&o, &buffer, &info);
	if (ret)
		return ret;
	if (given(a, OPT_JSON)) {
		json = buffer_json(&info);
		json_text(json, "why", hpmap_why(buffer));
		json_print(json);
	} else {
		printf("/dev/hpage/%s has %s\n", o.name, buffer_text(&info, text));
		print_why(hpmap_why(buffer));
	}
	hpmap_close(buffer);
	return EXIT_OK;
}

const struct command cmd_create = {
	.name = "create",
	.synopsis = "NAME --size SIZE [OPTION]...",
	.summary = "make a buffer with a name, /dev/hpage/NAME",
	.more = "It stays until \"hpagectl destroy NAME\" or until the module is removed.\n",
	.options = PLACEMENT | BIT(OPT_MODE) | BIT(OPT_OWNER) | BIT(OPT_GROUP) | BIT(OPT_JSON) |
		   BIT(OPT_DRY_RUN),
	.min_words = 1,
	.max_words = 1,
	.run = create_run,
};
