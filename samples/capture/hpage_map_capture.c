// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packets of a network interface in a ring of huge pages, which any number of
 * programs map read-only.
 *
 * hpage_map_capture.h says what programs see. What is there is written from the
 * variables in struct capture and never read back, so nothing that happened to
 * the shared pages could lead the driver astray. Programs cannot write to them
 * anyway: mappings that could are refused, and none becomes writable later.
 *
 * The hook is a packet_type for all protocols, bound to the interface, which is
 * what packet sockets use. It sees both directions, beside all that happens to
 * the packet, on as many CPUs as carry packets. An rx_handler would see only what
 * is received and would take the one place there is from bridges and bonds.
 *
 * The receive path never waits for a reader: with the ring full, the oldest block
 * is overwritten, and readers find out. Overwriting is announced block by block
 * (oldest) before it happens, and records are published one by one (produced)
 * after they were written.
 *
 * States: set up, by init; running, from capture_start() on; ended, when the
 * interface goes away (or into another network namespace), or at exit. It never
 * runs again. Programs read on what is in the ring then. Their mappings hold the
 * buffer and not this module, which may be unloaded; open files hold the module.
 *
 * Locks: RTNL protects the binding to the interface, which the hook does not
 * look at. capture.lock orders the CPUs that produce; nobody else takes it, and
 * nothing is taken inside it. Bottom halves are off whenever the hook runs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hpage_map.h>
#include <linux/huge_mm.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hpage_map_capture.h"

#define CAPTURE_BLOCK		((u32)SZ_256K)
#define CAPTURE_SNAPLEN_MAX	(CAPTURE_BLOCK - sizeof(struct hpage_map_capture_record))
#define CAPTURE_LINK_ETHERNET	1

static char *interface;
module_param(interface, charp, 0444);
MODULE_PARM_DESC(interface, "network interface, of the network namespace that loads the module");

static unsigned int pages = 4;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "huge pages of the ring (4)");

static unsigned int snaplen = 65535;
module_param(snaplen, uint, 0444);
MODULE_PARM_DESC(snaplen, "bytes kept of each packet at most (65535)");

static struct capture {
	/* Never change once running. */
	struct hpage_map_buffer *buf;
	struct hpage_map_capture_ring *shared;
	char *data;
	unsigned int nr_blocks;		/* at least 2 */
	u64 *first;			/* by block: its first packet; contents under lock */

	struct net_device *dev;		/* while running; under RTNL */
	netdevice_tracker tracker;	/* likewise */

	spinlock_t lock;		/* orders those who produce */
	unsigned int block;		/* that of produced; under lock */
	u64 produced;			/* changed under lock */
	u64 packets;			/* under lock */

