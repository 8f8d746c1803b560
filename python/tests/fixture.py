# SPDX-License-Identifier: GPL-2.0-only
"""What the tests share: small buffers, and a look at what a test leaves behind."""

import ctypes
import gc
import os
import re
import unittest
import warnings

import hpage_map

HAS_MODULE = os.path.exists("/dev/hpage_map")
SIZE = 4 << 20
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def alloc(**wanted):
    return hpage_map.alloc(SIZE, allow_base=True, **wanted)


def mappings():
    """The lines of /proc/self/maps of buffers; the library is mapped, too."""
    with open("/proc/self/maps", encoding="ascii") as file:
        return [line for line in file if re.search(r"memfd:|/hpage|:hpage", line)]


def address_of(view):
    """Where the memory is mapped whose bytes this view shows."""
    return ctypes.addressof(view.obj)


def mapped(address):
    """Whether a mapping begins there."""
    with open("/proc/self/maps", encoding="ascii") as file:
        return any(int(line.split("-")[0], 16) == address for line in file)


def descriptors():
    """The open descriptors; that of the listing itself is closed by now."""
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")]


class Case(unittest.TestCase):
    """A test that leaves no descriptor and no mapping behind."""

    def setUp(self):
        gc.collect()
        before = descriptors(), mappings()
        self.addCleanup(self.nothing_is_left, before)

    def nothing_is_left(self, before):
        gc.collect()
        self.assertEqual(before, (descriptors(), mappings()))

    def in_child(self, work):
        """Run this in a child process; it ends well if work() returns nothing."""
        with warnings.catch_warnings():
            # numpy has threads, and Python 3.12 warns of them; the child does not use it.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            status = 1
            try:
                status = 0 if work() is None else 2
            finally:
                os._exit(status)
        return child

    def ends_well(self, child):
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
