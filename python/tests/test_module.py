# SPDX-License-Identifier: GPL-2.0-only
"""What only the module has: names, runs, and who holds a buffer. As root."""

import errno
import os
import unittest

from fixture import HAS_MODULE, SIZE, Case, alloc

import hpage_map

NAME = "python-test"


@unittest.skipUnless(HAS_MODULE, "the module is not loaded")
class Module(Case):
    def create(self, **wanted):
        buffer = hpage_map.create(NAME, SIZE, allow_base=True, **wanted)
        self.addCleanup(self.destroy)
        return buffer

    def destroy(self):
        try:
            hpage_map.destroy(NAME)
        except FileNotFoundError:
            pass

    def test_a_buffer_comes_from_the_module(self):
        with alloc(module=True, name="tag") as buffer:
            info = buffer.info
            self.assertIs(info.backend, hpage_map.Backend.MODULE)
            self.assertEqual((info.name, info.creator), ("tag", os.getpid()))
            self.assertEqual((info.descriptors, info.mappings), (1, 0))
            with buffer.view:
                self.assertEqual(buffer.info.mappings, 1)
            self.assertEqual(sum(buffer.nodes().values()), info.pages)

    def test_runs_make_the_buffer(self):
        with alloc(module=True) as buffer:
            runs, info = buffer.runs(), buffer.info
            self.assertEqual(len(runs), info.runs)
            self.assertEqual(sum(run.size for run in runs), SIZE)
            self.assertEqual(runs[0].address, info.address)
        with alloc(contiguous=True) as buffer:
            self.assertEqual(len(buffer.runs()), 1)
            self.assertIn(hpage_map.Attributes.CONTIGUOUS, buffer.info.attributes)

    def test_a_name_is_made_found_and_taken_away(self):
        with self.create(mode=0o640, group="daemon") as buffer:
            buffer.view[:4] = b"name"
            self.assertIn(hpage_map.Attributes.NAMED, buffer.info.attributes)
        node = os.stat(f"/dev/hpage/{NAME}")
        self.assertEqual((node.st_mode & 0o777, node.st_gid), (0o640, 1))
        self.assertIn(NAME, [info.name for info in hpage_map.buffers()])
        with self.assertRaises(FileExistsError):
            hpage_map.create(NAME, SIZE, allow_base=True)
        with hpage_map.open(NAME, read_only=True) as reader:
            self.assertEqual(bytes(reader.view[:4]), b"name")
            self.assertTrue(reader.view.readonly)
            with self.assertRaises(PermissionError):
                reader.map(read_only=False)
        with hpage_map.open(NAME) as holder:
            hpage_map.destroy(NAME)
            self.assertEqual(bytes(holder.view[:4]), b"name")
        for call in (hpage_map.open, hpage_map.destroy):
            with self.assertRaises(FileNotFoundError) as caught:
                call(NAME)
            self.assertEqual(caught.exception.errno, errno.ENOENT)

    def test_a_dma_buf_holds_the_buffer(self):
        with alloc(module=True) as buffer:
            fd = buffer.export_dmabuf()
        try:
            self.assertEqual(os.lseek(fd, 0, os.SEEK_END), SIZE)
        finally:
            os.close(fd)
