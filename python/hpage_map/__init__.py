# SPDX-License-Identifier: LGPL-2.1-or-later
"""Buffers of huge pages that processes can share.

    import hpage_map

    with hpage_map.alloc("64M", allow_base=True) as buffer:
        buffer.view[:5] = b"hello"
        print(buffer.info, buffer.why)

Where the kernel module hpage_map is loaded and open to the caller, buffers come
from it: their pages are pinned, have names if wanted, and may be chosen by node
and address. Without it, the same program gets memory of memfd_create(2), with
huge pages if the machine has them. buffer.info says which it was, and
buffer.why why nothing better.

A size is a number of bytes, or a text as hpagectl takes it: "64M", "1.5G".
Functions raise Error, a kind of OSError, whose text says what to do about it,
and ValueError or TypeError for arguments that are wrong in themselves.

The package calls the library libhpage_map; see libhpage_map(7). Pools and
reserves are set with hpagectl; mappings for devices are left to C.
__version__ is the version of the library.
"""

from __future__ import annotations

import array
import ctypes
import errno
import os
import socket
from collections.abc import Iterator
from typing import Protocol

from ._buffer import Buffer
from ._info import Attributes, Backend, Backing, Info, Pool, Reserve, Run, info_of
from ._library import (
    Access,
    Error,
    InfoStruct,
    Pointer,
    PoolStruct,
    ReserveStruct,
    c_string,
    call,
    library,
    sized,
)
from ._options import byte_count, options

__all__ = [
    "Attributes",
    "Backend",
    "Backing",
    "Buffer",
    "Error",
    "Info",
    "Pool",
    "Reserve",
    "Run",
    "alloc",
    "buffers",
    "create",
    "destroy",
    "from_fd",
    "open",
    "page_sizes",
    "pin",
    "pool",
    "recv",
    "reserve",
]

__version__: str = library.hpmap_version().decode()

# Where people import them from
for _public in (Attributes, Backend, Backing, Buffer, Error, Info, Pool, Reserve, Run):
    _public.__module__ = __name__


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


def alloc(
    size: int | str,
    *,
    page_size: int | str | None = None,
    node: int | None = None,
    near: str | None = None,
    strict: bool = False,
    interleave: bool = False,
    contiguous: bool = False,
    below_4g: bool = False,
    exact: bool = False,
    allow_base: bool = False,
    reserve: bool = False,
    module: bool | None = None,
    name: str | None = None,
) -> Buffer:
    """Make a buffer that lives as long as somebody holds it.

    The memory is there and zeroed. Where huge pages cannot be had, this fails
    unless allow_base is true.

    size        bytes, rounded up to a multiple of the page size
    page_size   bytes of one page; None takes the best, 2 MiB on most machines
    node        prefer this NUMA node
    near        prefer the node nearest to this PCI device, as "0000:00:03.0",
                or platform device
    strict      from that node or not at all
    interleave  in turn on all nodes
    contiguous  in one physical run; needs the module
    below_4g    at addresses below 4 GiB; needs the module
    exact       no smaller pages than page_size; without one, none smaller than
                the best
    allow_base  base pages rather than none
    reserve     pages that the module's reserve keeps ready; needs the module
    module      True: the module or nothing; False: as if there were no module
    name        a tag for people: letters, digits, ".", "_" and "-"

    Raises Error with ENOMEM if the memory cannot be had now, EDQUOT if a limit
    stands against it, ENOTSUP without the module that is needed, ENODEV if
    there is no device near, EINVAL for values that contradict each other.
    """
    return Buffer(Pointer("hpmap_alloc", options(**locals())))


def create(
    name: str,
    size: int | str,
    *,
    page_size: int | str | None = None,
    node: int | None = None,
    near: str | None = None,
    strict: bool = False,
    interleave: bool = False,
    contiguous: bool = False,
    below_4g: bool = False,
    exact: bool = False,
    allow_base: bool = False,
    reserve: bool = False,
    mode: int = 0o600,
    owner: int | str = 0,
    group: int | str = 0,
) -> Buffer:
    """Make a buffer with a name, /dev/hpage/NAME.

    The name holds the buffer until destroy(), or until the module is removed.
    Needs the module and CAP_SYS_ADMIN.

    mode   permission bits of the device node
    owner  of the device node, by name or number
    group  of the device node, by name or number

    Other arguments and errors are those of alloc(). FileExistsError: there is a
    buffer of that name. PermissionError: the caller lacks the capability.
    KeyError: there is no such owner or group. ENOSPC: there are as many named
    buffers as there can be.
    """
    return Buffer(Pointer("hpmap_create", options(**locals())))


def destroy(name: str) -> None:
    """Take the name of a buffer away. Who holds the buffer keeps it.

    Needs the module and CAP_SYS_ADMIN. Raises Error: FileNotFoundError if there
    is no buffer of that name, PermissionError, ENOTSUP without the module.
    """
    call("hpmap_destroy", c_string(name))


def open(name: str | None = None, read_only: bool = False) -> Buffer:
    """Hold a buffer that has a name; None is the module's default buffer.

    Needs the module. Raises Error: FileNotFoundError if there is no buffer of
    that name, PermissionError if the caller may not open it, ENOTSUP without
    the module.
    """
    flags = Access.READ_ONLY if read_only else 0
    return Buffer(Pointer("hpmap_open", c_string(name), flags))


