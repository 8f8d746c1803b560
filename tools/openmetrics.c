// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers for a monitoring system: OpenMetrics 1.0, of which only what the older
 * text format of Prometheus has is used, so that the textfile collector of its
 * node exporter takes it, too. Samples of a family stand together.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"
#include "names.h"
#include "openmetrics.h"
#include "report.h"

/**
 * struct sample - a buffer as it was looked at
 * @info: what it is
 * @held: who holds it
 */
struct sample {
	struct hpmap_info info;
	struct held held;
};

static uint64_t sample_size(const struct sample *s)
{
	return s->info.size;
}

static uint64_t sample_page_size(const struct sample *s)
{
	return s->info.page_size;
}

static uint64_t sample_runs(const struct sample *s)
{
	return s->info.nr_runs;
}

static uint64_t sample_descriptors(const struct sample *s)
{
	return s->held.descriptors;
}

static uint64_t sample_mappings(const struct sample *s)
{
	return s->held.mappings;
}

static uint64_t sample_exports(const struct sample *s)
{
	return s->held.exports;
}

static uint64_t sample_drivers(const struct sample *s)
{
	return s->held.drivers;
}

static uint64_t sample_devices(const struct sample *s)
{
	return s->held.devices;
}

static uint64_t sample_lingering(const struct sample *s)
{
	return s->held.lingering;
}

/* A name with a unit ends with it. */
static const struct {
	const char *name;
	const char *unit;
	const char *help;
	uint64_t (*value)(const struct sample *s);
} families[] = {
	{ "size_bytes", "bytes", "Size of the buffer.", sample_size },
	{ "page_size_bytes", "bytes", "Size of one of its pages.", sample_page_size },
	{ "runs", NULL, "Physically contiguous runs of its pages.", sample_runs },
	{ "descriptors", NULL, "Open files that hold it.", sample_descriptors },
	{ "mappings", NULL, "Mappings that hold it.", sample_mappings },
	{ "exports", NULL, "Dma-bufs that hold it.", sample_exports },
	{ "drivers", NULL, "References of other drivers that hold it.", sample_drivers },
	{ "devices", NULL, "Mappings for devices that hold it.", sample_devices },
	{ "lingering_pages", "pages", "Pages still in use after its last holder has gone.",
	  sample_lingering },
};

static void family_print(const char *name, const char *unit, const char *help)
{
	printf("# TYPE %s gauge\n", name);
	if (unit)
		printf("# UNIT %s %s\n", name, unit);
	printf("# HELP %s %s\n", name, help);
}

/* A backslash, a quote and a newline are escaped. */
static void label_print(const char *name, const char *value)
{
	printf("%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", stdout);
		else
			printf("%s%c", *value == '\\' || *value == '"' ? "\\" : "", *value);
	}
	putchar('"');
}

static void sample_print(const char *family, const struct sample *s, uint64_t value)
{
	char user[USER_ROOM], node[NODE_ROOM];

	printf("%s{id=\"%u\",", family, s->info.id);
	label_print("name", s->info.name);
	putchar(',');
	label_print("backing", backing_name(s->info.backing));
	putchar(',');
	label_print("node", node_name(s->info.node, node));
	putchar(',');
	label_print("user", user_name(s->info.uid, user));
	printf("} %" PRIu64 "\n", value);
}

/* All buffers, of which free() is due. Returns -ENOENT when all were read, or -errno. */
static int samples_read(struct sample **samples, size_t *nr)
{
	struct hpmap_info info = { .struct_size = sizeof(info) };
	uint32_t id;
	int ret;

	for (id = 0; !(ret = hpmap_next(id, &info)); id = info.id + 1) {
		*samples = realloc(*samples, (*nr + 1) * sizeof(**samples));
		if (!*samples)
			abort();
		(*samples)[*nr].info = info;
		held_of(&info, &(*samples)[(*nr)++].held);
	}
	return ret;
}

/* Print all buffers. Complains, and returns an exit code. */
int openmetrics_print(void)
{
	struct sample *samples = NULL;
	size_t nr = 0, f, i;
	char name[64];
	int ret = samples_read(&samples, &nr);

	if (ret != -ENOENT) {
		free(samples);
		return failed(ret, NULL);
	}
	family_print("hpage_map_buffers", NULL, "Buffers that hpagectl may see.");
	printf("hpage_map_buffers %zu\n", nr);
	for (f = 0; f < sizeof(families) / sizeof(*families); f++) {
		snprintf(name, sizeof(name), "hpage_map_buffer_%s", families[f].name);
		family_print(name, families[f].unit, families[f].help);
		for (i = 0; i < nr; i++)
			sample_print(name, &samples[i], families[f].value(&samples[i]));
	}
	puts("# EOF");
	free(samples);
	return EXIT_OK;
}
