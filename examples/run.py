#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Huge pages in two lines, with the module or without it, and without root:

    hpagectl run --size 64M -- ./run.py
"""

import mmap
import os

length = int(os.environ["HPAGE_MAP_SIZE"])
buffer = mmap.mmap(int(os.environ["HPAGE_MAP_FD"]), length)

buffer[:5] = b"hello"
print(f"{length} bytes, from {buffer[:5].decode()} on")