def from_fd(fd: int | _HasFileno, *, unsealed: bool = False) -> Buffer:
    """Hold the buffer of a descriptor, which stays the caller's.

    fd        one that Buffer.fileno() gave here or in another process, one of
              the module's devices, or one of memfd_create(2) with the seal
              F_SEAL_SHRINK and a size that is a multiple of its page size
    unsealed  also take a memfd without seals, or a file of tmpfs or hugetlbfs.
              If somebody then shortens the file, a touch of what is gone kills
              the program with SIGBUS.

    Raises Error with EINVAL if that is no buffer or not sealed.
    """
    number = fd if isinstance(fd, int) else fd.fileno()
    if not 0 <= number < 1 << 31:
        raise ValueError(f"{number} is no descriptor")
    return Buffer(Pointer("hpmap_from_fd_flags", number, Access.UNSEALED if unsealed else 0))


# Linux 6.5; a descriptor that an option of the socket adds
_SCM_PIDFD = 4
# That, and credentials and a security label, come first.
_CONTROL_ROOM = 1024


def _descriptors(messages: list[tuple[int, int, bytes]], wanted: int) -> array.array[int]:
    fds = array.array("i")
    for level, kind, content in messages:
        if level == socket.SOL_SOCKET and kind == wanted:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return fds


def recv(sock: socket.socket, *, unsealed: bool = False) -> Buffer:
    """Receive what Buffer.send(), or hpmap_send(), sent over a Unix socket.

    unsealed    as for from_fd()

    Raises EOFError if the other end has closed the socket; ValueError if the
    message is not one byte with one descriptor; what recvmsg() of the socket
    raises; and what from_fd() raises. Of what is refused, nothing stays open.
    """
    try:
        data, messages, flags, _ = sock.recvmsg(1, _CONTROL_ROOM, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError as error:
        raise EOFError("the other end of the socket is closed") from error
    fds = _descriptors(messages, socket.SCM_RIGHTS)
    try:
        more = flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
        if len(data) == 1 and len(fds) == 1 and not more:
            return from_fd(fds[0], unsealed=unsealed)
        if flags & socket.MSG_CTRUNC and not fds:
            raise OSError(errno.EMFILE, "no descriptor is left for the one that was sent")
        # Datagrams have no end, but may be empty.
        if not data and not fds and sock.type != socket.SOCK_DGRAM:
            raise EOFError("the other end of the socket is closed")
        raise ValueError(f"{len(data)} bytes with {len(fds)} descriptors are no buffer")
    finally:
        for fd in fds + _descriptors(messages, _SCM_PIDFD):
            os.close(fd)


def buffers() -> Iterator[Info]:
    """Go through the module's buffers, by their id.

    Those without a name are listed only for the user who made them, and with
    CAP_SYS_ADMIN. Raises Error with ENOTSUP without the module.
    """
    struct = sized(InfoStruct)
    number = 0
    while True:
        try:
            call("hpmap_next", number, struct)
        except FileNotFoundError:
            return
        yield info_of(struct)
        number = struct.id + 1


def pin(memory: object) -> Buffer:
    """Make a buffer of memory that the program has got itself.

    memory  a writable object with a buffer, whose address and size are multiples
            of the base page size, as mmap.mmap(-1, size) or an array of numpy
            in it

    The pages are pinned until the last holder of the buffer goes, even if the
    program lets the memory go, and count against RLIMIT_MEMLOCK. The buffer can
    be sent and exported as a dma-buf. Its view is an Error with ENODEV, as the
    program has the memory mapped.

    Raises TypeError for memory that is read-only or no buffer; Error with
    EINVAL for memory that is not of whole pages, or of a file; EDQUOT if a limit
    stands against it; ENOTSUP without the module.
    """
    size = memoryview(memory).nbytes  # type: ignore[arg-type]
    # It keeps the memory where it is until the pages are pinned.
    array_of_it = (ctypes.c_ubyte * size).from_buffer(memory)  # type: ignore[arg-type]
    return Buffer(Pointer("hpmap_pin", ctypes.addressof(array_of_it), size))


def page_sizes() -> list[int]:
    """Return the bytes of the huge pages that pools of this machine may have, ascending."""
    room = 16
    while True:
        sizes, nr = (ctypes.c_uint64 * room)(), ctypes.c_uint(room)
        call("hpmap_page_sizes", sizes, nr)
        if nr.value <= room:
            return list(sizes[: nr.value])
        room = nr.value


def pool(page_size: int | str, node: int | None = None) -> Pool:
    """Ask about the kernel's pool of huge pages of a size.

    node  a NUMA node, or None for all of the machine

    Raises Error: FileNotFoundError if there is no such pool.
    """
    struct = sized(PoolStruct)
    call("hpmap_get_pool", byte_count(page_size), -1 if node is None else node, struct)
    return Pool(struct.total, struct.free, struct.promised, struct.surplus, struct.overcommit)


def reserve(backing: Backing, page_size: int | str, node: int = 0) -> Reserve:
    """Ask about the pages that the module keeps ready on a NUMA node.

    Raises Error: FileNotFoundError if there is no such reserve, ENOTSUP without
    the module.
    """
    struct = sized(ReserveStruct)
    call("hpmap_get_reserve", backing.value, byte_count(page_size), node, struct)
    return Reserve(struct.asked, struct.ready)
