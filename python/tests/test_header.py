# SPDX-License-Identifier: GPL-2.0-only
"""ctypes believes what it is told, so that has to be lib/hpage_map.h as a compiler sees it."""

import ctypes
import os
import re
import subprocess
import tempfile
import unittest

from fixture import TOP

import hpage_map
from hpage_map import _library

HEADER = os.path.join(TOP, "lib", "hpage_map.h")
STRUCTS = {
    "hpmap_options": _library.OptionsStruct,
    "hpmap_info": _library.InfoStruct,
    "hpmap_run": _library.RunStruct,
    "hpmap_pool": _library.PoolStruct,
    "hpmap_reserve": _library.ReserveStruct,
}
ENUMS = {
    "HPMAP_BACKEND_": hpage_map.Backend,
    "HPMAP_BACKING_": hpage_map.Backing,
    "HPMAP_ATTR_": hpage_map.Attributes,
    "HPMAP_POLICY_": _library.Policy,
    "HPMAP_": list(_library.AllocFlags) + list(_library.Access),
}
# What the package does not offer. A name that is new in the header belongs here or there.
LEFT_OUT_STRUCTS = {"hpmap_populate_options"}
LEFT_OUT_CONSTANTS = {
    "HPMAP_DMA_TO_DEVICE",
    "HPMAP_DMA_FROM_DEVICE",
    "HPMAP_SYNC_FOR_CPU",
    "HPMAP_SYNC_FOR_DEVICE",
    "HPMAP_REPLACE",
    "HPMAP_DONTFORK",
    "HPMAP_DONTDUMP",
}
LEFT_OUT_FUNCTIONS = {
    "hpmap_free",  # these five are names of before
    "hpmap_length",
    "hpmap_pool",
    "hpmap_reserve",
    "hpmap_runs",
    "hpmap_from_fd",  # hpmap_from_fd_flags
    "hpmap_from_env",  # os.environ
    "hpmap_send",  # Python's sockets have timeouts of their own
    "hpmap_recv",
    "hpmap_map_at",  # mmap.mmap
    "hpmap_populate",
    "hpmap_dma_map",
    "hpmap_dma_from_fd",
    "hpmap_dma_unmap",
    "hpmap_dma_fd",
    "hpmap_dma_get_runs",
    "hpmap_dma_address",
    "hpmap_dma_sync",
    "hpmap_set_pool",  # hpagectl pool and reserve
    "hpmap_set_overcommit",
    "hpmap_set_reserve",
    "hpmap_physical_address",  # Buffer.runs()
}
TYPES = {
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "enum hpmap_backing": ctypes.c_uint,
    "void": None,
}


def constants():
    """The constants of the package, by their names in C."""
    found = {
        "HPMAP_NAME_SIZE": _library.NAME_SIZE,
        "HPMAP_NODE_MIXED": _library.NODE_MIXED,
        "HPMAP_NODE_UNKNOWN": _library.NODE_UNKNOWN,
    }
    for prefix, members in ENUMS.items():
        found.update((prefix + member.name, member.value) for member in members)
    return found


def in_c(expressions):
    """What a C program has for these expressions."""
    lines = "".join(f'printf("%lld\\n", (long long)({text}));\n' for text in expressions)
    source = "#include <stdio.h>\n#include <hpage_map.h>\n"
    source += "int main(void)\n{\n" + lines + "return 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program")
        subprocess.run(
            ["cc", "-x", "c", "-I", os.path.dirname(HEADER), "-o", program, "-"],
            input=source.encode(),
            check=True,
        )
        answer = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout
    return dict(zip(expressions, map(int, answer.split())))


def kind(c_type):
    """Of an argument in C: an integer type of ctypes, None for void, or "pointer"."""
    c_type = re.sub(r"\bconst ", "", c_type).strip()
    return "pointer" if c_type.endswith("*") else TYPES[c_type]


def kind_of(ctype):
    """The same of an argument in ctypes."""
    pointer = ctype in (ctypes.c_void_p, ctypes.c_char_p) or hasattr(ctype, "contents")
    return "pointer" if pointer else ctype


class Header(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(HEADER, encoding="ascii") as file:
            cls.text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)

    def test_structures_have_the_layout_that_the_compiler_gives_them(self):
        ours = {}
        for name, struct in STRUCTS.items():
            ours[f"sizeof(struct {name})"] = ctypes.sizeof(struct)
            for field, _ in struct._fields_:
                member = f"((struct {name} *)0)->{field}"
                ours[f"(size_t)&{member}"] = getattr(struct, field).offset
                ours[f"sizeof({member})"] = getattr(struct, field).size
        self.assertEqual(ours, in_c(ours))

    def test_structures_have_all_fields(self):
        found = {}
        for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", self.text, re.M | re.S):
            if name not in LEFT_OUT_STRUCTS:
                found[name] = re.findall(r"(\w+)(?:\[\w+\])?;", body)
        ours = {name: [field for field, _ in s._fields_] for name, s in STRUCTS.items()}
        self.assertEqual(ours, found)

    def test_constants_have_the_same_values(self):
        names = re.findall(r"^(?:#define |\t)(HPMAP_[A-Z0-9_]+)[ \t=]", self.text, re.M)
        self.assertGreater(len(names), 20)
        theirs = in_c([name for name in names if name not in LEFT_OUT_CONSTANTS])
        self.assertEqual(constants(), theirs)

    def test_functions_take_the_same_arguments(self):
        found = {}
        declaration = re.compile(r"^([a-z][\w ]*[ *])(hpmap_\w+)\(([^)]*)\);", re.M)
        for result, name, arguments in declaration.findall(self.text):
            types = [re.sub(r"\w+$", "", each.strip()) for each in arguments.split(",")]
            if name not in LEFT_OUT_FUNCTIONS:
                found[name] = [kind(each) for each in [result] + types if each]
        functions = _library.FUNCTIONS.items()
        ours = {name: [kind_of(each) for each in types] for name, types in functions}
        self.assertEqual(ours, found)
