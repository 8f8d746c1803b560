// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpage_map: huge pages owned by a driver, mapped by programs.
 *
 * What the module consists of is made in order, and goes in reverse. Files stand on floors; no
 * file includes, directly or indirectly, one that includes it:
 *
 *	chardev					the nodes, and the ioctls of the door
 *	make, named, file, inode, info, api,	ways in, which call the buffer
 *	dmabuf, dmamap, class, sysfs,
 *	default, ioctl, reserve_sysfs
 *	dma, entries, reach, vma, vmap		how a buffer is seen
 *	buffer					who holds what
 *	ladder, user				where its pages come from
 *	backing					whose they are, how they go back
 *	reserve, hugetlb, shmem, collect,	pages that are ready; pages of each kind, and those
 *	claim, choose				that are chosen by address
 *	pool, pages, offline, room, policy,	the ground
 *	limits, kind, request, device, name,
 *	fs, signals, log, param, why, work
 *
 * The promise to programs is include/uapi/linux/hpage_map.h, that to other drivers
 * include/linux/hpage_map.h.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "buffer.h"
#include "chardev.h"
#include "class.h"
#include "default.h"
#include "dmamap.h"
#include "fs.h"
#include "named.h"
#include "offline.h"
#include "policy.h"
#include "reserve.h"
#include "work.h"

#if !IS_ENABLED(CONFIG_64BIT) || !IS_ENABLED(CONFIG_PCI) || !IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
#error "hpage_map needs a 64-bit kernel with CONFIG_PCI and CONFIG_DMA_SHARED_BUFFER"
#elif IS_ENABLED(CONFIG_PREEMPTION) && !IS_ENABLED(CONFIG_TASKS_RCU)
#error "hpage_map needs CONFIG_TASKS_RCU to unload safely on a preemptible kernel"
#endif

/*
 * In the order in which they are made; they go in the reverse order. What init() has made goes by
 * exit(), even if init() failed half way.
 */
static const struct {
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{ .exit = hpm_policy_exit },
	{ hpm_fs_init, hpm_fs_exit },
	{ hpm_work_init, hpm_work_exit },
	{ hpm_offline_init, hpm_offline_exit },
	{ hpm_reserve_init, hpm_reserve_exit },
	{ hpm_reserve_sysfs_init, hpm_reserve_sysfs_exit },
	{ .exit = hpm_buffer_exit },
	{ hpm_dmamap_init, hpm_dmamap_exit },
	{ hpm_default_init, hpm_default_exit },
	{ hpm_class_init, hpm_class_exit },
	{ hpm_chardev_init, hpm_chardev_exit },
	{ .exit = hpm_named_exit },
};

static void parts_exit(int nr)
{
	while (nr--)
		parts[nr].exit();
}

static int __init hpm_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		ret = parts[i].init ? parts[i].init() : 0;
		if (ret) {
			parts_exit(i + 1);
			return ret;
		}
	}
	return 0;
}

static void __exit hpm_exit(void)
{
	parts_exit(ARRAY_SIZE(parts));
	/* Who ran the last named_release() may have been preempted before it returned. */
	synchronize_rcu_tasks();
}

module_init(hpm_init);
module_exit(hpm_exit);

MODULE_DESCRIPTION("Huge pages owned by a driver, mapped by programs");
MODULE_AUTHOR("hpage_map developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(HPM_VERSION);
