# SPDX-License-Identifier: LGPL-2.1-or-later
"""The class Buffer, and who keeps its memory mapped.

The memory stays mapped as long as a Pointer to the buffer lives. The Buffer has
a reference to it until close(), and so has the ctypes array to which each view
refers. Whatever goes first, no view points to what is unmapped.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

from ._info import Info, Run, info_of
from ._library import Access, InfoStruct, Pointer, RunStruct, call, library, sized, text_of


_all: weakref.WeakSet[Buffer] = weakref.WeakSet()


def _forget_locks() -> None:
    """In the child, where the threads that may have had them are no more."""
    for buffer in list(_all):
        buffer._lock = threading.RLock()


os.register_at_fork(after_in_child=_forget_locks)


class Buffer:
    """A buffer, or rather this process's hold on one.

    alloc(), create(), open(), from_fd() and recv() make them. The memory is
    freed when nobody holds the buffer any more: no Buffer that is open, no
    view, and no other process.

        with hpage_map.alloc("1G") as buffer:
            buffer.view[:5] = b"hello"

    numpy.frombuffer(buffer.view, dtype) and numpy.asarray(buffer) are arrays of
    the memory without a copy. From Python 3.12 on memoryview(buffer), and
    whatever takes an object like bytes, takes a Buffer; before that, its view.

    close(), and the end of "with", raise BufferError while there are views or
    arrays, as mmap.mmap does. A Buffer that is forgotten without close() stays
    mapped until the last of them is gone.

    Methods raise Error, and ValueError when the buffer is closed. Any number of
    threads may use a buffer. After os.fork() the child has the buffer, too, and
    closes it independently; but if another thread was just mapping or unmapping
    it, the child should leave it alone.
    """

    def __init__(self, pointer: Pointer) -> None:
        """Not for programs."""
        self._pointer: Pointer | None = pointer
        # The array that views refer to, while there are any
        self._array: Callable[[], ctypes.Array[ctypes.c_ubyte] | None] = lambda: None
        self._access = Access(0)  # how the memory is mapped
        self._lock = threading.RLock()
        _all.add(self)

    def _open(self) -> Pointer:
        pointer = self._pointer
        if pointer is None:
            raise ValueError("the buffer is closed")
        return pointer

    def _no_views(self, what: str) -> None:
        if self._array() is not None:
            raise BufferError(f"cannot {what} a buffer while there are views or arrays of it")

    def close(self) -> None:
        """Let go of the buffer. Closing it again does nothing.

        Raises BufferError while there are views or arrays of it.
        """
        with self._lock:
            self._no_views("close")
            self._pointer = None

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._pointer is None

    def __enter__(self) -> Buffer:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except BufferError:
            # Not in place of the error that ended the block, and whose traceback has the views.
            if kind is None:
                raise

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle or copy a Buffer; send() passes it to another process")

    def __repr__(self) -> str:
        if self.closed:
            return "<hpage_map.Buffer, closed>"
        return f"<hpage_map.Buffer of {self.size} bytes in pages of {self.page_size}>"

    @property
    def size(self) -> int:
        """Bytes, a multiple of page_size."""
        return int(library.hpmap_size(self._open()))

    @property
    def page_size(self) -> int:
        """Bytes of one page."""
        return int(library.hpmap_page_size(self._open()))

    def fileno(self) -> int:
        """Return the descriptor, which stays the buffer's. mmap.mmap() takes it, too."""
        return int(library.hpmap_fd(self._open()))

    def reopen(self, read_only: bool = False) -> Buffer:
        """Hold the buffer once more, with a descriptor and a mapping of its own.

        read_only  for whoever shall not write to it, and gets it by send(). Users
                   other than the owner and root have no way around that.

        Raises Error: PermissionError where the mode of the file or node does not
        allow it.
        """
        return Buffer(Pointer("hpmap_reopen", self._open(), Access.READ_ONLY if read_only else 0))

    @property
    def why(self) -> str:
        """Why the buffer is no better one, and what to try, for people; may be empty."""
        why: bytes = library.hpmap_why(self._open())
        return text_of(why)

    @property
    def info(self) -> Info:
        """What the buffer is and who holds it, as it is now."""
        struct = sized(InfoStruct)
        call("hpmap_info", self._open(), struct)
        return info_of(struct)

    def map(
        self, *, read_only: bool | None = None, private: bool = False, populate: bool = False
    ) -> memoryview:
        """Map the whole buffer and return a view of its bytes, format "B".

        read_only  the view cannot be written; None: if the buffer was opened so
        private    what is written, nobody else sees
        populate   no page fault later

        There is one mapping. If it is of another kind than is asked for, it is
        replaced, or while there are views of it, BufferError is raised. For
        another mapping use mmap.mmap(buffer.fileno(), length).

        An address is a multiple of what a huge page maps. Raises Error:
        PermissionError for a buffer that may only be read.
        """
        with self._lock:
            pointer = self._open()
            if read_only is None:
                mode = fcntl.fcntl(self.fileno(), fcntl.F_GETFL) & os.O_ACCMODE
                read_only = mode == os.O_RDONLY and not private
            access = Access.READ_ONLY if read_only else Access(0)
            access |= Access.PRIVATE if private else 0
            access |= Access.POPULATE if populate else 0
            mapped = library.hpmap_addr(pointer) is not None
            if mapped and self._access != access | self._access & Access.POPULATE:
                self.unmap()
                mapped = False
            if not mapped:
                # First, as an exception of a signal handler may come between.
                self._access = access
                call("hpmap_map", pointer, access, None)
            return self._view(pointer)

    @property
    def view(self) -> memoryview:
        """A view of the bytes, as map() returned it, or as map() returns it without arguments."""
        with self._lock:
            pointer = self._open()
            return self._view(pointer) if library.hpmap_addr(pointer) else self.map()

    def _view(self, pointer: Pointer) -> memoryview:
        array = self._array()
        if array is None:
            address = library.hpmap_addr(pointer)
            array = (ctypes.c_ubyte * library.hpmap_size(pointer)).from_address(address)
            setattr(array, "pointer", pointer)
            self._array = weakref.ref(array)
            if library.hpmap_addr(pointer) != address:
                raise BufferError("a signal handler or finalizer has unmapped the buffer meanwhile")
        view = memoryview(array).cast("B")
        return view.toreadonly() if self._access & Access.READ_ONLY else view

    def unmap(self) -> None:
        """End the mapping; the buffer and its contents stay.

        Raises BufferError while there are views or arrays, and Error if there
        is no mapping.
        """
        with self._lock:
            self._no_views("unmap")
            call("hpmap_unmap", self._open())

    def __buffer__(self, flags: int) -> memoryview:
        return self.view

    @property
    def __array_interface__(self) -> dict[str, object]:
        # numpy keeps "data", and the view keeps the memory.
        return {"version": 3, "typestr": "|u1", "shape": (self.size,), "data": self.view}

    def nodes(self) -> dict[int, int]:
        """Return how many pages are on each NUMA node that has some."""
        room = 64
        while True:
            pages, nr = (ctypes.c_uint64 * room)(), ctypes.c_uint(room)
            call("hpmap_nodes", self._open(), pages, nr)
            if nr.value <= room:
                return {node: pages[node] for node in range(nr.value) if pages[node]}
            room = nr.value

    def runs(self) -> list[Run]:
        """Return the physical runs in the order of their offsets.

        The addresses stay as long as somebody holds the buffer. Needs
        CAP_SYS_RAWIO, and a buffer of the module.
        """
        found: list[Run] = []
        some, nr = (RunStruct * 1024)(), ctypes.c_uint()
        while True:
            nr.value = len(some)
            call("hpmap_get_runs", self._open(), len(found), some, nr)
            found += [Run(run.address, run.size) for run in some[: nr.value]]
            if nr.value <= len(some):
                return found

    def export_dmabuf(self) -> int:
        """Return the descriptor of a dma-buf of the buffer.

        It is the caller's, to be closed with os.close(). The dma-buf holds the
        buffer. A buffer of memfd needs /dev/udmabuf.
        """
        fd = ctypes.c_int(-1)
        try:
            call("hpmap_export_dmabuf", self._open(), fd)
        except BaseException:
            # It was there already, if the handler of a signal has raised.
            if fd.value >= 0:
                os.close(fd.value)
            raise
        return fd.value

    def send(self, sock: socket.socket) -> None:
        """Send the buffer over a Unix socket, to recv() or hpmap_recv() in another process.

        What goes over the socket is one byte, 0, with the descriptor. Both
        processes then share the memory. Raises what sendmsg() of the socket
        raises, as BrokenPipeError.
        """
        pointer = self._open()  # Holds the descriptor while the socket waits.
        socket.send_fds(sock, [b"\0"], [library.hpmap_fd(pointer)])
