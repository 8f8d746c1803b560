// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a page, for the tests: the last one of the first range that the page allocator gives
 * anybody while this module is loaded, until it is unloaded. So does whoever looks at a page in
 * that moment and then does not run.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/ptrace.h>

static bool keeps;
module_param(keeps, bool, 0444);
MODULE_PARM_DESC(keeps, "out: whether there is one");

static struct page *kept;	/* by the probe, which is gone when it is put */

static int keeper_enter(struct kretprobe_instance *call, struct pt_regs *regs)
{
	*(unsigned long *)call->data = regs_get_kernel_argument(regs, 1);
	return 0;
}

static int keeper_see(struct kretprobe_instance *call, struct pt_regs *regs)
{
	unsigned long end = *(unsigned long *)call->data;

	if (!kept && !regs_return_value(regs)) {
		kept = pfn_to_page(end - 1);
		get_page(kept);
		keeps = true;
	}
	return 0;
}

static struct kretprobe keeper_probe = {
	.entry_handler = keeper_enter,
	.handler = keeper_see,
	.data_size = sizeof(unsigned long),
	.maxactive = 16,
};

static int __init keeper_init(void)
{
	int ret;

	/* Since 6.10 allocations are profiled, and the function has this name. */
	keeper_probe.kp.symbol_name = "alloc_contig_range_noprof";
	ret = register_kretprobe(&keeper_probe);
	if (ret != -ENOENT)
		return ret;
	keeper_probe.kp.addr = NULL;
	keeper_probe.kp.symbol_name = "alloc_contig_range";
	return register_kretprobe(&keeper_probe);
}

static void __exit keeper_exit(void)
{
	unregister_kretprobe(&keeper_probe);
	if (kept)
		put_page(kept);
}

module_init(keeper_init);
module_exit(keeper_exit);

MODULE_DESCRIPTION("Keeps a page of a range");
MODULE_LICENSE("GPL");
