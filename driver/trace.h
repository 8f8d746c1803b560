/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints for ftrace, perf and bpftrace: what is done, with how much memory, and how long it
 * took. All have the same fields, so that one script reads all; hpage_map(7) describes them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hpage_map

#if !defined(_HPM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HPM_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

/*
 * @id: of the buffer, or 0 where there is none; @backing: enum hpage_map_backing, or 0; @size: in
 * bytes; @ret: 0 or -errno; @start: when it began.
 */
DECLARE_EVENT_CLASS(hpage_map,
	TP_PROTO(u32 id, u32 backing, u64 size, long ret, ktime_t start),
	TP_ARGS(id, backing, size, ret, start),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u32, backing)
		__field(u64, size)
		__field(long, ret)
		__field(s64, us)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->backing = backing;
		__entry->size = size;
		__entry->ret = ret;
		__entry->us = ktime_us_delta(ktime_get(), start);
	),
	TP_printk("id=%u backing=%u size=%llu ret=%ld us=%lld", __entry->id, __entry->backing,
		  __entry->size, __entry->ret, __entry->us)
);

#define HPM_EVENT(name)								\
	DEFINE_EVENT(hpage_map, hpage_map_##name,				\
		     TP_PROTO(u32 id, u32 backing, u64 size, long ret, ktime_t start),	\
		     TP_ARGS(id, backing, size, ret, start))

HPM_EVENT(make);	/* a buffer is made, or refused, for a program or a driver */
HPM_EVENT(free);	/* the last holder of a buffer has gone; us is 0 */
HPM_EVENT(map);		/* a part of a buffer is mapped into a program */
HPM_EVENT(unmap);	/* the last mapping of a buffer has gone; us is 0 */
HPM_EVENT(dma_map);	/* a part of a buffer is mapped for a device */
HPM_EVENT(choose);	/* pages are chosen by their address */
HPM_EVENT(reserve);	/* a reserve gets a page, or none */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
