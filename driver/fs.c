// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files on file systems that nobody else sees.
 *
 * There is one hidden mount for each page size of hugetlbfs and each kind of tmpfs: superblocks
 * and their device numbers are scarce, and ordinary users can make many buffers. A buffer, or a
 * reserve, is a file there that no directory has; so the last fput() takes it down, in any
 * context, and making one takes no lock of a directory. What /proc/PID/maps shows of a mapping
 * is a name that only the open file has.
 *
 * Mounting, opening and allocating happen with the kernel's credentials: what
 * the caller may do is decided by who may open the device, not by what an
 * administrator thinks of hugetlbfs. Only credentials are borrowed; cgroups,
 * resource limits and the memory policy stay those of the calling task.
 *
 * There is no lock here. Credentials and mounts never change after init.
 */
#include <linux/cred.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/init_task.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fs.h"
#include "pages.h"

static struct vfsmount *mounts[HPM_FS_NR];	/* held, or NULL: the kernel has it not */
static const struct cred *kernel_creds;
static struct vfsmount *sysfs;

static struct vfsmount *fs_mount_hidden(const char *name, const char *key, const char *value)
{
	struct file_system_type *type = get_fs_type(name);
	struct vfsmount *mnt;
	struct fs_context *fc;
	int ret;

	/* A reference to what is part of the kernel image is nothing to give back. */
	if (!type)
		return ERR_PTR(-ENODEV);
	fc = fs_context_for_mount(type, SB_KERNMOUNT);
	if (IS_ERR(fc))
		return ERR_CAST(fc);
	ret = key ? vfs_parse_fs_string(fc, key, value) : 0;
	mnt = ret ? ERR_PTR(ret) : fc_mount(fc);
	put_fs_context(fc);
	return mnt;
}

/* Mount what the kernel has; what it lacks is looked for in vain later. */
static int fs_mount_add(enum hpm_fs fs, const char *type, const char *key, const char *value)
{
	struct vfsmount *mnt = fs_mount_hidden(type, key, value);
	int ret = PTR_ERR_OR_ZERO(mnt);

	if (!ret)
		mounts[fs] = mnt;
	if (ret == -EINVAL || ret == -ENODEV)
		return 0;
	/* No limit on files is set, so there was no memory for the inode. */
	return ret == -ENOSPC ? -ENOMEM : ret;
}

static int fs_mount_all(void)
{
	static const char * const huge[] = { "always", "within_size", "never" };
	char value[24], path[64], text[4];
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(huge) && !ret; i++)
		ret = fs_mount_add(HPM_FS_ALWAYS + i, "tmpfs", "huge", huge[i]);
	/* No huge page is larger than all memory that a machine can have. */
	for (i = PAGE_SHIFT + 1; i <= MAX_PHYSMEM_BITS && !ret; i++) {
		snprintf(path, sizeof(path), "kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
			 BIT(i) / SZ_1K);
		snprintf(value, sizeof(value), "%lu", BIT(i));
		/* Another error does not mean that there is none. */
		if (hpm_fs_sysfs(path, text, sizeof(text)) != -ENOENT)
			ret = fs_mount_add(HPM_FS_POOL + i, "hugetlbfs", "pagesize", value);
	}
	return ret;
}

/* Make the credentials that files are opened with, and the mounts. */
int hpm_fs_init(void)
{
	const struct cred *caller;
	int ret;

	kernel_creds = prepare_kernel_cred(&init_task);
	if (!kernel_creds)
		return -ENOMEM;
	caller = override_creds(kernel_creds);
	sysfs = fs_mount_hidden("sysfs", NULL, NULL);
	ret = IS_ERR(sysfs) ? PTR_ERR(sysfs) : fs_mount_all();
	revert_creds(caller);
	return ret;
}

void hpm_fs_exit(void)
{
	int i;

	for (i = 0; i < HPM_FS_NR; i++)
		mntput(mounts[i]);
	if (!IS_ERR(sysfs))
		mntput(sysfs);
	put_cred(kernel_creds);
}

