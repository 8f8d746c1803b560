# SPDX-License-Identifier: LGPL-2.1-or-later
"""libhpage_map as ctypes sees it: constants, structures, functions, errors.

It repeats lib/hpage_map.h. python/tests/test_header.py compares the two.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import os
from collections.abc import Callable
from ctypes import POINTER, c_char, c_char_p, c_int, c_int32, c_uint, c_uint32, c_uint64, c_void_p
from typing import TypeVar

try:
    library = ctypes.CDLL("libhpage_map.so.0")
except OSError as error:
    raise ImportError(
        f"the library libhpage_map cannot be loaded: {error}\n"
        "try: sudo apt install libhpage-map0, or sudo ldconfig if it is installed"
    ) from None

NAME_SIZE = 64
NODE_MIXED = -1
NODE_UNKNOWN = -2


class AllocFlags(enum.IntFlag):
    """enum hpmap_alloc_flags"""

    EXACT = 1 << 0
    ALLOW_BASE = 1 << 1
    CONTIGUOUS = 1 << 2
    BELOW_4G = 1 << 3
    RESERVE = 1 << 4
    MODULE_ONLY = 1 << 16
    NO_MODULE = 1 << 17


class Policy(enum.IntEnum):
    """enum hpmap_policy"""

    DEFAULT = 0
    PREFERRED = 1
    STRICT = 2
    INTERLEAVE = 3


class Access(enum.IntFlag):
    """Flags of hpmap_open(), hpmap_reopen(), hpmap_map() and hpmap_from_fd_flags()."""

    READ_ONLY = 1 << 0
    PRIVATE = 1 << 1
    POPULATE = 1 << 2
    UNSEALED = 1 << 3


class OptionsStruct(ctypes.Structure):
    """struct hpmap_options"""

    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("size", c_uint64),
        ("page_size", c_uint64),
        ("policy", c_uint32),
        ("node", c_int32),
        ("near_device", c_char_p),
        ("name", c_char_p),
        ("mode", c_uint32),
        ("uid", c_uint32),
        ("gid", c_uint32),
        ("reserved", c_uint32),
    ]


class InfoStruct(ctypes.Structure):
    """struct hpmap_info"""

    _fields_ = [
        ("struct_size", c_uint32),
        ("backend", c_uint32),
        ("size", c_uint64),
        ("page_size", c_uint64),
        ("asked", c_uint64),
        ("nr_pages", c_uint64),
        ("nr_huge", c_uint64),
        ("nr_runs", c_uint64),
        ("address", c_uint64),
        ("backing", c_uint32),
        ("node", c_int32),
        ("attributes", c_uint32),
        ("id", c_uint32),
        ("creator", c_int32),
        ("uid", c_uint32),
        ("descriptors", c_uint32),
        ("mappings", c_uint32),
        ("name", c_char * NAME_SIZE),
        ("alignment", c_uint64),
    ]


class RunStruct(ctypes.Structure):
    """struct hpmap_run"""

    _fields_ = [("address", c_uint64), ("size", c_uint64)]


class PoolStruct(ctypes.Structure):
    """struct hpmap_pool"""

    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("total", c_uint64),
        ("free", c_uint64),
        ("promised", c_uint64),
        ("surplus", c_uint64),
        ("overcommit", c_uint64),
    ]


class ReserveStruct(ctypes.Structure):
    """struct hpmap_reserve"""

    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("asked", c_uint64),
        ("ready", c_uint64),
    ]


FUNCTIONS = {
    "hpmap_alloc": (c_int, POINTER(OptionsStruct), POINTER(c_void_p)),
    "hpmap_create": (c_int, POINTER(OptionsStruct), POINTER(c_void_p)),
    "hpmap_destroy": (c_int, c_char_p),
    "hpmap_open": (c_int, c_char_p, c_uint, POINTER(c_void_p)),
    "hpmap_from_fd_flags": (c_int, c_int, c_uint, POINTER(c_void_p)),
    "hpmap_reopen": (c_int, c_void_p, c_uint, POINTER(c_void_p)),
    "hpmap_close": (None, c_void_p),
    "hpmap_map": (c_int, c_void_p, c_uint, POINTER(c_void_p)),
    "hpmap_unmap": (c_int, c_void_p),
    "hpmap_addr": (c_void_p, c_void_p),
    "hpmap_size": (c_uint64, c_void_p),
    "hpmap_page_size": (c_uint64, c_void_p),
    "hpmap_fd": (c_int, c_void_p),
    "hpmap_info": (c_int, c_void_p, POINTER(InfoStruct)),
    "hpmap_next": (c_int, c_uint32, POINTER(InfoStruct)),
    "hpmap_why": (c_char_p, c_void_p),
    "hpmap_nodes": (c_int, c_void_p, POINTER(c_uint64), POINTER(c_uint)),
    "hpmap_get_runs": (c_int, c_void_p, c_uint64, POINTER(RunStruct), POINTER(c_uint)),
    "hpmap_export_dmabuf": (c_int, c_void_p, POINTER(c_int)),
    "hpmap_pin": (c_int, c_void_p, c_uint64, POINTER(c_void_p)),
    "hpmap_page_sizes": (c_int, POINTER(c_uint64), POINTER(c_uint)),
    "hpmap_get_pool": (c_int, c_uint64, c_int, POINTER(PoolStruct)),
    "hpmap_get_reserve": (c_int, c_uint, c_uint64, c_int, POINTER(ReserveStruct)),
    "hpmap_version": (c_char_p,),
}
for _name, (_result, *_arguments) in FUNCTIONS.items():
    _function = getattr(library, _name)
    _function.restype, _function.argtypes = _result, _arguments


class Error(OSError):
    """What the library could not do.

    errno is one of the constants of the module errno, and strerror says in
    English what was lacking and, on lines that begin with "try: ", what to do
    about it. A constant that it names is an argument here: HPMAP_ALLOW_BASE is
    allow_base=True.

    As with OSError, an error is also an instance of FileExistsError,
    FileNotFoundError or PermissionError where its errno is one of theirs.
    """

    def __new__(cls, number: int, text: str) -> Error:
        # OSError has a __new__ of its own, of which mypy does not know.
        return super().__new__(_kinds.get(number, cls), number, text)  # type: ignore[call-arg]

    def __reduce__(self) -> tuple[object, ...]:
        return Error, (self.errno, self.strerror)


def _kind(base: type) -> type:
    return type("Error", (Error, base), {"__module__": "hpage_map", "__doc__": Error.__doc__})


_kinds = {errno.EEXIST: _kind(FileExistsError), errno.ENOENT: _kind(FileNotFoundError)}
_kinds[errno.EACCES] = _kinds[errno.EPERM] = _kind(PermissionError)


def _check_ranges(name: str, arguments: tuple[object, ...]) -> None:
    """Refuse numbers that ctypes would cut."""
    for kind, argument in zip(FUNCTIONS[name][1:], arguments):
        for number in (c_int, c_uint, c_uint64):
            if kind is number and isinstance(argument, int) and number(argument).value != argument:
                raise ValueError(f"{argument} is out of range")


def call(name: str, *arguments: object) -> None:
    """Call a function that returns 0 or a negative errno.

    A call that a signal ended is repeated when Python's handler has run, as PEP
    475 wants it. If the handler raises, that ends it.
    """
    _check_ranges(name, arguments)
    while True:
        result = getattr(library, name)(*arguments)
        if not result:
            return
        if result != -errno.EINTR:
            raise Error(-result, text_of(library.hpmap_why(None)) or os.strerror(-result))


_Struct = TypeVar("_Struct", bound=ctypes.Structure)


def sized(struct: type[_Struct]) -> _Struct:
    """Return a structure whose first field tells its sizeof."""
    return struct(struct_size=ctypes.sizeof(struct))


def c_string(text: str | None) -> bytes | None:
    """Return a string for C, where a NUL would end it."""
    if text is not None and "\0" in text:
        raise ValueError("embedded null character")
    return None if text is None else os.fsencode(text)


def text_of(text: bytes) -> str:
    """Return a text of C. The name of a file or a process in it may have any bytes."""
    return os.fsdecode(text)


class _Slot(c_void_p):
    """Where a function puts a buffer, which is freed if nobody takes it from there.

    The handler of a signal that came during the call runs right after it, and
    may raise.
    """

    def take(self) -> int:
        """Return the buffer, which is the caller's then."""
        taken, self.value = self.value, None
        return taken or 0

    def __del__(self, free: Callable[[int | None], None] = library.hpmap_close) -> None:
        free(self.value)


class Pointer(int):
    """A struct hpmap_buffer, freed with the last reference to it.

    The collector of cycles does not know it. Otherwise it would free a buffer
    in a cycle before it calls methods __del__ that may still read a view.
    """

    __slots__ = ()

    def __new__(cls, name: str, *arguments: object) -> Pointer:
        """Call a function whose last argument is where the buffer goes."""
        buffer = _Slot()
        call(name, *arguments, ctypes.byref(buffer))
        self = super().__new__(cls, buffer.take())
        ctypes.pythonapi.PyObject_GC_UnTrack(ctypes.py_object(self))
        return self

    def __del__(self, free: Callable[[int], None] = library.hpmap_close) -> None:
        free(self)
