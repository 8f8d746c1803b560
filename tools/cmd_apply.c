// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl apply: set the pools and reserves and make the buffers that files
 * describe, as at boot.
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
#include "cmd_pool.h"
#include "cmd_reserve.h"
#include "command.h"
#include "ini.h"
#include "json.h"
#include "report.h"
#include "save.h"

/* In this order: reserves take from pools, and buffers from both. */
enum { SECTION_POOL, SECTION_RESERVE, SECTION_BUFFER, NR_SECTIONS };

static const char *const sections[NR_SECTIONS + 1] = { "Pool", "Reserve", "Buffer", NULL };

static const uint64_t section_keys[NR_SECTIONS] = {
	[SECTION_POOL] = BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_SET) | BIT(OPT_OVERCOMMIT),
	[SECTION_RESERVE] = BIT(OPT_BACKING) | BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_SET),
	[SECTION_BUFFER] = PLACEMENT | BIT(OPT_NAME) | BIT(OPT_MODE) | BIT(OPT_OWNER) |
			   BIT(OPT_GROUP),
};

/**
 * struct wish - a file
 * @path: of the file
 * @section: when it is its turn
 * @quiet: nothing is to be printed
 * @result: what became of it, unless it failed
 * @ini: what stands in it, to which @args points
 * @args: what is asked for
 */
struct wish {
	char *path;
	int section;
	bool quiet;
	const char *result;
	struct ini ini;
	struct args args;
};

static int key_set(struct wish *w, const struct ini_entry *e)
{
	int option = option_by_key(e->key);

	if (option < 0 || !(BIT(option) & section_keys[w->ini.section])) {
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
	int ret = ini_read(w->path, sections, &w->ini), wrong;
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
	ret = buffer_name_check(w->path, name);
	return ret ? ret : buffer_page_size_check(w->path, w->args.o.page_size);
}

static int wish_make(struct wish *w, bool dry_run)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	const char *name = w->args.o.name;
	struct hpmap_buffer *buffer;
	char text[BUFFER_ROOM];
	/* Asked first, so that no page is zeroed for what exists. */
	int ret = buffer_exists(name) ? -EEXIST :
		  dry_run ? 0 : hpmap_create(&w->args.o, &buffer);

	if (ret == -EEXIST) {
		w->result = "exists";
		if (!w->quiet) {
			about_print(stdout);
			printf("%s exists and is left as it is\n", name);
		}
		return EXIT_OK;
	}
	if (ret)
		return failed(ret, NULL);
	if (dry_run) {
		about_print(stdout);
		printf("would make /dev/hpage/%s with %s\n", name, SIZE_TEXT(w->args.o.size));
		return EXIT_OK;
	}
	ret = hpmap_info(buffer, &info);
	if (ret) {
		ret = failed(ret, NULL);
	} else if (!w->quiet) {
		about_print(stdout);
		printf("%s made, %s\n", name, buffer_text(&info, text));
		print_why(hpmap_why(buffer));
	}
	hpmap_close(buffer);
	return ret;
}

/* Set a pool or a reserve. Complains, and returns an exit code. */
static int wish_set(struct wish *w, bool dry_run)
{
	const struct args *a = &w->args;
	bool pages = given(a, OPT_SET);
	int ret = options_check(&w->args, w->path);

	if (ret)
		return ret;
	if (!a->o.page_size || (!pages && !given(a, OPT_OVERCOMMIT))) {
		complain("%s: %s= is missing" TRY "man 5 hpage-map.d", w->path,
			 a->o.page_size ? "Pages" : "PageSize");
		return EXIT_USAGE;
	}
	/* It would be another number each time. */
	if (a->set.sign || a->overcommit.sign) {
		complain("%s: %s=%s is a difference, and no number" TRY "man 5 hpage-map.d",
			 w->path, a->set.sign ? "Pages" : "Overcommit",
			 a->set.sign ? a->set.text : a->overcommit.text);
		return EXIT_USAGE;
	}
	/* Who wrote the file has said yes. */
	w->args.given |= BIT(OPT_YES) | (dry_run ? BIT(OPT_DRY_RUN) : 0) |
			 (w->quiet ? BIT(OPT_JSON) : 0);
	w->result = "set";
	report_about(w->path);
	ret = w->ini.section == SECTION_POOL ? pool_set(a) : reserve_set(a);
	report_about(NULL);
	return ret;
}

static int apply_file(struct wish *w, const struct wish *before, int nr, bool dry_run)
{
	int ret = wish_read(w);

	if (!ret && w->ini.section >= 0 && w->ini.section != SECTION_BUFFER)
		return wish_set(w, dry_run);
	if (!ret)
		ret = wish_check(w, before, nr);
	if (ret)
		return ret;
	report_about(w->path);
	ret = wish_make(w, dry_run);
	report_about(NULL);
	return ret;
}

static void result_add(struct json_object *files, const struct wish *w, int ret)
{
	struct json_object *o = json_object_new_object();

	json_text(o, "path", w->path);
	json_text(o, "result", ret ? "failed" : w->result);
	json_object_array_add(files, o);
}

static int apply_files(const struct args *a, const char *dir, struct dirent **entries, int nr)
{
	struct json_object *files = json_object_new_array();
	struct wish *wishes = calloc(nr + 1, sizeof(*wishes));
	int i, section, ret, worst = EXIT_OK;

	if (!wishes)
		return EXIT_FAILED;
	for (i = 0; i < nr; i++) {
		if (asprintf(&wishes[i].path, "%s/%s", dir, entries[i]->d_name) < 0)
			abort();
		/* What is wrong is told with the buffers. */
		wishes[i].quiet = given(a, OPT_JSON);
		wishes[i].result = "made";
		section = ini_peek(wishes[i].path, sections);
		wishes[i].section = section < 0 ? SECTION_BUFFER : section;
	}
	for (section = 0; section < NR_SECTIONS; section++) {
		for (i = 0; i < nr; i++) {
			if (wishes[i].section != section)
				continue;
			ret = apply_file(&wishes[i], wishes, i, given(a, OPT_DRY_RUN));
			result_add(files, &wishes[i], ret);
			if (ret)
				worst = ret;
		}
	}
	for (i = 0; i < nr; i++) {
		ini_free(&wishes[i].ini);
		free(wishes[i].path);
	}
	free(wishes);
	if (given(a, OPT_JSON))
		json_print_member("files", files);
	else
		json_object_put(files);
	return worst;
}

static int entry_is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return *entry->d_name != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int apply_run(const struct args *a)
{
	const char *dir = a->nr_words ? a->words[0] : CONF_DIR;
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, entry_is_conf, alphasort), err = errno, ret = EXIT_OK, i;

	if (nr < 0 && err == ENOENT && !a->nr_words)
		nr = 0;
	if (nr < 0) {
		complain("%s: %s", dir, strerror(err));
		return exit_code(-err);
	}
	if (nr || given(a, OPT_JSON))
		ret = apply_files(a, dir, entries, nr);
	else
		printf("no file *.conf in %s, nothing to do" TRY "man 5 hpage-map.d\n", dir);
	for (i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	return ret;
}

const struct command cmd_apply = {
	.name = "apply",
	.synopsis = "[DIRECTORY] [--dry-run | --json]",
	.summary = "set pools and make buffers as /etc/hpage-map.d/*.conf describe them",
	.more = "Buffers that exist are left as they are. hpage-map.service does this at boot.\n",
	.options = BIT(OPT_DRY_RUN) | BIT(OPT_JSON),
	.max_words = 1,
	.run = apply_run,
};
