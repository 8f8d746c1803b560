#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A dma-buf of /dev/hpage_map as an array, with numpy if it is there.

Graphics, cameras and network cards take the same descriptor; whoever has it
holds the memory.
"""

import contextlib
import fcntl
import mmap
import os
import struct

# From <linux/hpage_map.h>: EXPORT, and struct hpage_map_export.
EXPORT = 0xB947
EXPORT_STRUCT = "=IIiI"  # size, flags, fd, reserved
# From <linux/dma-buf.h>.
DMA_BUF_IOCTL_SYNC = 0x40086200
SYNC_RW, SYNC_START, SYNC_END = 3, 0, 4


def export(path):
    """Return a descriptor of a dma-buf of the buffer at this path."""
    with open(path, "r+b", buffering=0) as device:
        size = struct.calcsize(EXPORT_STRUCT)
        answer = fcntl.ioctl(device, EXPORT, struct.pack(EXPORT_STRUCT, size, 0, 0, 0))
    return struct.unpack(EXPORT_STRUCT, answer)[2]


@contextlib.contextmanager
def cpu_access(fd):
    """Between these the processor may touch the memory; devices wait or see it after."""
    fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", SYNC_RW | SYNC_START))
    try:
        yield
    finally:
        fcntl.ioctl(fd, DMA_BUF_IOCTL_SYNC, struct.pack("=Q", SYNC_RW | SYNC_END))


dmabuf = export("/dev/hpage_map")
length = os.lseek(dmabuf, 0, os.SEEK_END)
with mmap.mmap(dmabuf, length) as memory:
    try:
        import numpy
    except ImportError:
        array = memoryview(memory).cast("Q")
        KIND = "memoryview"
    else:
        array = numpy.frombuffer(memory, dtype="uint64")
        KIND = "numpy"
    with cpu_access(dmabuf):
        array[0], array[-1] = 1, len(array)
    print(f"{KIND}: {len(array)} words of the dma-buf, the last is {array[-1]}")
    del array
os.close(dmabuf)

with open("/dev/hpage_map", "rb", buffering=0) as check:
    check.seek(-8, os.SEEK_END)
    (last,) = struct.unpack("=Q", check.read(8))
print(f"the device has it, too: {last}")
