// SPDX-License-Identifier: GPL-2.0-only
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
int past;
#endif
