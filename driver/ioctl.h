/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract of every ioctl, see ioctl.c. */
#ifndef _HPM_IOCTL_H
#define _HPM_IOCTL_H

#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/stddef.h>
#include <uapi/linux/hpage_map.h>

/* An ioctl under way. */
struct hpm_call {
	union {			/* the program's struct, filled up with zeroes */
		u32 size;
		struct hpage_map_info info;
		struct hpage_map_alloc alloc;
		struct hpage_map_destroy destroy;
		struct hpage_map_nodes nodes;
		struct hpage_map_runs runs;
		struct hpage_map_export export;
		struct hpage_map_pin pin;
		struct hpage_map_dma_map dma_map;
		struct hpage_map_dma_sync dma_sync;
		struct hpage_map_forecast forecast;
	};
	struct file *file;	/* on which it was called */
	void __user *user;	/* where the program's struct is */
	u32 known;		/* bytes of it that both sides know */
};

/* min_size ends with the last field of the first published version. */
struct hpm_ioctl {
	unsigned int cmd;
	fmode_t mode;		/* what the file must be open for */
	u32 size;
	u32 min_size;
	int (*handler)(struct hpm_call *call);
};

/* Instead of FMODE_READ or FMODE_WRITE: what is only reported and is no content needs neither. */
#define HPM_FOR_ANY	((__force fmode_t)0)

#define HPM_IOCTL(_cmd, _mode, _handler, _struct, _last)				\
	{										\
		.cmd = _cmd,								\
		.mode = _mode,								\
		.size = sizeof(struct _struct) +					\
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, size) ||		\
				sizeof(struct _struct) > offsetof(struct hpm_call, file)), \
		.min_size = offsetofend(struct _struct, _last),				\
		.handler = _handler,							\
	}

const struct hpm_ioctl *hpm_ioctl_find(const struct hpm_ioctl *table, size_t nr,
				       unsigned int cmd);
long hpm_ioctl_call(const struct hpm_ioctl *ioctl, struct file *file, unsigned int cmd,
		    unsigned long arg);

int hpm_ioctl_respond(const struct hpm_call *call);
int hpm_ioctl_respond_fd(const struct hpm_call *call, int fd, struct file *file);

#endif
