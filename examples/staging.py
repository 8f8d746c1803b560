#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A staging buffer: one process fills it, another gets it over a socket, without a copy."""

import array
import socket
import subprocess
import sys

import hpage_map

try:
    import numpy
except ImportError:
    numpy = None


def fill(buffer):
    """Write 0, 1, 2 and so on."""
    if numpy:
        words = numpy.frombuffer(buffer.view, dtype="uint64")
        words[:] = numpy.arange(words.size, dtype="uint64")
    else:
        words = buffer.view.cast("Q")
        words[:] = array.array("Q", range(len(words)))


def total(buffer):
    """Return how many words there are, and their sum."""
    if numpy:
        words = numpy.frombuffer(buffer.map(read_only=True), dtype="uint64")
        return len(words), int(words.sum())
    words = buffer.map(read_only=True).cast("Q")
    return len(words), sum(words)


def receive(sock):
    """What the other process does: it gets the same memory."""
    with hpage_map.recv(sock) as buffer:
        print("the sum of {} words is {}".format(*total(buffer)))


def send(size):
    """Fill a buffer and send it to another process."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, __file__, str(theirs.fileno())]
        other = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        with hpage_map.alloc(size, allow_base=True) as buffer:
            fill(buffer)
            buffer.send(ours)
            if buffer.why:
                print(buffer.why, file=sys.stderr)
        return other.wait()


if len(sys.argv) > 1:
    receive(socket.socket(fileno=int(sys.argv[1])))
else:
    sys.exit(send("16M"))
