# SPDX-License-Identifier: GPL-2.0-only
"""What the machine has, and memory that the program has got itself."""

import errno
import mmap
import os
import unittest

from fixture import HAS_MODULE, SIZE, Case

import hpage_map

POOLS = "/sys/kernel/mm/hugepages"


def figure(size, name):
    with open(f"{POOLS}/hugepages-{size >> 10}kB/{name}_hugepages", encoding="ascii") as file:
        return int(file.read())


class Pools(Case):
    def test_sizes_and_pools_are_those_of_the_kernel(self):
        sizes = hpage_map.page_sizes()
        names = os.listdir(POOLS) if os.path.isdir(POOLS) else []
        self.assertEqual(sizes, sorted(int(name.split("-")[1][:-2]) << 10 for name in names))
        for size in sizes:
            pool = hpage_map.pool(size)
            self.assertEqual((pool.total, pool.free), (figure(size, "nr"), figure(size, "free")))

    def test_pools_that_are_not_there_are_refused(self):
        for size in ("3M", 4096):
            with self.subTest(size=size), self.assertRaises(FileNotFoundError):
                hpage_map.pool(size)
        with self.assertRaises(ValueError):
            hpage_map.pool(0)


@unittest.skipIf(HAS_MODULE, "the module is loaded")
class WithoutModule(Case):
    def test_what_needs_the_module_says_so(self):
        with mmap.mmap(-1, SIZE) as memory:
            for ask in (
                lambda: hpage_map.pin(memory),
                lambda: hpage_map.reserve(hpage_map.Backing.THP, "2M"),
            ):
                with self.assertRaises(hpage_map.Error) as caught:
                    ask()
                self.assertEqual(caught.exception.errno, errno.ENOTSUP)


class Memory(Case):
    def test_what_cannot_be_written_is_refused(self):
        for memory in (b"bytes", "text", 7):
            with self.subTest(memory=memory), self.assertRaises(TypeError):
                hpage_map.pin(memory)


@unittest.skipUnless(HAS_MODULE, "the module is not loaded")
class WithModule(Case):
    def test_memory_of_the_program_becomes_a_buffer(self):
        memory = mmap.mmap(-1, SIZE)
        memory[:5] = b"hello"
        with hpage_map.pin(memory) as buffer:
            info = buffer.info
            self.assertIs(info.backing, hpage_map.Backing.USER)
            self.assertEqual((info.size, info.page_size), (SIZE, mmap.PAGESIZE))
            with self.assertRaises(hpage_map.Error) as caught:
                buffer.view
            self.assertEqual(caught.exception.errno, errno.ENODEV)
            # It holds the pages, and not the object.
            self.assertEqual(memory[:5], b"hello")
            memory.close()
            fd = buffer.export_dmabuf()
        try:
            self.assertEqual(os.lseek(fd, 0, os.SEEK_END), SIZE)
        finally:
            os.close(fd)

    def test_a_part_of_a_page_is_refused(self):
        with mmap.mmap(-1, SIZE) as memory, memoryview(memory) as view:
            for part in (view[1:], view[:-1]):
                with self.assertRaises(hpage_map.Error) as caught:
                    hpage_map.pin(part)
                self.assertEqual(caught.exception.errno, errno.EINVAL)
                part.release()

    def test_a_reserve_is_asked_about(self):
        reserve = hpage_map.reserve(hpage_map.Backing.THP, "2M")
        self.assertLessEqual(reserve.ready, reserve.asked)
        with self.assertRaises(FileNotFoundError):
            hpage_map.reserve(hpage_map.Backing.THP, "3M")


if __name__ == "__main__":
    unittest.main()
