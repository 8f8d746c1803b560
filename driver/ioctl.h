/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_IOCTL_H
#define _HPM_IOCTL_H

#include <uapi/linux/hpage_map.h>

struct file;

/* An ioctl under way. */
struct hpm_call {
	union {
	/*
	 * and the structs of all ioctls, in one place: what was copied in, and will be
	 * copied out
	 */
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
	};
	struct file *file;	/* a new file, which has no descriptor yet, or NULL */
	int fd;	/* the descriptor for it */
	bool named;	/* a name is to be taken back with it */
};

bool hpm_ioctl_is_text(const char name[HPAGE_MAP_DEVICE_SIZE]);
int hpm_ioctl_alloc(struct file *door, struct hpm_call *call);
int hpm_ioctl_create(struct file *door, struct hpm_call *call);
int hpm_ioctl_destroy(struct file *door, struct hpm_call *call);
int hpm_ioctl_pin(struct file *door, struct hpm_call *call);
int hpm_ioctl_export(struct file *file, struct hpm_call *call);

#endif
