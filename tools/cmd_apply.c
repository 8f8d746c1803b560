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
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hpagectl.h"

#define DIRECTORY	"/etc/hpage-map.d"

/**
 * struct wish - a file
 * @path: of the file
 * @o: what to make
 * @name: of the buffer
 * @near_device: or empty
 */
struct wish {
	char *path;
	struct hpmap_options o;
	char name[HPMAP_NAME_SIZE];
	char near_device[HPMAP_NAME_SIZE];
};

static int copy(char to[HPMAP_NAME_SIZE], const char *value)
{
	if (!*value || strlen(value) >= HPMAP_NAME_SIZE)
		return -EINVAL;
	strcpy(to, value);
	return 0;
}

static int set_name(struct wish *w, const char *value)
{
	w->o.name = w->name;
	return copy(w->name, value);
}

static int set_size(struct wish *w, const char *value)
{
	return size_read(value, &w->o.length) || !w->o.length ? -EINVAL : 0;
}

static int set_page_size(struct wish *w, const char *value)
{
	return size_read(value, &w->o.page_size) ? -EINVAL : 0;
}

static int set_node(struct wish *w, const char *value)
{
	uint64_t node;

	if (number_read(value, &node) || node >= MAX_NODES)
		return -EINVAL;
	w->o.node = node;
	w->o.policy = HPMAP_POLICY_PREFERRED;
	return 0;
}

static int set_near(struct wish *w, const char *value)
{
	w->o.near_device = w->near_device;
	return copy(w->near_device, value);
}

/* As systemd reads them. */
static int set_flag(struct wish *w, const char *value, uint32_t flag)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };
	int i;

	for (i = 0; i < 4; i++) {
		if (!strcasecmp(value, yes[i])) {
			w->o.flags |= flag;
			return 0;
		}
		if (!strcasecmp(value, no[i])) {
			w->o.flags &= ~flag;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_contiguous(struct wish *w, const char *value)
{
	return set_flag(w, value, HPMAP_CONTIGUOUS);
}

static int set_below_4g(struct wish *w, const char *value)
{
	return set_flag(w, value, HPMAP_BELOW_4G);
}

static int set_exact(struct wish *w, const char *value)
{
	return set_flag(w, value, HPMAP_EXACT);
}

static int set_mode(struct wish *w, const char *value)
{
	return read_mode(value, &w->o.mode);
}

static int set_owner(struct wish *w, const char *value)
{
	return read_user(value, &w->o.uid);
}

static int set_group(struct wish *w, const char *value)
{
	return read_group(value, &w->o.gid);
}

static const struct {
	const char *name;
	int (*set)(struct wish *w, const char *value);
} keys[] = {
	{ "Name", set_name },
	{ "Size", set_size },
	{ "PageSize", set_page_size },
	{ "Node", set_node },
	{ "Near", set_near },
	{ "Contiguous", set_contiguous },
	{ "Below4G", set_below_4g },
	{ "Exact", set_exact },
	{ "Mode", set_mode },
	{ "Owner", set_owner },
	{ "Group", set_group },
};

static const char *set_key(void *data, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i].name, key))
			return keys[i].set(data, value) ? "the value makes no sense" : NULL;
	return ini_no_such_key;
}

static int make(const struct wish *w)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *buffer;
	char text[160];
	/* Asked first, so that no page is zeroed for what exists. */
	int ret = name_taken(w->name) ? -EEXIST : hpmap_create(&w->o, &buffer);

	if (ret == -EEXIST) {
		printf("%s: %s exists and is left as it is\n", w->path, w->name);
		return EXIT_OK;
	}
	if (ret)
		return failed(ret, w->path);
	ret = hpmap_info(buffer, &info);
	if (!ret) {
		describe(text, sizeof(text), info.length, info.page_size, info.backing,
			 info.nr_runs, info.node);
		printf("%s: %s made, %s\n", w->path, w->name, text);
		if (*hpmap_why(buffer))
			printf("nothing better, because: %s\n", hpmap_why(buffer));
	}
	hpmap_free(buffer);
	return ret ? failed(ret, w->path) : EXIT_OK;
}

/* Can it be made? The @nr wishes @before have their names. Complains, and returns an exit code. */
static int check(const struct wish *w, const struct wish *before, int nr)
{
	int i;

	if (!w->o.name || !w->o.length) {
		complain("%s: %s= is missing (try: man 5 hpage-map.d)", w->path,
			 w->o.name ? "Size" : "Name");
		return EXIT_USAGE;
	}
	if (w->o.near_device && w->o.policy) {
		complain("%s: Node= and Near= exclude each other", w->path);
		return EXIT_USAGE;
	}
	for (i = 0; i < nr; i++) {
		if (strcmp(before[i].name, w->name))
			continue;
		complain("%s: %s has the name %s already (try: another name)", w->path,
			 before[i].path, w->name);
		return EXIT_USAGE;
	}
	return check_name(w->path, w->name);
}

static int apply_file(struct wish *w, const struct wish *before, int nr)
{
	int ret = ini_read(w->path, "Buffer", set_key, w);

	if (!ret)
		ret = check(w, before, nr);
	return ret ? ret : make(w);
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return *entry->d_name != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int apply_all(const char *dir, struct dirent **entries, int nr)
{
	struct wish *wishes = calloc(nr, sizeof(*wishes));
	int i, ret, worst = EXIT_OK;

	for (i = 0; wishes && i < nr; i++) {
		wishes[i].o.size = sizeof(wishes[i].o);
		if (asprintf(&wishes[i].path, "%s/%s", dir, entries[i]->d_name) < 0)
			abort();
		ret = apply_file(&wishes[i], wishes, i);
		if (ret)
			worst = ret;
	}
	for (i = 0; wishes && i < nr; i++)
		free(wishes[i].path);
	free(wishes);
	return wishes ? worst : EXIT_FAILED;
}

static int apply(const struct args *a)
{
	const char *dir = a->nr_words ? a->words[0] : DIRECTORY;
	struct dirent **entries = NULL;
	int nr = scandir(dir, &entries, is_conf, alphasort), ret = EXIT_OK, i;

	if (nr < 0 && errno == ENOENT && !a->nr_words)
		nr = 0;
	if (nr < 0) {
		complain("%s: %s", dir, strerror(errno));
		return exit_code(-errno);
	}
	if (nr)
		ret = apply_all(dir, entries, nr);
	else
		printf("no file *.conf in %s, nothing to do (try: man 5 hpage-map.d)\n", dir);
	for (i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	return ret;
}

const struct command cmd_apply = {
	.name = "apply",
	.synopsis = "[DIRECTORY]",
	.summary = "make the buffers of /etc/hpage-map.d/*.conf that do not exist yet",
	.more = "Those that exist are left as they are. The service hpage-map does this at boot.\n",
	.max_words = 1,
	.run = apply,
};