	bool ended;			/* changed under RTNL; what it says stays true */
	wait_queue_head_t wait;
} capture = {
	.lock = __SPIN_LOCK_UNLOCKED(capture.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(capture.wait),
};

/* An open file. */
struct capture_reader {
	u64 told;			/* what produced was at the last read() */
};

/* --- producing */

/* The block that starts at @position is the next to be written to, and its old records go. */
static void capture_enter_block(u64 position)
{
	struct hpage_map_capture_ring *shared = capture.shared;
	u64 data_size = (u64)capture.nr_blocks * CAPTURE_BLOCK;
	unsigned int next;

	lockdep_assert_held(&capture.lock);
	capture.block = position ? (capture.block + 1) % capture.nr_blocks : 0;
	capture.first[capture.block] = capture.packets;
	if (position < data_size)
		return;

	next = (capture.block + 1) % capture.nr_blocks;
	WRITE_ONCE(shared->oldest, position + CAPTURE_BLOCK - data_size);
	WRITE_ONCE(shared->overwritten, capture.first[next]);
	/* A reader that sees anything of what is written now sees that oldest has moved. */
	smp_wmb();
}

/* Where a record of @size bytes goes; *@position is there afterwards. */
static struct hpage_map_capture_record *capture_reserve(u32 size, u64 *position)
{
	u32 used = capture.produced & (CAPTURE_BLOCK - 1);
	struct hpage_map_capture_record *rest;

	lockdep_assert_held(&capture.lock);
	*position = capture.produced;
	if (!used || size > CAPTURE_BLOCK - used) {
		if (used) {
			rest = (void *)(capture.data + (u64)capture.block * CAPTURE_BLOCK + used);
			rest->size = 0;
			*position += CAPTURE_BLOCK - used;
			used = 0;
		}
		capture_enter_block(*position);
	}
	return (void *)(capture.data + (u64)capture.block * CAPTURE_BLOCK + used);
}

/* The record up to @produced is complete. */
static void capture_publish(u64 produced)
{
	lockdep_assert_held(&capture.lock);
	capture.packets++;
	WRITE_ONCE(capture.shared->packets, capture.packets);
	WRITE_ONCE(capture.produced, produced);
	/* Whoever sees it sees the record as well. */
	smp_store_release(&capture.shared->produced, produced);
}

/* As skb_copy_bits() from the link header on, with the VLAN tag where it was on the link. */
static int capture_copy(const struct sk_buff *skb, void *to, u32 count)
{
	int offset = skb_mac_offset(skb);
	struct vlan_ethhdr head;
	int ret;

	if (!skb_vlan_tag_present(skb))
		return skb_copy_bits(skb, offset, to, count);

	ret = skb_copy_bits(skb, offset, &head, 2 * ETH_ALEN);
	if (ret)
		return ret;
	head.h_vlan_proto = skb->vlan_proto;
	head.h_vlan_TCI = htons(skb_vlan_tag_get(skb));
	memcpy(to, &head, min_t(u32, count, 2 * ETH_ALEN + VLAN_HLEN));
	if (count <= 2 * ETH_ALEN + VLAN_HLEN)
		return 0;
	return skb_copy_bits(skb, offset + 2 * ETH_ALEN, to + 2 * ETH_ALEN + VLAN_HLEN,
			     count - 2 * ETH_ALEN - VLAN_HLEN);
}

static void capture_add(const struct sk_buff *skb)
{
	u32 length = skb->len - skb_mac_offset(skb);
	struct hpage_map_capture_record *rec;
	u32 captured, size;
	u64 position;

	if (skb_vlan_tag_present(skb))
		length += VLAN_HLEN;
	captured = min(length, snaplen);
	size = ALIGN(sizeof(*rec) + captured, HPAGE_MAP_CAPTURE_ALIGN);

	spin_lock(&capture.lock);
	rec = capture_reserve(size, &position);
	/* Memory of a device cannot be read: the packet counts, without its bytes. */
	if (capture_copy(skb, rec + 1, captured))
		captured = 0;
	*rec = (struct hpage_map_capture_record){
		.size = size,
		.flags = skb->pkt_type == PACKET_OUTGOING ? HPAGE_MAP_CAPTURE_OUTGOING : 0,
		.length = length,
		.captured = captured,
		.time_ns = ktime_to_ns(skb_tstamp(skb) ?: ktime_get_real()),
		.sequence = capture.packets,
	};
	capture_publish(position + size);
	spin_unlock(&capture.lock);
}

/* The hook. Others have the same packet: it is only looked at. */
static int capture_packet(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
			  struct net_device *orig_dev)
{
	/* The stack's own copies of what it sends to groups: seen as sent already. */
	if (skb->pkt_type != PACKET_LOOPBACK) {
		capture_add(skb);
		/* Its barrier is between produced and the look for sleepers. */
		if (wq_has_sleeper(&capture.wait))
			wake_up_interruptible_poll(&capture.wait, EPOLLIN | EPOLLRDNORM);
	}
	consume_skb(skb);
	return 0;
}

static struct packet_type capture_type = {
	.type = cpu_to_be16(ETH_P_ALL),
	.func = capture_packet,
};

/* --- the interface */

static int capture_start(void)
{
	struct net *net = current->nsproxy->net_ns;
	struct net_device *dev;
	int ret = 0;

	rtnl_lock();
	dev = __dev_get_by_name(net, interface);
	if (!dev) {
		pr_err("there is no interface %s in this network namespace\n", interface);
		ret = -ENODEV;
	} else if (dev->type != ARPHRD_ETHER && dev->type != ARPHRD_LOOPBACK) {
		pr_err("packets of %s do not start with an Ethernet header\n", interface);
		ret = -EOPNOTSUPP;
	} else {
		netdev_hold(dev, &capture.tracker, GFP_KERNEL);
		capture.dev = dev;
		/* Let the stack stamp packets when it takes them, not when we are asked. */
		net_enable_timestamp();
		capture_type.dev = dev;
		dev_add_pack(&capture_type);
	}
	rtnl_unlock();
	return ret;
}

/* Idempotent. When it returns the hook runs nowhere and never will. */
static void capture_stop(void)
{
	ASSERT_RTNL();
	if (!capture.dev)
		return;
	/* Waits in synchronize_net() for those who are in the hook. */
	dev_remove_pack(&capture_type);
	net_disable_timestamp();
	netdev_put(capture.dev, &capture.tracker);
	capture.dev = NULL;

	/* Whoever sees it sees the last packet as well. */
	smp_store_release(&capture.shared->ended, 1);
	/* Likewise. */
	smp_store_release(&capture.ended, true);
	wake_up_interruptible_poll(&capture.wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static int capture_netdev_event(struct notifier_block *nb, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	if (event == NETDEV_UNREGISTER && dev == capture.dev) {
		pr_info("%s is gone\n", dev->name);
		capture_stop();
	}
	return NOTIFY_DONE;
}

static struct notifier_block capture_netdev_notifier = {
	.notifier_call = capture_netdev_event,
};

/* --- the node */

/* Is there something that read() has to say? */
static bool capture_news(const struct capture_reader *reader)
{
	/* Acquire: produced is not loaded before, so at the end it is the last one. */
	return smp_load_acquire(&capture.ended) ||
	       READ_ONCE(capture.produced) != READ_ONCE(reader->told);
}

static ssize_t capture_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct capture_reader *reader = file->private_data;
	u64 produced;
	int ret;

	if (count != sizeof(produced))
		return -EINVAL;
	if (!capture_news(reader)) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(capture.wait, capture_news(reader));
		if (ret)
			return ret;
	}
	produced = READ_ONCE(capture.produced);
	if (produced == READ_ONCE(reader->told))
		return 0;
	if (copy_to_user(to, &produced, sizeof(produced)))
		return -EFAULT;
	WRITE_ONCE(reader->told, produced);
	return sizeof(produced);
}

static __poll_t capture_poll(struct file *file, struct poll_table_struct *wait)
{
	__poll_t mask = 0;

	poll_wait(file, &capture.wait, wait);
	/* Pairs with wq_has_sleeper(): it sees us, or we see its packet. */
	smp_mb();
	/* In this order: there is no end without news of it. */
	if (READ_ONCE(capture.ended))
		mask |= EPOLLHUP;
	if (capture_news(file->private_data))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int capture_open(struct inode *inode, struct file *file)
{
	struct capture_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

static int capture_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/* Private mappings, too: one rule, and nobody has use for a copy that does not change. */
static int capture_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_mod(vma, 0, VM_MAYWRITE);
	return hpage_map_mmap(capture.buf, vma, 0, 0);
}

static unsigned long capture_get_unmapped_area(struct file *file, unsigned long addr,
					       unsigned long len, unsigned long pgoff,
					       unsigned long flags)
{
	return hpage_map_get_unmapped_area(capture.buf, addr, len, pgoff, flags, 0, 0);
}

static const struct file_operations capture_fops = {
	.owner = THIS_MODULE,
	.open = capture_open,
	.release = capture_release,
	.read = capture_read,
	.poll = capture_poll,
	.mmap = capture_mmap,
	.get_unmapped_area = capture_get_unmapped_area,
};

static struct miscdevice capture_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &capture_fops,
	.mode = 0400,	/* packets are other people's */
};

/* --- the ring */

static int capture_create(void)
{
	const struct hpage_map_attr attr = {
		.size = (u64)pages * PMD_SIZE,
		.name = "capture",
	};
	void *vaddr;
	int ret;

	capture.buf = hpage_map_create(NULL, &attr);
	if (IS_ERR(capture.buf))
		return PTR_ERR(capture.buf);
	vaddr = hpage_map_vmap(capture.buf);
	ret = PTR_ERR_OR_ZERO(vaddr);
	if (ret)
		goto put;
	/* The first block is the header's. */
	capture.shared = vaddr;
	capture.data = vaddr + CAPTURE_BLOCK;
	capture.nr_blocks = hpage_map_size(capture.buf) / CAPTURE_BLOCK - 1;
	capture.first = kvcalloc(capture.nr_blocks, sizeof(*capture.first), GFP_KERNEL);
	if (!capture.first) {
		ret = -ENOMEM;
		goto put;
	}

	/* The rest is 0, as the pages are. */
	capture.shared->magic = HPAGE_MAP_CAPTURE_MAGIC;
	capture.shared->version = HPAGE_MAP_CAPTURE_VERSION;
	capture.shared->link_type = CAPTURE_LINK_ETHERNET;
	capture.shared->snaplen = snaplen;
	capture.shared->data_offset = CAPTURE_BLOCK;
	capture.shared->data_size = (u64)capture.nr_blocks * CAPTURE_BLOCK;
	capture.shared->block_size = CAPTURE_BLOCK;
	strscpy(capture.shared->interface, interface, sizeof(capture.shared->interface));
	return 0;

put:
	hpage_map_put(capture.buf);
	return ret;
}

/* Nobody produces any more. Programs that have it mapped keep the pages. */
static void capture_destroy(void)
{
	kvfree(capture.first);
	hpage_map_put(capture.buf);
}

static int __init capture_init(void)
{
	int ret;

	if (!interface || !pages || !snaplen || snaplen > CAPTURE_SNAPLEN_MAX) {
		pr_err("needs interface=NAME, pages of at least 1, and snaplen of 1 to %zu\n",
		       CAPTURE_SNAPLEN_MAX);
		return -EINVAL;
	}
	ret = capture_create();
	if (ret)
		return ret;
	/* Before the start, so that the interface cannot go unnoticed. */
	ret = register_netdevice_notifier(&capture_netdev_notifier);
	if (ret)
		goto destroy;
	ret = capture_start();
	if (ret)
		goto unregister;
	ret = misc_register(&capture_misc);
	if (ret)
		goto stop;
	pr_info("%s into a ring of %llu bytes\n", interface, hpage_map_size(capture.buf));
	return 0;

stop:
	rtnl_lock();
	capture_stop();
	rtnl_unlock();
unregister:
	unregister_netdevice_notifier(&capture_netdev_notifier);
destroy:
	capture_destroy();
	return ret;
}
module_init(capture_init);

static void __exit capture_exit(void)
{
	misc_deregister(&capture_misc);
	rtnl_lock();
	capture_stop();
	rtnl_unlock();
	unregister_netdevice_notifier(&capture_netdev_notifier);
	capture_destroy();
}
module_exit(capture_exit);

MODULE_DESCRIPTION("Packets of a network interface in a ring of huge pages");
MODULE_LICENSE("GPL");
HPAGE_MAP_IMPORT();
