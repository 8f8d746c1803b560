# SPDX-License-Identifier: GPL-2.0-only
"""No view points to what is unmapped, whatever goes first and whoever collects it."""

import gc
import itertools
import subprocess
import sys
import threading
import unittest

from fixture import SIZE, Case, address_of, alloc, mapped

try:
    import numpy
except ImportError:
    numpy = None


class Views(Case):
    def test_a_buffer_with_views_is_not_closed(self):
        buffer = alloc()
        view = buffer.view
        part = view[4096:8192].cast("Q")
        for end in (buffer.close, buffer.unmap):
            with self.assertRaisesRegex(BufferError, "views or arrays"):
                end()
        view.release()
        self.assertRaises(BufferError, buffer.close)
        part[0] = 1 << 40
        self.assertEqual(part[0], 1 << 40)
        part.release()
        buffer.close()

    def test_with_reports_views_and_no_other_error_in_their_place(self):
        with self.assertRaises(BufferError):
            with alloc() as buffer:
                view = buffer.view
        view.release()
        buffer.close()
        with self.assertRaises(KeyError):
            with alloc() as buffer:
                view = buffer.view
                raise KeyError
        view[0] = 1
        view.release()
        buffer.close()

    def test_the_memory_goes_with_the_last_of_them_in_any_order(self):
        for order in itertools.permutations(("buffer", "view", "cast", "part")):
            with self.subTest(order=order):
                buffer = alloc()
                view = buffer.view
                address = address_of(view)
                alive = {"buffer": buffer, "view": view, "cast": view.cast("I")}
                alive["part"] = buffer.view[-1:]
                del buffer, view
                for name in order:
                    self.assertTrue(mapped(address))
                    if name != "buffer":
                        alive[name][0] = 1
                    del alive[name]
                self.assertFalse(mapped(address))

    def test_the_collector_of_cycles_does_not_unmap_below_a_view(self):
        class Node:
            def __init__(self, buffer, closes):
                self.itself, self.closes = self, closes
                self.buffer, self.view = buffer, buffer.view
                self.view[SIZE - 1] = 42

            def __del__(self):
                if self.closes:
                    self.buffer.close()
                read.append(self.view[SIZE - 1])

        read = []
        for closes in (False, True):
            # The buffer is older than the node, so the collector comes to it first.
            Node(alloc(), closes)
            gc.collect()
        self.assertEqual(read, [42, 42])

    def test_an_interpreter_ends_with_views(self):
        program = "import hpage_map; v = hpage_map.alloc('4M', allow_base=True).view; v[0] = 1"
        for more in ("", "; v.obj.itself = v", "; import builtins; builtins.v = v"):
            out = subprocess.run([sys.executable, "-c", program + more], capture_output=True)
            self.assertEqual((out.returncode, out.stdout, out.stderr), (0, b"", b""), more)

    def test_threads_map_and_end_one_buffer(self):
        for _ in range(20):
            buffer = alloc()
            start = threading.Barrier(4)

            def work():
                start.wait()
                try:
                    for _ in range(50):
                        buffer.view[7] = 7
                        buffer.close()
                except (ValueError, BufferError):
                    pass

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            buffer.close()

    @unittest.skipIf(sys.version_info < (3, 12), "a class has no __buffer__ before Python 3.12")
    def test_a_buffer_is_like_bytes(self):
        with alloc() as buffer:
            view = memoryview(buffer)
            view[:5] = b"hello"
            self.assertEqual(bytes(buffer)[:6], b"hello\0")
            self.assertRaises(BufferError, buffer.close)
            view.release()
        with alloc() as buffer:
            buffer.map(read_only=True)
            self.assertTrue(memoryview(buffer).readonly)
            with self.assertRaises(TypeError), open("/dev/zero", "rb") as zero:
                zero.readinto(buffer)


@unittest.skipUnless(numpy, "numpy is not installed")
class Arrays(Case):
    def test_an_array_is_of_the_memory(self):
        with alloc() as buffer:
            words = numpy.frombuffer(buffer.view, dtype="uint64")
            words[:] = numpy.arange(words.size, dtype="uint64")
            everything = numpy.asarray(buffer)
            self.assertEqual((everything.dtype, everything.nbytes), (numpy.uint8, SIZE))
            self.assertEqual(everything[8], 1)
            self.assertRaises(BufferError, buffer.close)
            del words
            self.assertRaises(BufferError, buffer.close)
            del everything

    def test_an_array_outlives_its_buffer(self):
        for make in (lambda b: numpy.frombuffer(b.view, dtype="uint8"), numpy.asarray):
            buffer = alloc()
            address = address_of(buffer.view)
            array = make(buffer)[5:]
            del buffer
            gc.collect()
            array[:] = 3
            self.assertEqual(int(array.sum()), 3 * (SIZE - 5))
            self.assertTrue(mapped(address))
            del array
            self.assertFalse(mapped(address))

    def test_an_array_of_a_mapping_for_reading_cannot_be_written(self):
        with alloc() as buffer:
            buffer.map(read_only=True)
            self.assertFalse(numpy.asarray(buffer).flags.writeable)
            self.assertFalse(numpy.frombuffer(buffer.view, dtype="u1").flags.writeable)
