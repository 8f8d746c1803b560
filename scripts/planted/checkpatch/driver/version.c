// SPDX-License-Identifier: GPL-2.0-only
#if LINUX_VERSION_CODE < 1
#endif
