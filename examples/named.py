#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a buffer with a name, find it by that name, and destroy it.

Making and destroying names takes CAP_SYS_ADMIN; using a named buffer takes
permission on its node, /dev/hpage/NAME.
"""

import contextlib
import ctypes
import fcntl
import mmap
import os

# From <linux/hpage_map.h>.
DOOR = "/dev/hpage_map"
O_DOOR = os.O_RDWR | os.O_NONBLOCK
CREATE = 0xB942
DESTROY = 0xB943
TEXT_SIZE = 1024


class Alloc(ctypes.Structure):
    """struct hpage_map_alloc"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("length", ctypes.c_uint64),
        ("page_size", ctypes.c_uint64),
        ("policy", ctypes.c_uint32),
        ("node", ctypes.c_int32),
        ("near_device", ctypes.c_char * 64),
        ("name", ctypes.c_char * 64),
        ("mode", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("gid", ctypes.c_uint32),
        ("text_size", ctypes.c_uint32),
        ("text", ctypes.c_uint64),
        ("fd", ctypes.c_int32),
        ("id", ctypes.c_uint32),
        ("got_length", ctypes.c_uint64),
        ("got_page_size", ctypes.c_uint64),
        ("got_runs", ctypes.c_uint64),
        ("got_backing", ctypes.c_uint32),
        ("got_node", ctypes.c_int32),
        ("got_attributes", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]


class Destroy(ctypes.Structure):
    """struct hpage_map_destroy"""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("name", ctypes.c_char * 64),
    ]


@contextlib.contextmanager
def door():
    """A descriptor for ioctls, without making the default buffer."""
    fd = os.open(DOOR, O_DOOR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def create(name, length, mode=0o600):
    """Make /dev/hpage/NAME and return the answer of the kernel and its text."""
    text = ctypes.create_string_buffer(TEXT_SIZE)
    alloc = Alloc(
        size=ctypes.sizeof(Alloc),
        length=length,
        name=name.encode(),
        mode=mode,
        text=ctypes.addressof(text),
        text_size=TEXT_SIZE,
    )
    with door() as fd:
        try:
            fcntl.ioctl(fd, CREATE, alloc)
        except OSError as error:
            # The text, if there is one, says what to do about it.
            raise OSError(error.errno, text.value.decode() or error.strerror) from None
    # The name holds the buffer, so the descriptor is not needed.
    os.close(alloc.fd)
    return alloc, text.value.decode()


def destroy(name):
    """Take the name away. Who has the buffer open or mapped keeps it."""
    with door() as fd:
        fcntl.ioctl(fd, DESTROY, Destroy(size=ctypes.sizeof(Destroy), name=name.encode()))


NAME = "example"
PATH = f"/dev/hpage/{NAME}"

got, why = create(NAME, 10 << 20)
print(f"{PATH}: {got.got_length} bytes in pages of {got.got_page_size}")
if why:
    print("why not better:", why)

with open(PATH, "r+b", buffering=0) as device:
    buffer = mmap.mmap(device.fileno(), got.got_length)

destroy(NAME)
print("the name is gone:", not os.path.exists(PATH))

# The mapping still holds the pages.
buffer[:5] = b"hello"
print("the mapping still reads:", buffer[:5].decode())
buffer.close()
