/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of hpagectl share. */
#ifndef HPAGECTL_H
#define HPAGECTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <json-c/json.h>

#include "../lib/hpage_map.h"

/* Exit codes; hpagectl(1) documents them. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* anything else that went wrong */
	EXIT_USAGE = 2,		/* the command line makes no sense */
	EXIT_NOT_THERE = 3,	/* there is no such buffer, pool or reserve */
	EXIT_NO_MODULE = 4,	/* this needs the module */
	EXIT_DENIED = 5,	/* the user may not do this */
	EXIT_LESS = 6,		/* less memory was had than asked for, or none */
	EXIT_UNCONFIRMED = 7,	/* nobody said yes */
	/* Of "run", which ends as its program else: those of env(1) and timeout(1). */
	EXIT_BEFORE = 125,	/* any of the above, before there was a program */
	EXIT_NOT_RUN = 126,	/* the program cannot be run */
	EXIT_NO_PROGRAM = 127,	/* it is not there */
};

/* What is asked may be there, not there, or out of sight: a container, no /sys, no permission. */
enum answer { NO, YES, UNSEEN };

#define MAX_NODES	1024	/* as many as Linux can have */

/* Which options a command takes: a bit for each, in the order of the table in args.c. */
enum opt {
	OPT_SIZE, OPT_PAGE_SIZE, OPT_NODE, OPT_NEAR, OPT_STRICT, OPT_CONTIGUOUS, OPT_BELOW_4G,
	OPT_EXACT, OPT_ALLOW_BASE, OPT_RESERVE, OPT_NO_MODULE, OPT_MODE, OPT_OWNER, OPT_GROUP,
	OPT_SET, OPT_BACKING, OPT_SVG, OPT_JSON, OPT_YES, OPT_HELP, NR_OPTIONS
};

#define BIT(option)	(1U << (option))
#define PLACEMENT	(BIT(OPT_SIZE) | BIT(OPT_PAGE_SIZE) | BIT(OPT_NODE) | BIT(OPT_NEAR) | \
			 BIT(OPT_STRICT) | BIT(OPT_CONTIGUOUS) | BIT(OPT_BELOW_4G) | \
			 BIT(OPT_EXACT) | BIT(OPT_ALLOW_BASE) | BIT(OPT_RESERVE))

/**
 * struct args - a command line, read
 * @given: bits of the options that were given
 * @size: bytes
 * @page_size: bytes, or 0
 * @node: or -1
 * @near_device: or NULL
 * @flags: of hpmap_options
 * @policy: of hpmap_options
 * @mode: permission bits, or 0
 * @uid: of --owner
 * @gid: of --group
 * @set: number of pages
 * @backing: of a reserve
 * @svg: file name
 * @words: what is left, @nr_words of them
 */
struct args {
	unsigned int given;
	uint64_t size;
	uint64_t page_size;
	int node;
	const char *near_device;
	uint32_t flags;
	uint32_t policy;
	uint32_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t set;
	enum hpmap_backing backing;
	const char *svg;
	char **words;
	int nr_words;
};

static inline bool given(const struct args *a, enum opt option)
{
	return a->given & BIT(option);
}

/**
 * struct command - one subcommand
 * @name: as it is typed
 * @synopsis: its words, as --help shows them
 * @summary: one line
 * @more: a paragraph for --help, or NULL
 * @options: bits of enum opt
 * @min_words: how many words at least
 * @max_words: how many at most; -1 for a program and its arguments
 * @failure: the exit code in place of 1 to 7, or 0
 * @run: does it; returns an exit code
 */
struct command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const char *more;
	unsigned int options;
	int min_words;
	int max_words;
	int failure;
	int (*run)(const struct args *a);
};

extern const struct command cmd_list, cmd_create, cmd_destroy, cmd_info, cmd_layout, cmd_who,
	cmd_pool, cmd_reserve, cmd_doctor, cmd_run, cmd_apply, cmd_bench, cmd_demo;

