/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
#define HPAGE_MAP_TOLD		_IO(0, 0)
#define HPAGE_MAP_UNTOLD	_IO(0, 1)
