// SPDX-License-Identifier: GPL-2.0-only
/*
 * hpage_map: huge pages owned by a driver, mapped by programs.
 *
 * The init ladder and its reverse. Storeys, each knowing only those below:
 *
 *	chardev, ioctl, sysfs, default		faces: thin, they call the buffer
 *	buffer, vma				who holds what
 *	backing, hugetlb, shmem, fs, offline	where pages come from
 *
 * include/uapi/linux/hpage_map.h is the promise to programs.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "faces.h"
#include "fs.h"

#if !IS_ENABLED(CONFIG_64BIT)
#error "hpage_map needs a 64-bit kernel"
#endif

#if IS_ENABLED(CONFIG_PREEMPTION) && !IS_ENABLED(CONFIG_TASKS_RCU)
#error "hpage_map needs CONFIG_TASKS_RCU to unload safely on a preemptible kernel"
#endif

static int __init hpm_init(void)
{
	int ret;

	ret = hpm_fs_init();
	if (ret)
		return ret;
	ret = hpm_offline_init();
	if (ret)
		goto exit_fs;
	ret = hpm_default_init();
	if (ret)
		goto exit_offline;
	ret = hpm_chardev_init();
	if (ret)
		goto exit_default;
	return 0;

exit_default:
	hpm_default_exit();
exit_offline:
	hpm_offline_exit();
exit_fs:
	hpm_fs_exit();
	return ret;
}

static void __exit hpm_exit(void)
{
	hpm_chardev_exit();
	hpm_default_exit();
	hpm_offline_exit();
	hpm_fs_exit();
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
