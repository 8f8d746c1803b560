// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpagectl cdi: buffers as devices of the Container Device Interface.
 *
 * The door and each named buffer are a device. Neither numbers nor the type of a
 * node are written: the runtime of the containers looks at the node when it starts
 * one, and numbers change when the module is loaded again.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buffer.h"
#include "command.h"
#include "json.h"
#include "report.h"
#include "save.h"

/* The oldest that has what is used: names that begin with a digit. */
#define CDI_VERSION	"0.5.0"
#define CDI_KIND	"hpage-map/buffer"
#define CDI_FILE	"hpage-map.json"
/* No buffer has this name. */
#define CDI_DOOR	"hpage_map"
#define DOOR_PATH	"/dev/hpage_map"

/* A device ends with a letter or a digit, a buffer may not. */
static bool cdi_name_is_good(const char *name)
{
	return *name && isalnum((unsigned char)name[strlen(name) - 1]);
}

/* Add a device, with the permissions of its node. Complains, and returns an exit code. */
static int cdi_device_add(struct json_object *devices, const char *name, const char *path)
{
	struct json_object *device = json_object_new_object(), *edits = json_object_new_object();
	struct json_object *nodes = json_object_new_array(), *node = json_object_new_object();
	struct stat st;
	int err;

	json_object_array_add(devices, device);
	json_text(device, "name", name);
	json_object_object_add(device, "containerEdits", edits);
	json_object_object_add(edits, "deviceNodes", nodes);
	json_object_array_add(nodes, node);
	json_text(node, "path", path);
	json_text(node, "permissions", "rw");
	if (stat(path, &st)) {
		err = errno;
		complain("%s: %s", path, strerror(err));
		return exit_code(-err);
	}
	json_number(node, "fileMode", st.st_mode & 0777);
	json_number(node, "uid", st.st_uid);
	json_number(node, "gid", st.st_gid);
	return 0;
}

/* Is this buffer asked for? Without words all are. */
static bool cdi_is_meant(const struct args *a, const char *name)
{
	int i;

	for (i = 0; i < a->nr_words; i++)
		if (!strcmp(a->words[i], name))
			return true;
	return !a->nr_words;
}

static int cdi_buffer_add(const struct args *a, struct json_object *devices,
			  const struct hpmap_info *info)
{
	char path[HPMAP_NAME_SIZE + 16];

	if (!(info->attributes & HPMAP_ATTR_NAMED) || !cdi_is_meant(a, info->name))
		return 0;
	if (!cdi_name_is_good(info->name)) {
		complain("%s: a device of CDI ends with a letter or a digit", info->name);
		return a->nr_words ? EXIT_USAGE : 0;
	}
	snprintf(path, sizeof(path), "/dev/hpage/%s", info->name);
	return cdi_device_add(devices, info->name, path);
}

/* Are all words buffers, or the door? Complains, and returns an exit code. */
static int cdi_words_check(const struct args *a)
{
	int i;

	for (i = 0; i < a->nr_words; i++) {
		if (!strcmp(a->words[i], CDI_DOOR) || buffer_exists(a->words[i]))
			continue;
		complain("there is no named buffer %s" TRY "hpagectl list", a->words[i]);
		return EXIT_NOT_THERE;
	}
	return 0;
}

/* Complains, and returns an exit code. */
static int cdi_devices_add(const struct args *a, struct json_object *devices)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	int ret = cdi_is_meant(a, CDI_DOOR) ? cdi_device_add(devices, CDI_DOOR, DOOR_PATH) : 0;
	uint32_t id;

	for (id = 0; !ret && !(ret = hpmap_next(id, &info)); id = info.id + 1) {
		ret = cdi_buffer_add(a, devices, &info);
		if (ret)
			return ret;
	}
	return ret == -ENOENT ? 0 : ret < 0 ? failed(ret, NULL) : ret;
}

static int cdi_print(const struct args *a, struct json_object *spec)
{
	char *text;
	int ret;

	if (!a->directory)
		return json_print(json_object_get(spec));
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(spec, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		abort();
	ret = save_file(a->directory, CDI_FILE, text, false);
	free(text);
	return ret;
}

static int cdi_run(const struct args *a)
{
	struct json_object *spec = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	int ret;

	json_text(spec, "cdiVersion", CDI_VERSION);
	json_text(spec, "kind", CDI_KIND);
	json_object_object_add(spec, "devices", devices);
	/* With its reason, and before a word is looked for. */
	ret = buffer_door_check(CDI_DOOR);
	if (!ret)
		ret = cdi_words_check(a);
	if (!ret)
		ret = cdi_devices_add(a, devices);
	if (!ret)
		ret = cdi_print(a, spec);
	json_object_put(spec);
	return ret;
}

const struct command cmd_cdi = {
	.name = "cdi",
	.synopsis = "[NAME]... [--write DIRECTORY]",
	.summary = "describe named buffers to podman and Kubernetes as devices of CDI",
	.more = "Then: podman run --device " CDI_KIND "=NAME; " CDI_DOOR " is /dev/hpage_map.\n",
	.options = BIT(OPT_WRITE),
	.max_words = 1000,
	.run = cdi_run,
};
