# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sizes and options, from what people write to what the library takes."""

from __future__ import annotations

import grp
import operator
import pwd
import re
from collections.abc import Callable

from ._library import AllocFlags, OptionsStruct, Policy, c_string, sized

_SIZE = re.compile(r"(\d+)(?:\.(\d+))?(?: ?(?:([KMGTPE])(?:i?B)?|B))?", re.ASCII | re.IGNORECASE)


def byte_count(size: int | str) -> int:
    """Return a size in bytes. Text is as hpagectl takes it: 4096, 64M, 2 MiB, 1.5G."""
    if not isinstance(size, str):
        count = operator.index(size)
    else:
        match = _SIZE.fullmatch(size)
        if not match or (match[2] and not match[3]):
            raise ValueError(f"{size!r} is no size\ntry: '64M', '1.5G' or a number of bytes")
        unit = 1 << 10 * (" KMGTPE".index(match[3].upper()) if match[3] else 0)
        digits = (match[2] or "")[:4]
        count = int(match[1]) * unit + int(digits or 0) * unit // 10 ** len(digits)
    if not 0 < count < 1 << 64:
        raise ValueError(f"{size} is no size: it is not above 0, or does not fit 64 bits")
    return count


def alloc_flags(module: bool | None, **wanted: bool) -> int:
    """Return the flags whose names in lower case are wanted."""
    flags = AllocFlags(0)
    for name, on in wanted.items():
        if on:
            flags |= AllocFlags[name.upper()]
    if module is not None:
        flags |= AllocFlags.MODULE_ONLY if module else AllocFlags.NO_MODULE
    return int(flags)


def placement(
    node: int | None, near: str | None, strict: bool, interleave: bool
) -> dict[str, object]:
    """Return the fields that say on which nodes the pages shall lie."""
    placed = node is not None or near is not None
    if node is not None and near is not None:
        raise ValueError("node and near exclude each other")
    if strict and not placed:
        raise ValueError("strict needs node or near")
    if interleave and placed:
        raise ValueError("interleave excludes node and near")
    policy = Policy.INTERLEAVE if interleave else Policy.DEFAULT
    if placed:
        policy = Policy.STRICT if strict else Policy.PREFERRED
    return {
        "policy": int(policy),
        "node": -1 if node is None else operator.index(node),
        "near_device": c_string(near),
    }


def _number(account: int | str, number_of: Callable[[str], int]) -> int:
    return number_of(account) if isinstance(account, str) else account


def options(
    size: int | str,
    page_size: int | str | None,
    node: int | None,
    near: str | None,
    strict: bool,
    interleave: bool,
    name: str | None,
    module: bool | None = None,
    mode: int = 0,
    owner: int | str = 0,
    group: int | str = 0,
    **flags: bool,
) -> OptionsStruct:
    """Return the struct of what alloc() or create() was called with."""
    return fill(
        size=byte_count(size),
        page_size=0 if page_size is None else byte_count(page_size),
        flags=alloc_flags(module, **flags),
        name=c_string(name),
        mode=mode,
        uid=_number(owner, lambda name: pwd.getpwnam(name).pw_uid),
        gid=_number(group, lambda name: grp.getgrnam(name).gr_gid),
        **placement(node, near, strict, interleave),
    )


def fill(**fields: object) -> OptionsStruct:
    """Return a struct with these fields; what is out of range ctypes would cut."""
    struct = sized(OptionsStruct)
    for field, value in fields.items():
        setattr(struct, field, value)
        if getattr(struct, field) != value:
            raise ValueError(f"{value} is out of range for {field}")
    return struct
