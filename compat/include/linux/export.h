/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HPM_COMPAT_LINUX_EXPORT_H
#define _HPM_COMPAT_LINUX_EXPORT_H

#include_next <linux/export.h>
#include <linux/version.h>

/* Before 6.13 namespaces were written without quotes; before 6.5 licenses were sections. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#undef EXPORT_SYMBOL_NS_GPL
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	__EXPORT_SYMBOL(sym, "_gpl", ns)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#undef EXPORT_SYMBOL_NS_GPL
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	__EXPORT_SYMBOL(sym, "GPL", ns)
#endif

#endif
