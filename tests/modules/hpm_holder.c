// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a device beyond its end, for the tests: the first one of a name that is added while
 * this module is loaded, until it is unloaded. Anybody in the kernel may do that.
 */
#include <linux/device.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/ptrace.h>

static char *name = "";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the device to hold");

static bool holds;
module_param(holds, bool, 0444);
MODULE_PARM_DESC(holds, "out: whether there is one");

static struct device *held;	/* by the probe, which is gone when it is put */

static int holder_see(struct kprobe *probe, struct pt_regs *regs)
{
	struct device *dev = (struct device *)regs_get_kernel_argument(regs, 0);

	if (!held && dev && dev_name(dev) && !strcmp(dev_name(dev), name)) {
		held = get_device(dev);
		holds = true;
	}
	return 0;
}

static struct kprobe holder_probe = { .symbol_name = "device_add", .pre_handler = holder_see };

static int __init holder_init(void)
{
	return register_kprobe(&holder_probe);
}

static void __exit holder_exit(void)
{
	unregister_kprobe(&holder_probe);
	put_device(held);
}

module_init(holder_init);
module_exit(holder_exit);

MODULE_DESCRIPTION("Holds a device beyond its end");
MODULE_LICENSE("GPL");
