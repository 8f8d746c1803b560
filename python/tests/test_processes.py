# SPDX-License-Identifier: GPL-2.0-only
"""Buffers go to other processes, by fork and by socket."""

import errno
import os
import socket
import subprocess
import sys
import threading
from unittest import mock

from fixture import SIZE, TOP, Case, alloc

import hpage_map


class Processes(Case):
    def test_a_child_has_the_buffer_and_ends_it_for_itself(self):
        with alloc() as buffer:
            with buffer.view as view:
                view[0] = 1

                def work():
                    assert view[0] == 1
                    view[1] = 2
                    view.release()
                    buffer.close()
                    assert buffer.closed

                self.ends_well(self.in_child(work))
                self.assertEqual(bytes(view[:3]), b"\1\2\0")
            self.assertEqual(buffer.size, SIZE)

    def test_a_buffer_is_sent_over_a_socket(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:

            def work():
                with hpage_map.recv(theirs) as buffer:
                    assert not os.get_inheritable(buffer.fileno())
                    buffer.view[-1] = sum(buffer.view[:100])

            child = self.in_child(work)
            with alloc() as buffer:
                buffer.view[:100] = bytes([2] * 100)
                buffer.send(ours)
                self.ends_well(child)
                self.assertEqual(buffer.view[-1], 200)

    def test_a_read_only_hold_is_sent_to_who_shall_not_write(self):
        ours, theirs = socket.socketpair()
        with ours, theirs, alloc() as buffer:
            buffer.view[:5] = b"hello"
            with buffer.reopen(read_only=True) as reader:
                reader.send(ours)
            with hpage_map.recv(theirs) as got:
                with self.assertRaises(PermissionError):
                    got.map(read_only=False)
                got.map(read_only=True)
                self.assertEqual(bytes(got.view[:5]), b"hello")
                self.assertTrue(got.view.readonly)
            with buffer.reopen() as other:
                other.view[:5] = b"there"
            self.assertEqual(bytes(buffer.view[:5]), b"there")

    def test_what_is_no_buffer_is_not_received(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.send(b"x")
            self.assertRaises(ValueError, hpage_map.recv, theirs)
            with open("/dev/null", "rb") as file:
                socket.send_fds(ours, [b"\0"], [file.fileno(), file.fileno()])
                self.assertRaises(ValueError, hpage_map.recv, theirs)
                socket.send_fds(ours, [b"\0"], [file.fileno()])
            with self.assertRaises(hpage_map.Error) as caught:
                hpage_map.recv(theirs)
            self.assertEqual(caught.exception.errno, errno.EINVAL)
            ours.close()
            self.assertRaises(EOFError, hpage_map.recv, theirs)

    def test_an_end_is_told_from_an_empty_message(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            ours.send(b"")
            self.assertRaises(ValueError, hpage_map.recv, theirs)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")  # which is not read
            ours.close()
            self.assertRaises(EOFError, hpage_map.recv, theirs)

    def test_what_options_of_a_socket_add_is_no_obstacle(self):
        ours, theirs = socket.socketpair()
        with ours, theirs, alloc() as buffer:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            buffer.send(ours)
            with hpage_map.recv(theirs) as same:
                self.assertEqual(same.size, SIZE)

    def test_a_buffer_that_is_closed_meanwhile_is_sent(self):
        ours, theirs = socket.socketpair()
        buffer, send_fds = alloc(), socket.send_fds

        def close_first(*args):
            buffer.close()  # as another thread may, while the socket waits
            return send_fds(*args)

        with ours, theirs:
            with mock.patch("socket.send_fds", close_first):
                buffer.send(ours)
            with hpage_map.recv(theirs) as same:
                self.assertEqual(same.size, SIZE)

    def test_a_child_can_use_what_a_thread_was_using(self):
        stop = threading.Event()
        with alloc() as buffer:

            def look():
                while not stop.is_set():
                    buffer.view.release()

            buffer.view.release()  # mapped: the library has a lock, too, while it maps
            thread = threading.Thread(target=look)
            thread.start()
            try:
                for _ in range(10):
                    self.ends_well(self.in_child(lambda: buffer.view.release()))
            finally:
                stop.set()
                thread.join()

    def test_the_example_passes_a_sum(self):
        example = os.path.join(TOP, "examples", "staging.py")
        out = subprocess.run([sys.executable, example], capture_output=True, check=True).stdout
        words = (16 << 20) // 8
        self.assertIn(f"the sum of {words} words is {words * (words - 1) // 2}\n", out.decode())
