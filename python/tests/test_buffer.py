# SPDX-License-Identifier: GPL-2.0-only
"""A buffer: what it is, how it is mapped, and how it ends."""

import copy
import dataclasses
import errno
import fcntl
import os
import pickle
import signal
import time
import unittest
from unittest import mock

from fixture import HAS_MODULE, SIZE, Case, address_of, alloc, mapped

import hpage_map


class Buffers(Case):
    def test_memory_is_zeroed_and_holds_what_is_written(self):
        with alloc() as buffer:
            self.assertEqual((buffer.size, buffer.view.nbytes), (SIZE, SIZE))
            self.assertEqual(buffer.view.format, "B")
            self.assertEqual(bytes(buffer.view), bytes(SIZE))
            buffer.view[-5:] = b"hello"
            self.assertEqual(os.pread(buffer.fileno(), 5, SIZE - 5), b"hello")

    def test_what_a_handler_of_a_signal_interrupts_leaves_nothing_behind(self):
        class Interrupted(Exception):
            pass

        def interrupt(*_):
            raise Interrupted

        before = signal.signal(signal.SIGALRM, interrupt)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        for _ in range(3):
            with self.assertRaises(Interrupted):
                # It comes while the pages are zeroed, or else after that.
                signal.setitimer(signal.ITIMER_REAL, 0.005)
                with hpage_map.alloc("128M", allow_base=True, module=False):
                    while True:
                        time.sleep(0.01)

    def test_so_does_one_that_comes_while_a_dmabuf_is_made(self):
        def interrupted(_name, _buffer, fd):
            fd.value = os.open("/dev/null", os.O_RDONLY)
            raise KeyboardInterrupt

        with alloc() as buffer, mock.patch("hpage_map._buffer.call", interrupted):
            with self.assertRaises(KeyboardInterrupt):
                buffer.export_dmabuf()

    def test_a_size_is_rounded_up(self):
        with hpage_map.alloc(SIZE - 1, allow_base=True) as buffer:
            self.assertEqual(buffer.size % buffer.page_size, 0)
            self.assertEqual(buffer.size, SIZE)

    def test_info_has_types_of_python(self):
        with alloc(module=False) as buffer:
            info = buffer.info
            self.assertIs(info.backend, hpage_map.Backend.MEMFD)
            self.assertIsInstance(info.backing, hpage_map.Backing)
            self.assertEqual(info.attributes, hpage_map.Attributes(0))
            self.assertEqual((info.size, info.asked), (SIZE, SIZE))
            self.assertEqual(info.pages * info.page_size, SIZE)
            self.assertEqual(info.page_size, buffer.page_size)
            for unknown in ("runs", "alignment", "address", "id", "descriptors", "mappings"):
                self.assertIsNone(getattr(info, unknown), unknown)
            self.assertEqual(sum(buffer.nodes().values()), info.pages)
            with self.assertRaises(dataclasses.FrozenInstanceError):
                info.size = 0

    def test_a_buffer_of_memfd_says_why(self):
        with alloc(module=False, page_size=os.sysconf("SC_PAGE_SIZE")) as buffer:
            self.assertIs(buffer.info.backing, hpage_map.Backing.BASE)
            self.assertIsInstance(buffer.why, str)
            with self.assertRaises(hpage_map.Error) as caught:
                buffer.runs()
            self.assertEqual(caught.exception.errno, errno.ENOTSUP)
            self.assertRegex(caught.exception.strerror, "pages of memfd may move")

    @unittest.skipIf(HAS_MODULE, "the module is loaded")
    def test_without_the_module_names_say_how_to_load_it(self):
        for call in (hpage_map.open, hpage_map.destroy, lambda _: next(hpage_map.buffers())):
            with self.assertRaises(hpage_map.Error) as caught:
                call("name")
            self.assertEqual(caught.exception.errno, errno.ENOTSUP)
            self.assertRegex(caught.exception.strerror, "hpage_map")

    def test_a_closed_buffer_can_be_closed_and_nothing_else(self):
        buffer = alloc()
        descriptor = buffer.fileno()
        self.assertFalse(os.get_inheritable(descriptor))
        buffer.close()
        buffer.close()
        self.assertTrue(buffer.closed)
        self.assertEqual(repr(buffer), "<hpage_map.Buffer, closed>")
        self.assertRaises(OSError, os.fstat, descriptor)
        for use in (
            lambda: buffer.size,
            lambda: buffer.view,
            lambda: buffer.info,
            lambda: buffer.why,
            buffer.fileno,
            buffer.map,
            buffer.unmap,
            buffer.nodes,
            buffer.__enter__,
        ):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_a_copy_would_free_it_twice(self):
        with alloc() as buffer:
            for way in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, r"send\(\)"):
                    way(buffer)


