// SPDX-License-Identifier: GPL-2.0-only
/* The driver of 2009: ten huge pages behind a device of its own. */
#include <linux/hpage_map.h>
#include <linux/huge_mm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#define NUM_HPAGES 10

static struct hpage_map_buffer *buf;

static int minimal_mmap(struct file *file, struct vm_area_struct *vma)
{
	return hpage_map_mmap(buf, vma, 0, 0);
}

static unsigned long minimal_get_unmapped_area(struct file *file, unsigned long addr,
					       unsigned long len, unsigned long pgoff,
					       unsigned long flags)
{
	return hpage_map_get_unmapped_area(buf, addr, len, pgoff, flags, 0, 0);
}

static const struct file_operations minimal_fops = {
	.owner = THIS_MODULE,
	.mmap = minimal_mmap,
	.get_unmapped_area = minimal_get_unmapped_area,
};

static struct miscdevice minimal_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &minimal_fops,
};

static int __init minimal_init(void)
{
	const struct hpage_map_attr attr = { .size = NUM_HPAGES * PMD_SIZE };
	int ret;

	buf = hpage_map_create(NULL, &attr);
	if (IS_ERR(buf))
		return PTR_ERR(buf);

	/* A device would fill it here. */

	ret = misc_register(&minimal_dev);
	if (ret)
		hpage_map_put(buf);
	return ret;
}
module_init(minimal_init);

static void __exit minimal_exit(void)
{
	misc_deregister(&minimal_dev);
	hpage_map_put(buf);
}
module_exit(minimal_exit);

MODULE_DESCRIPTION("Ten huge pages of a driver, mapped by programs");
MODULE_LICENSE("GPL");
HPAGE_MAP_IMPORT();
