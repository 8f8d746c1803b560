/* SPDX-License-Identifier: GPL-2.0-only */
/* The upper storey: the ways in. */
#ifndef _HPM_FACES_H
#define _HPM_FACES_H

#include <linux/device.h>
#include <linux/fs.h>

#include "buffer.h"

/* The minor number of the default buffer and the door; named buffers have the others. */
#define HPM_MINOR_DEFAULT	0
#define HPM_MINORS		BIT(16)

int hpm_default_init(void);
void hpm_default_exit(void);
struct hpage_map_buffer *hpm_default_get(void);
struct hpage_map_buffer *hpm_default_peek(void);

extern struct class *hpm_class;
extern const struct attribute_group *hpm_sysfs_groups[];
int hpm_chardev_init(void);
void hpm_chardev_exit(void);
dev_t hpm_chardev_devt(unsigned int minor);
bool hpm_chardev_is_door(const struct file *file);
struct file *hpm_chardev_file(struct hpage_map_buffer *buf);

bool hpm_named_valid(const char *name);
struct hpage_map_buffer *hpm_named_create(const char *name, umode_t mode, kuid_t uid, kgid_t gid,
					  const struct hpm_attr *attr, struct hpm_why *why);
int hpm_named_destroy(const char *name, u32 id);
struct hpage_map_buffer *hpm_named_get(const struct inode *node);
void hpm_named_exit(void);

int hpm_dmamap_init(void);
void hpm_dmamap_exit(void);
struct device *hpm_dmamap_find_device(const char name[HPAGE_MAP_DEVICE_SIZE]);
bool hpm_dmamap_is(const struct file *file);
int hpm_dmamap_runs(struct file *file, struct hpage_map_runs *runs);

/* An ioctl under way. */
struct hpm_call {
	union {			/* what was copied in, and will be copied out */
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
	int fd;			/* a new descriptor, not installed yet, or negative */
	struct file *file;	/* for it, or NULL */
	bool named;		/* there is a new name, that of alloc */
};

long hpm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int hpm_ioctl_alloc(struct file *door, struct hpm_call *call);
int hpm_ioctl_create(struct file *door, struct hpm_call *call);
int hpm_ioctl_destroy(struct file *door, struct hpm_call *call);
int hpm_ioctl_pin(struct file *door, struct hpm_call *call);
int hpm_ioctl_export(struct file *file, struct hpm_call *call);
int hpm_ioctl_dma_map(struct file *file, struct hpm_call *call);
int hpm_ioctl_dma_sync(struct file *file, struct hpm_call *call);

#endif