class Mappings(Case):
    def test_a_view_for_reading_cannot_be_written(self):
        with alloc() as buffer, buffer.map(read_only=True) as view:
            self.assertTrue(view.readonly and buffer.view.readonly)
            with self.assertRaises(TypeError):
                view[0] = 1
            # Another mapping would take the memory from under the view.
            self.assertRaises(BufferError, buffer.map, read_only=False)

    def test_without_views_the_mapping_can_be_of_another_kind(self):
        with alloc() as buffer:
            self.assertTrue(buffer.map(read_only=True).readonly)
            buffer.map(populate=True)[0] = 7
            self.assertEqual(buffer.map()[0], 7)
            address = address_of(buffer.view)
            self.assertTrue(mapped(address))
            buffer.unmap()
            self.assertFalse(mapped(address))
            self.assertEqual(buffer.view[0], 7)

    def test_what_is_written_to_a_private_mapping_stays_there(self):
        with alloc() as buffer, hpage_map.from_fd(buffer) as other:
            other.map(private=True)[0] = 1
            self.assertEqual((other.view[0], buffer.view[0]), (1, 0))

    def test_a_buffer_that_was_opened_for_reading_has_views_for_reading(self):
        with alloc(module=False) as buffer:
            fd = os.open(f"/proc/self/fd/{buffer.fileno()}", os.O_RDONLY)
            try:
                with hpage_map.from_fd(fd) as reader:
                    self.assertTrue(reader.view.readonly)
                    buffer.view[0] = 9
                    self.assertEqual(reader.view[0], 9)
                    with self.assertRaises(PermissionError) as caught:
                        reader.map(read_only=False)
                    self.assertRegex(str(caught.exception), "try: .*READ_ONLY")
            finally:
                os.close(fd)


class Descriptors(Case):
    def test_a_descriptor_is_of_the_same_memory(self):
        with alloc() as buffer, hpage_map.from_fd(buffer.fileno()) as other:
            buffer.view[:3] = b"one"
            self.assertEqual(bytes(other.view[:3]), b"one")
            self.assertNotEqual(buffer.fileno(), other.fileno())

    def test_a_file_that_can_shrink_is_only_taken_when_trusted(self):
        fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, SIZE)
            with self.assertRaises(hpage_map.Error) as caught:
                hpage_map.from_fd(fd)
            self.assertEqual(caught.exception.errno, errno.EINVAL)
            with hpage_map.from_fd(fd, unsealed=True) as buffer:
                self.assertEqual(buffer.size, SIZE)
            fcntl.fcntl(fd, 1033, 2)  # F_ADD_SEALS, F_SEAL_SHRINK
            hpage_map.from_fd(fd).close()
        finally:
            os.close(fd)

    def test_what_is_no_buffer_is_refused(self):
        with open("/dev/null", "rb") as file, self.assertRaises(hpage_map.Error) as caught:
            hpage_map.from_fd(file)
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        self.assertRegex(caught.exception.strerror, "no buffer\ntry: ")
