// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl apply: make the buffers that files describe, as at boot.
 *
 * What exists is left as it is, so that it can be done again at any time. One
 * that fails does not keep the others from being made.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "command.h"
#include "ini.h"
#include "report.h"

#define DIRECTORY	"/etc/hpage-map.d"

/**
 * struct wish - a file
 * @path: of the file
 * @ini: what stands in it, to which @args points
 * @args: what is asked for
 */
struct wish {
	char *path;
	struct ini ini;
	struct args args;
};

static int key_set(struct wish *w, const struct ini_entry *e)
{
	int option = option_by_key(e->key);

	if (option < 0) {
		complain("%s:%d: there is no key %s", w->path, e->line, e->key);
		return EXIT_USAGE;
	}
	if (!option_set(&w->args, option, e->value))
		return 0;
	complain("%s:%d: %s=%s is not understood; it is %s", w->path, e->line, e->key, e->value,
		 option_specs[option].arg ? option_specs[option].help : "yes or no");
	return EXIT_USAGE;
}

static int wish_read(struct wish *w)
{
	int ret = ini_read(w->path, "Buffer", &w->ini), wrong;
	size_t i;

	options_init(&w->args);
	for (i = 0; i < w->ini.nr; i++) {
		wrong = key_set(w, &w->ini.entries[i]);
		if (wrong)
			ret = wrong;
	}
	if (ret == EXIT_USAGE)
		try_this("man 5 hpage-map.d");
	return ret;
}

/* Can it be made? The @nr wishes @before have their names. Complains, and returns an exit code. */
static int wish_check(struct wish *w, const struct wish *before, int nr)
{
	const char *name = w->args.o.name, *other;
	int ret = options_check(&w->args, w->path), i;

	if (ret)
		return ret;
	if (!name || !w->args.o.size) {
		complain("%s: %s= is missing" TRY "man 5 hpage-map.d", w->path,
			 name ? "Size" : "Name");
		return EXIT_USAGE;
	}
	for (i = 0; i < nr; i++) {
		other = before[i].args.o.name;
		if (!other || strcmp(other, name))
			continue;
		complain("%s: %s has the name %s already", w->path, before[i].path, name);
		return EXIT_USAGE;
	}
	return buffer_name_check(w->path, name);
}

static int wish_make(const struct wish *w, bool dry_run)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	const char *name = w->args.o.name;
	struct hpmap_buffer *buffer;
	char text[BUFFER_ROOM];
	/* Asked first, so that no page is zeroed for what exists. */
	int ret = buffer_exists(name) ? -EEXIST :
		  dry_run ? 0 : hpmap_create(&w->args.o, &buffer);

	if (ret == -EEXIST) {
		printf("%s: %s exists and is left as it is\n", w->path, name);
		return EXIT_OK;
	}
	if (ret)
		return failed(ret, w->path);
	if (dry_run) {
		printf("%s: would make /dev/hpage/%s with %s\n", w->path, name,
		       SIZE_TEXT(w->args.o.length));
		return EXIT_OK;
	}
	ret = hpmap_info(buffer, &info);
	if (ret) {
		ret = failed(ret, w->path);
	} else {
		printf("%s: %s made, %s\n", w->path, name, buffer_text(&info, text));
		print_why(hpmap_why(buffer));
	}
	hpmap_close(buffer);
	return ret;
}

static int apply_file(struct wish *w, const struct wish *before, int nr, bool dry_run)
{
	int ret = wish_read(w);

	if (!ret)
		ret = wish_check(w, before, nr);
	return ret ? ret : wish_make(w, dry_run);
}

static int apply_files(const char *dir, struct dirent **entries, int nr, bool dry_run)
{
	struct wish *wishes = calloc(nr, sizeof(*wishes));
	int i, ret, worst = EXIT_OK;

	if (!wishes)
		return EXIT_FAILED;
	for (i = 0; i < nr; i++) {
		if (asprintf(&wishes[i].path, "%s/%s", dir, entries[i]->d_name) < 0)
			abort();
		ret = apply_file(&wishes[i], wishes, i, dry_run);
		if (ret)
			worst = ret;
	}
	for (i = 0; i < nr; i++) {
		ini_free(&wishes[i].ini);
		free(wishes[i].path);
	}
	free(wishes);
	return worst;
}

static int entry_is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return *entry->d_name != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int apply_run(const struct args *a)
{
	const char *dir = a->nr_words ? a->words[0] : DIRECTORY;
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, entry_is_conf, alphasort), ret = EXIT_OK, i;

	if (nr < 0 && errno == ENOENT && !a->nr_words)
		nr = 0;
	if (nr < 0) {
		complain("%s: %s", dir, strerror(errno));
		return exit_code(-errno);
	}
	if (nr)
		ret = apply_files(dir, entries, nr, given(a, OPT_DRY_RUN));
	else
		printf("no file *.conf in %s, nothing to do" TRY "man 5 hpage-map.d\n", dir);
	for (i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	return ret;
}

const struct command cmd_apply = {
	.name = "apply",
	.synopsis = "[DIRECTORY] [--dry-run]",
	.summary = "make the buffers of /etc/hpage-map.d/*.conf that do not exist yet",
	.more = "Those that exist are left as they are. The service hpage-map does this at boot.\n",
	.options = BIT(OPT_DRY_RUN),
	.max_words = 1,
	.run = apply_run,
};
