// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl apply: make the buffers that files describe, as at boot.
 *
 * What exists is left as it is, so that it can be done again at any time. One
 * that fails does not keep the others from being made.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hpagectl.h"

#define DIRECTORY	"/etc/hpage-map.d"

/**
 * struct wish - a file
 * @o: what to make
 * @name: of the buffer
 * @near_device: or empty
 */
struct wish {
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

	if (number_read(value, &node) || node > 1023)
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

/* -ENOENT would be a key that does not exist. */
static int set_owner(struct wish *w, const char *value)
{
	return read_user(value, &w->o.uid) ? -EINVAL : 0;
}

static int set_group(struct wish *w, const char *value)
{
	return read_group(value, &w->o.gid) ? -EINVAL : 0;
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

static int set_key(void *data, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i].name, key))
			return keys[i].set(data, value);
	return -ENOENT;
}

static int make(const char *path, const struct wish *w)
{
	struct hpmap_info info = { .size = sizeof(info) };
	struct hpmap_buffer *buffer;
	char text[160];
	int ret = hpmap_create(&w->o, &buffer);

	if (ret == -EEXIST) {
		printf("%s: %s exists and is left as it is\n", path, w->name);
		return EXIT_OK;
	}
	if (ret)
		return failed(ret, path);
	ret = hpmap_info(buffer, &info);
	if (!ret) {
		describe(text, sizeof(text), info.length, info.page_size, info.backing,
			 info.nr_runs, info.node);
		printf("%s: %s made, %s\n", path, w->name, text);
		if (*hpmap_why(buffer))
			printf("nothing better, because: %s\n", hpmap_why(buffer));
	}
	hpmap_free(buffer);
	return ret ? failed(ret, path) : EXIT_OK;
}

static int apply_file(const char *path)
{
	struct wish w = { .o = { .size = sizeof(w.o) } };
	int ret = ini_read(path, "Buffer", set_key, &w);

	if (ret)
		return ret;
	if (!w.o.name || !w.o.length) {
		complain("%s: %s= is missing (try: man 5 hpage-map.d)", path,
			 w.o.name ? "Size" : "Name");
		return EXIT_USAGE;
	}
	if (w.o.near_device && w.o.policy) {
		complain("%s: Node= and Near= exclude each other", path);
		return EXIT_USAGE;
	}
	return make(path, &w);
}

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return *entry->d_name != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int apply(const struct args *a)
{
	const char *dir = a->nr_words ? a->words[0] : DIRECTORY;
	struct dirent **entries;
	int nr = scandir(dir, &entries, is_conf, alphasort), i, ret, worst = EXIT_OK;
	char path[512];

	if (nr < 0 && errno == ENOENT && !a->nr_words)
		nr = 0;
	if (nr < 0) {
		complain("%s: %s", dir, strerror(errno));
		return exit_code(-errno);
	}
	if (!nr)
		printf("no file *.conf in %s, nothing to do (try: man 5 hpage-map.d)\n", dir);
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		ret = apply_file(path);
		if (ret)
			worst = ret;
		free(entries[i]);
	}
	if (nr)
		free(entries);
	return worst;
}

const struct command cmd_apply = {
	.name = "apply",
	.synopsis = "[DIRECTORY]",
	.summary = "make the buffers of /etc/hpage-map.d/*.conf that do not exist yet",
	.more = "Those that exist are left as they are. The service hpage-map does this at boot.\n",
	.max_words = 1,
	.run = apply,
};
