#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Use the buffer of /dev/hpage_map from Python, with numpy if it is there."""

import mmap
import os

PATH = "/dev/hpage_map"

# A device has no file size, so mmap must be told the length: seek finds it.
with open(PATH, "r+b", buffering=0) as device:
    length = device.seek(0, os.SEEK_END)
    with mmap.mmap(device.fileno(), length) as buffer:
        buffer[:5] = b"hello"
        buffer[-5:] = b"there"
    device.seek(0)
    start = device.read(5)
    device.seek(-5, os.SEEK_END)
    end = device.read(5)
    print(f"{length} bytes, from {start.decode()} to {end.decode()}")

try:
    import numpy
except ImportError:
    print("numpy is not installed; with it, numpy.memmap maps the buffer as an array")
else:
    # Without a shape, memmap takes the whole buffer. With one, its size in
    # bytes must be a multiple of the buffer's page size.
    words = numpy.memmap(PATH, dtype="uint64", mode="r+")
    words[:] = numpy.arange(words.size, dtype="uint64")
    print(f"numpy: {words.size} words, the last is {words[-1]}")
