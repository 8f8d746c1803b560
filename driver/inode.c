// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inodes of buffers that have no node.
 *
 * Programs ask a descriptor what it is before they use it: a regular file, of that length, which
 * they may open again as /proc/PID/fd/N. So a buffer has an inode of its own, in a file system that
 * cannot be mounted. The file system exists as long as a descriptor needs it, and then the
 * module stays as well: what an inode refers to is the module's.
 *
 * The inode holds its buffer. Its last reference goes with the last descriptor, among which are
 * those that were opened with O_PATH. What an inode says of the buffer never changes; mode, owner
 * and times are under the inode's own lock.
 */
#include <linux/blk_types.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "buffer.h"
#include "inode.h"

#define INODE_MAGIC	0x48504147	/* "HPAG", for statfs(2) */

static struct vfsmount *mount;	/* under a lock of fs/libfs.c, as is its count */
static int nr_pins;

/* A buffer can be given another mode and owner, but not another size. */
static int inode_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	if (attr->ia_valid & ATTR_SIZE && attr->ia_size != i_size_read(d_inode(dentry)))
		return -EPERM;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations inode_ops = { .setattr = inode_setattr };

static void inode_evict(struct inode *inode)
{
	struct hpage_map_buffer *buf = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* The root of the file system has none. */
	if (buf)
		hpm_buffer_put(buf);
}

static const struct super_operations super_ops = {
	.statfs = simple_statfs,
	.evict_inode = inode_evict,
};

static int inode_init_fs(struct fs_context *fc)
{
	struct pseudo_fs_context *pseudo = init_pseudo(fc, INODE_MAGIC);

	if (!pseudo)
		return -ENOMEM;
	pseudo->ops = &super_ops;
	return 0;
}

static struct file_system_type inode_fs = {
	.owner = THIS_MODULE,
	.name = KBUILD_MODNAME,
	.init_fs_context = inode_init_fs,
	.kill_sb = kill_anon_super,
};

/* Keep the file system for one descriptor more. Return: 0, or -ENOMEM. */
int hpm_inode_pin(void)
{
	return simple_pin_fs(&inode_fs, &mount, &nr_pins);
}

void hpm_inode_unpin(void)
{
	simple_release_fs(&mount, &nr_pins);
}

static struct file *inode_open_new(struct hpage_map_buffer *buf, const struct file_operations *fops)
{
	struct inode *inode = alloc_anon_inode(mount->mnt_sb);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	inode->i_mode |= S_IFREG;
	inode->i_op = &inode_ops;
	inode->i_fop = fops;
	inode->i_private = hpm_buffer_get(buf);
	inode->i_blkbits = ilog2(hpage_map_page_size(buf));
	i_size_write(inode, hpage_map_size(buf));
	inode->i_blocks = hpage_map_size(buf) >> SECTOR_SHIFT;
	file = alloc_file_pseudo(inode, mount, KBUILD_MODNAME, O_RDWR | O_LARGEFILE, fops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/*
 * Make an inode for a buffer, owned by the calling task's user, and a file open for reading and
 * writing on it, which pins the file system and holds the module of @fops. Return: the file, or an
 * ERR_PTR, -ENFILE or -ENOMEM.
 */
struct file *hpm_inode_file(struct hpage_map_buffer *buf, const struct file_operations *fops)
{
	int ret = hpm_inode_pin();
	struct file *file;

	if (ret)
		return ERR_PTR(ret);
	file = inode_open_new(buf, fops);
	if (IS_ERR(file)) {
		hpm_inode_unpin();
		return file;
	}
	__module_get(fops->owner);
	/* As open() sets them for a regular file. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
	return file;
}
