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

enum family {
	FAMILY_SIZE, FAMILY_PAGE_SIZE, FAMILY_RUNS, FAMILY_DESCRIPTORS, FAMILY_MAPPINGS,
	FAMILY_EXPORTS, FAMILY_DRIVERS, FAMILY_DEVICES, FAMILY_LINGERING, NR_FAMILIES
};

/* A name with a unit ends with it. */
static const struct {
	const char *name;
	const char *unit;
	const char *help;
} families[NR_FAMILIES] = {
	[FAMILY_SIZE] = { "size_bytes", "bytes", "Size of the buffer." },
	[FAMILY_PAGE_SIZE] = { "page_size_bytes", "bytes", "Size of one of its pages." },
	[FAMILY_RUNS] = { "runs", NULL, "Physically contiguous runs of its pages." },
	[FAMILY_DESCRIPTORS] = { "descriptors", NULL, "Open files that hold it." },
	[FAMILY_MAPPINGS] = { "mappings", NULL, "Mappings that hold it." },
	[FAMILY_EXPORTS] = { "exports", NULL, "Dma-bufs that hold it." },
	[FAMILY_DRIVERS] = { "drivers", NULL, "References of other drivers that hold it." },
	[FAMILY_DEVICES] = { "devices", NULL, "Mappings for devices that hold it." },
	[FAMILY_LINGERING] = {
		"lingering_pages", "pages", "Pages still in use after its last holder has gone.",
	},
};

/**
 * struct sample - a buffer as it was looked at
 * @info: what it is
 * @values: of each family
 */
struct sample {
	struct hpmap_info info;
	uint64_t values[NR_FAMILIES];
};

static void sample_take(struct sample *s, const struct hpmap_info *info)
{
	struct held held;

	held_of(info, &held);
	*s = (struct sample){
		.info = *info,
		.values = {
			[FAMILY_SIZE] = info->size,
			[FAMILY_PAGE_SIZE] = info->page_size,
			[FAMILY_RUNS] = info->nr_runs,
			[FAMILY_DESCRIPTORS] = held.descriptors,
			[FAMILY_MAPPINGS] = held.mappings,
			[FAMILY_EXPORTS] = held.exports,
			[FAMILY_DRIVERS] = held.drivers,
			[FAMILY_DEVICES] = held.devices,
			[FAMILY_LINGERING] = held.lingering,
		},
	};
}

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
		sample_take(&(*samples)[(*nr)++], &info);
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
	for (f = 0; f < NR_FAMILIES; f++) {
		snprintf(name, sizeof(name), "hpage_map_buffer_%s", families[f].name);
		family_print(name, families[f].unit, families[f].help);
		for (i = 0; i < nr; i++)
			sample_print(name, &samples[i], samples[i].values[f]);
	}
	puts("# EOF");
	free(samples);
	return EXIT_OK;
}
