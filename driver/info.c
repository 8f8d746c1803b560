// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that ask: what a buffer is, which ones there are, where its pages are.
 *
 * Pages never change while a buffer is held, so nothing is locked. Holders are counted by others
 * meanwhile; the counts are for people.
 */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "claim.h"
#include "info.h"
#include "ioctl.h"
#include "ladder.h"
#include "policy.h"
#include "vma.h"

static void info_fill(struct hpage_map_info *info, const struct hpage_map_buffer *buf)
{
	const struct hpm_pages *pages;

	*info = (struct hpage_map_info){ .size = info->size, .features = hpm_ladder_features() };
	if (!buf)
		return;
	pages = &buf->backing.pages;
	info->length = hpm_pages_size(pages);
	info->page_size = hpage_map_page_size(buf);
	info->nr_pages = pages->nr;
	info->nr_huge = pages->nr_huge;
	info->nr_runs = pages->nr_runs;
	info->backing = buf->backing.kind;
	info->node = pages->node;
	info->asked = buf->asked;
	/* Whoever is not able gets less of an answer, and no denial in the audit log. */
	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_RAWIO))
		info->address = PFN_PHYS(page_to_pfn(hpm_pages_page(pages, 0)));
	info->id = buf->id;
	info->attributes = hpm_buffer_attributes(buf);
	info->creator = pid_vnr(buf->creator);
	info->uid = from_kuid_munged(current_user_ns(), buf->uid);
	info->descriptors = atomic_read(&buf->descriptors);
	info->mappings = hpm_vma_count(buf);
	info->exports = atomic_read(&buf->exports);
	info->drivers = atomic_read(&buf->drivers);
	info->devices = atomic_read(&buf->devices);
	info->lingering = min_t(u64, READ_ONCE(buf->backing.nr_lingering), U32_MAX);
	strscpy_pad(info->name, buf->name, sizeof(info->name));
	info->alignment = BIT_ULL(__ffs64(pages->starts | info->length));
}

/* Carry out HPAGE_MAP_INFO. */
int hpm_info_info(struct hpm_call *call)
{
	if (call->info.flags)
		return -EINVAL;
	info_fill(&call->info, call->file->private_data);
	return hpm_ioctl_respond(call);
}

static bool caller_may_see(const struct hpage_map_buffer *buf)
{
	return READ_ONCE(buf->role) || uid_eq(buf->uid, current_uid()) ||
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* Carry out HPAGE_MAP_LIST. */
int hpm_info_list(struct hpm_call *call)
{
	struct hpage_map_buffer *buf;
	u32 id = call->info.id;

	if (call->info.flags)
		return -EINVAL;

	buf = hpm_buffer_next(&id, caller_may_see);
	if (!buf)
		return -ENOENT;
	info_fill(&call->info, buf);
	hpm_buffer_put(buf);
	return hpm_ioctl_respond(call);
}

/* Carry out HPAGE_MAP_NODES. */
int hpm_info_nodes(struct hpm_call *call)
{
	const struct hpage_map_buffer *buf = call->file->private_data;
	struct hpage_map_nodes *nodes = &call->nodes;
	u32 room = nodes->nr;
	u64 *counts;
	int ret;

	if (nodes->flags || nodes->reserved)
		return -EINVAL;
	counts = kvcalloc(nr_node_ids, sizeof(*counts), GFP_KERNEL_ACCOUNT);
	if (!counts)
		return -ENOMEM;

	hpm_pages_by_node(&buf->backing.pages, 0, nr_node_ids, counts);
	nodes->nr = nr_node_ids;
	while (nodes->nr && !counts[nodes->nr - 1])
		nodes->nr--;
	ret = copy_to_user(u64_to_user_ptr(nodes->pages), counts,
			   min(room, nodes->nr) * sizeof(*counts)) ? -EFAULT : 0;
	kvfree(counts);
	return ret ?: hpm_ioctl_respond(call);
}

/* Carry out HPAGE_MAP_RUNS on a file of a buffer. */
int hpm_info_runs(struct hpm_call *call)
{
	const struct hpage_map_buffer *buf = call->file->private_data;
	struct hpage_map_runs *runs = &call->runs;
	struct hpage_map_run __user *to = u64_to_user_ptr(runs->runs);
	struct hpage_map_run run;
	u32 room = runs->nr;

	if (runs->flags || runs->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;

	for (runs->nr = 0; runs->nr < room; runs->nr++) {
		if (!hpm_pages_nth_run(&buf->backing.pages, runs->first + runs->nr, &run))
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (copy_to_user(to + runs->nr, &run, sizeof(run)))
			return -EFAULT;
		cond_resched();
	}
	return hpm_ioctl_respond(call);
}

/* Carry out HPAGE_MAP_FORECAST. */
int hpm_info_forecast(struct hpm_call *call)
{
	struct hpage_map_forecast *f = &call->forecast;
	const struct hpm_place place = {
		.policy = HPAGE_MAP_POLICY_STRICT,
		.node = f->node,
		.limit = f->flags & HPAGE_MAP_BELOW_4G ? SZ_4G : 0,
	};

	if (f->flags & ~HPAGE_MAP_BELOW_4G || f->reserved || !hpm_place_exists(&place))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;

	if (!hpm_claim_exists())
		return -EOPNOTSUPP;
	return hpm_claim_forecast(&place, f) ?: hpm_ioctl_respond(call);
}