/* args.c */
int args_read(const struct command *c, int argc, char **argv, struct args *a);
void args_help(const struct command *c);
void args_options(const struct args *a, struct hpmap_options *o);
int read_user(const char *text, uid_t *uid);
int read_group(const char *text, gid_t *gid);
int read_mode(const char *text, uint32_t *mode);

/* size.c */
#define SIZE_ROOM	16
int size_read(const char *text, uint64_t *bytes);
const char *size_show(uint64_t bytes, char text[SIZE_ROOM]);
int number_read(const char *text, uint64_t *number);

/* say.c */
extern const char *command_name;
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int failed(int ret, const char *what);
int exit_code(int ret);
bool confirmed(const struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool colourful(FILE *to);
int width(void);
void progress(const char *what, uint64_t done, uint64_t all);
void progress_end(void);
int print_json(struct json_object *object);
void json_text(struct json_object *to, const char *name, const char *text);
void json_number(struct json_object *to, const char *name, uint64_t number);
void json_signed(struct json_object *to, const char *name, int64_t number);
void json_truth(struct json_object *to, const char *name, bool truth);

/* table.c */
void table_row(unsigned int nr, ...);
void table_print(void);

/* names.c */
#define COMM_ROOM	32

const char *backing_name(uint32_t backing);
const char *backend_name(uint32_t backend);
const char *node_name(int node, char text[16]);
bool process_name(pid_t pid, char comm[COMM_ROOM]);
#define USER_ROOM	64
const char *user_name(uid_t uid, char text[USER_ROOM]);
enum answer module_loaded(void);
int no_module(const char *what);
int find_buffer(const char *name, struct hpmap_info *info);
bool name_taken(const char *name);
int check_name(const char *what, const char *name);
int open_buffer(const struct hpmap_info *info, struct hpmap_buffer **buffer);
void describe(char *text, size_t size, uint64_t length, uint64_t page_size, uint32_t backing,
	      uint64_t nr_runs, int node);
struct json_object *buffer_json(const struct hpmap_info *info);

/* touch.c */
uint64_t touch(void *memory, uint64_t length);
enum answer memory_available(uint64_t *bytes);
void *ordinary_memory(uint64_t length);

/* file.c */
int file_read(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int file_write(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int nodes_online(int nodes[MAX_NODES]);
bool node_there(int node);

/* ini.c */
/* Takes a key, once. Returns what is wrong with it, or NULL. */
typedef const char *(*ini_fn)(void *data, const char *key, const char *value);
extern const char ini_no_such_key[];
int ini_read(const char *path, const char *section, ini_fn set, void *data);

/* holders.c */
struct holder {
	pid_t pid;
	char comm[COMM_ROOM];
	uint32_t id;		/* of the buffer; 0 if it cannot be told */
	unsigned int descriptors;
	unsigned int mappings;
	uint64_t mapped;	/* bytes */
};

int holders_find(struct holder **holders, size_t *nr);

/* held.c */
#define HELD_ROOM	200

/**
 * struct held - what holds a buffer, as the kernel counts it
 * @descriptors: open files
 * @mappings: of programs
 * @exports: dma-bufs
 * @drivers: references of other drivers
 * @devices: mappings for devices
 * @lingering: pages that something outside still refers to after the last holder has gone
 */
struct held {
	uint32_t descriptors;
	uint32_t mappings;
	uint32_t exports;
	uint32_t drivers;
	uint32_t devices;
	uint32_t lingering;
};

int held_read(uint32_t id, struct held *held);
void held_of(const struct hpmap_info *info, struct held *held);
bool held_at_all(const struct held *h);
const char *held_show(const struct held *h, char text[HELD_ROOM]);
void held_json(struct json_object *to, const struct held *h);

/* svg.c */
struct picture {
	const struct hpmap_info *info;
	const struct hpmap_run *runs;
	const int *nodes;
	unsigned int nr;
};

int svg_write(const char *path, const struct picture *p);

#endif
