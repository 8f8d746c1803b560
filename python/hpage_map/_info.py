# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a buffer is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from ._library import NODE_MIXED, NODE_UNKNOWN, InfoStruct, text_of


class Backend(enum.Enum):
    """Who keeps the pages.

    MODULE  the kernel module: they are pinned, never moved, and closed to
            everybody but the holders of the buffer
    MEMFD   memfd_create(2): other holders may punch holes into it, and the
            kernel may move the pages unless something pins them
    """

    MODULE = 1
    MEMFD = 2


class Backing(enum.Enum):
    """Where the pages come from.

    HUGETLB  the kernel's pool of huge pages of one size
    THP      the page allocator, each as large as a PMD maps, 2 MiB on x86-64
    BASE     the page allocator, in pages of the base size
    USER     memory that a program had already
    """

    HUGETLB = 1
    THP = 2
    BASE = 3
    USER = 4


class Attributes(enum.IntFlag):
    """What else holds for a buffer.

    DEFAULT     it is the module's default buffer, /dev/hpage_map
    NAMED       it has a name below /dev/hpage
    CONTIGUOUS  its pages make one physical run
    BELOW_4G    all of them lie below 4 GiB
    RESERVE     they came from the module's reserve
    """

    DEFAULT = 1 << 0
    NAMED = 1 << 1
    CONTIGUOUS = 1 << 2
    BELOW_4G = 1 << 3
    RESERVE = 1 << 4


class Pool(NamedTuple):
    """Pages in the kernel's pool of one size, now.

    total       all of them, surplus ones included
    free        those that are not in use
    promised    of the free ones, how many are promised to mappings; 0 for a node
    surplus     beyond what was set: they leave the pool when they are freed
    overcommit  how many surplus ones there may be; 0 for a node
    """

    total: int
    free: int
    promised: int
    surplus: int
    overcommit: int


class Reserve(NamedTuple):
    """Pages that the module keeps ready and zeroed, now.

    asked  how many shall be ready
    ready  how many are
    """

    asked: int
    ready: int


class Run(NamedTuple):
    """Pages that are physically contiguous: their address and size in bytes."""

    address: int
    size: int


@dataclass(frozen=True)
class Info:
    """What a buffer is and who holds it, at the time of the question.

    backend      a Backend: who keeps the pages
    backing      a Backing: where they come from
    size         bytes, a multiple of page_size
    page_size    bytes of one page
    asked        bytes that were asked for, as far as that is known, else size
    pages        number of pages of page_size
    huge         how many pages a PMD or more can map; of large memfds an estimate
    runs         number of physical runs, or None if not known, as of memfds
    alignment    bytes, the largest power of two of which the addresses and sizes
                 of all runs are multiples, or None if not known, as of memfds
    address      physical address of the first page, or None without
                 CAP_SYS_RAWIO, and of memfds
    node         NUMA node of the pages; None if they are on several, or if that
                 is not known
    attributes   an Attributes
    id           number of the buffer in the module, or None
    creator      process id of who asked for it, or None if not known
    uid          user id of who asked for it
    descriptors  open files that hold it, or None if not known, as of memfds
    mappings     mappings that hold it, or None if not known, as of memfds
    name         name or tag; may be empty
    """

    backend: Backend
    backing: Backing
    size: int
    page_size: int
    asked: int
    pages: int
    huge: int
    runs: int | None
    alignment: int | None
    address: int | None
    node: int | None
    attributes: Attributes
    id: int | None
    creator: int | None
    uid: int
    descriptors: int | None
    mappings: int | None
    name: str


def info_of(struct: InfoStruct) -> Info:
    """Return the facts of a struct hpmap_info."""
    backend = Backend(struct.backend)
    counted = backend is Backend.MODULE
    return Info(
        backend=backend,
        backing=Backing(struct.backing),
        size=struct.size,
        page_size=struct.page_size,
        asked=struct.asked,
        pages=struct.nr_pages,
        huge=struct.nr_huge,
        runs=struct.nr_runs or None,
        alignment=struct.alignment or None,
        address=struct.address or None,
        node=None if struct.node in (NODE_MIXED, NODE_UNKNOWN) else struct.node,
        attributes=Attributes(struct.attributes),
        id=struct.id or None,
        creator=struct.creator or None,
        uid=struct.uid,
        descriptors=struct.descriptors if counted else None,
        mappings=struct.mappings if counted else None,
        name=text_of(struct.name),
    )