/* A file of an inode, with a name of ours, as those of memfd and hugetlb have theirs. */
static struct file *fs_open_named(struct inode *inode, struct vfsmount *mnt,
				  const struct file_operations *fops)
{
	struct file *file;

	ihold(inode);
	file = alloc_file_pseudo(inode, mnt, KBUILD_MODNAME, O_RDWR | O_LARGEFILE, fops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/*
 * Make a file on a hidden mount. Its size is set before it has pages: growing is subject to
 * RLIMIT_FSIZE, which is not meant for memory. Return: the file, whose reference is the caller's;
 * or an ERR_PTR, -ENODEV when the kernel has no such file system.
 */
struct file *hpm_fs_create(enum hpm_fs fs, loff_t size)
{
	struct vfsmount *mnt = mounts[fs];
	struct file *made, *file;
	const struct cred *caller;

	if (!mnt)
		return ERR_PTR(-ENODEV);
	caller = override_creds(kernel_creds);
	/* No directory has it. The file system makes the inode, which has no name yet. */
	made = file_open_root_mnt(mnt, ".", O_TMPFILE | O_RDWR | O_LARGEFILE, 0600);
	file = IS_ERR(made) ? made : fs_open_named(file_inode(made), mnt, made->f_op);
	revert_creds(caller);
	if (!IS_ERR(made))
		fput(made);
	/* No limit on files is set, so there was no memory for the inode. */
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOSPC ? ERR_PTR(-ENOMEM) : file;
	i_size_write(file_inode(file), size);
	/* Reclaim, which hugetlbfs knows none of, would unmap the pages in spite of their pins. */
	mapping_set_unevictable(file->f_mapping);
	return file;
}

/*
 * Open the inode of a file once more, with operations of a module, which the file holds. Return:
 * the file, whose reference is the caller's; or an ERR_PTR, -ENFILE or -ENOMEM.
 */
struct file *hpm_fs_open_again(struct file *file, const struct file_operations *fops)
{
	const struct cred *caller = override_creds(kernel_creds);
	struct file *again = fs_open_named(file_inode(file), file->f_path.mnt, fops);

	revert_creds(caller);
	if (!IS_ERR(again))
		__module_get(fops->owner);
	return again;
}

/*
 * With mode 0 fill a part of a hugetlbfs file with zeroed pages. Not vfs_fallocate(): that heeds
 * the seal, and who froze or watches the file system. Return: 0, -EINTR, -ENOSPC, or -errno.
 */
int hpm_fs_allocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	const struct cred *caller = override_creds(kernel_creds);
	int ret = file->f_op->fallocate(file, mode, pos, len);

	revert_creds(caller);
	return ret;
}

/* Give the pages of a part of a file back. */
void hpm_fs_punch(struct file *file, loff_t pos, loff_t len)
{
	hpm_fs_allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len);
}

/*
 * Give up a file, and its pages at once: fput() acts on the way back to user space, and
 * until then the next rung would miss them. Not under mmap_lock.
 */
void hpm_fs_discard(struct file *file)
{
	hpm_fs_punch(file, 0, i_size_read(file_inode(file)));
	fput(file);
}

/* Pin the folio at an offset. Return: 0, or -errno when it is not there any more. */
int hpm_fs_pin(struct file *file, loff_t pos, struct page **page)
{
	struct page *found = find_get_page(file->f_mapping, pos >> PAGE_SHIFT);
	struct folio *folio;
	pgoff_t offset;
	long got;

	/* Else it would be allocated again: memory failure has taken it out of the file. */
	if (!found)
		return -ENOENT;
	put_page(found);
	got = memfd_pin_folios(file, pos, pos, &folio, 1, &offset);
	if (got != 1)
		return got < 0 ? got : -EFAULT;
	*page = folio_page(folio, offset >> PAGE_SHIFT);
	return 0;
}

/*
 * Give back what hpm_fs_pin() pinned. A huge page of tmpfs of which a part is broken stays pinned
 * for ever: mm/ would free it whole, and give it to whoever comes next.
 */
void hpm_fs_unpin(struct folio *folio)
{
	if (!folio_test_large(folio) || folio_test_hugetlb(folio) || !hpm_folio_is_bad(folio))
		unpin_folios(&folio, 1);
}

/*
 * Give an inode the operations that every inode starts with, before its file
 * system knows it: it can never be opened, and has no attributes to set. They
 * are in the kernel's own text, so that they may outlive this module; no
 * symbol names them, so they are taken from a blank inode.
 */
static int inode_forget_operations(struct inode *inode)
{
	struct inode *blank __free(kfree) = kzalloc(sizeof(*blank), GFP_KERNEL);
	int ret;

	if (!blank)
		return -ENOMEM;
	inode_init_once(blank);
	ret = inode_init_always(inode->i_sb, blank);
	if (!ret) {
		inode->i_fop = blank->i_fop;
		inode->i_op = blank->i_op;
		__destroy_inode(blank);
	}
	return ret;
}

/*
 * Close a file to everybody who does not hold it, root included. Nobody can open the inode
 * again, not through /proc/PID/map_files either; nobody can punch, truncate, grow or remap the
 * file or change its attributes: not even the flags that forbid it, which file_setattr(2)
 * could clear on tmpfs without opening it. Mappings are not touched by any of this.
 *
 * Its pages are pinned. So that mm/ does not try in vain to migrate what is mapped, at a cpuset's
 * change or for NUMA balancing, the file says that its pages come from a low zone, which mm/ takes
 * for a mapping that cannot be migrated. Who fills a sealed file says himself what is allocated.
 */
int hpm_fs_seal(struct file *file)
{
	struct inode *inode = file_inode(file);
	int ret;

	inode_lock(inode);
	ret = inode_forget_operations(inode);
	if (!ret) {
		inode_set_flags(inode, S_IMMUTABLE | S_APPEND, S_IMMUTABLE | S_APPEND);
		mapping_set_gfp_mask(inode->i_mapping, GFP_KERNEL | __GFP_DMA);
	}
	inode_unlock(inode);
	return ret;
}

/*
 * Read an attribute of sysfs. mm/ exports neither the figures of the hugetlb pools nor its
 * policies; they are read where administrators read them. Return: bytes read, or -errno.
 */
ssize_t hpm_fs_sysfs(const char *path, char *text, size_t size)
{
	const struct cred *caller = override_creds(kernel_creds);
	struct file *file = file_open_root_mnt(sysfs, path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	revert_creds(caller);
	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, text, size - 1, &pos);
	text[max_t(ssize_t, len, 0)] = '\0';
	fput(file);
	return len;
}
