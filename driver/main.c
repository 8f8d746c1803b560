// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpage_map: huge pages owned by a driver, mapped by programs.
 *
 * The init ladder and its reverse. Storeys, each knowing only those below:
 *
 *	chardev, ioctl, ioctl_alloc, sysfs,	faces: thin, they call the buffer
 *	default, named, api, dmabuf, dmamap
 *	buffer, vma, dma			who holds what, and how it is seen
 *	backing, pages, release, reserve,	where pages come from, whose they
 *	hugetlb, collect, shmem, user,		may be, and how they go back
 *	policy, limits, log, fs, offline
 *
 * The promise to programs is include/uapi/linux/hpage_map.h, that to other drivers
 * include/linux/hpage_map.h.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "faces.h"

#if !IS_ENABLED(CONFIG_64BIT) || !IS_ENABLED(CONFIG_PCI) || !IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
#error "hpage_map needs a 64-bit kernel with CONFIG_PCI and CONFIG_DMA_SHARED_BUFFER"
#endif

#if IS_ENABLED(CONFIG_PREEMPTION) && !IS_ENABLED(CONFIG_TASKS_RCU)
#error "hpage_map needs CONFIG_TASKS_RCU to unload safely on a preemptible kernel"
#endif

struct workqueue_struct *hpm_workqueue;

static int __init hpm_init(void)
{
	int ret;

	hpm_workqueue = alloc_workqueue("hpage_map", WQ_UNBOUND | WQ_FREEZABLE, 0);
	if (!hpm_workqueue)
		return -ENOMEM;
	ret = hpm_fs_init();
	if (ret)
		goto destroy_workqueue;
	ret = hpm_offline_init();
	if (ret)
		goto exit_fs;
	ret = hpm_reserve_init();
	if (ret)
		goto exit_offline;
	ret = hpm_dmamap_init();
	if (ret)
		goto exit_reserve;
	ret = hpm_default_init();
	if (ret)
		goto exit_dmamap;
	ret = hpm_chardev_init();
	if (ret)
		goto exit_default;
	return 0;

exit_default:
	hpm_default_exit();
exit_dmamap:
	hpm_dmamap_exit();
	hpm_buffer_exit();
exit_reserve:
	hpm_reserve_exit();
exit_offline:
	hpm_offline_exit();
exit_fs:
	hpm_fs_exit();
destroy_workqueue:
	destroy_workqueue(hpm_workqueue);
	return ret;
}

static void __exit hpm_exit(void)
{
	hpm_named_exit();
	hpm_chardev_exit();
	hpm_default_exit();
	hpm_dmamap_exit();
	hpm_buffer_exit();
	hpm_reserve_exit();
	hpm_offline_exit();
	hpm_fs_exit();
	destroy_workqueue(hpm_workqueue);
	/*
	 * The last mapping dropped its reference to the module inside
	 * hpm_vma_close(), and may have been preempted before it returned.
	 */
	synchronize_rcu_tasks();
}

module_init(hpm_init);
module_exit(hpm_exit);

MODULE_DESCRIPTION("Huge pages owned by a driver, mapped by programs");
MODULE_AUTHOR("hpage_map developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(HPM_VERSION);
