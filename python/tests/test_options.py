# SPDX-License-Identifier: GPL-2.0-only
"""What people write reaches the library as they meant it, or is refused."""

import errno
import inspect
import pickle
import unittest

from fixture import SIZE, Case, alloc

import hpage_map
from hpage_map._library import c_string, text_of
from hpage_map._options import alloc_flags, byte_count, fill, placement


class Sizes(unittest.TestCase):
    def test_sizes_are_those_of_hpagectl(self):
        sizes = {
            4096: 4096,
            "4096": 4096,
            "4096B": 4096,
            "64M": 64 << 20,
            "64m": 64 << 20,
            "2 MiB": 2 << 20,
            "2MB": 2 << 20,
            "1.5G": 3 << 29,
            "0.25K": 256,
            "1T": 1 << 40,
        }
        self.assertEqual({size: byte_count(size) for size in sizes}, sizes)

    def test_what_is_no_size_is_refused(self):
        for size in ("", "M", "4x", "1.5", "1.5B", "-1", "1 ", "4 M M", "0", "16E", 0, -1, 1 << 64):
            with self.subTest(size=size), self.assertRaises(ValueError):
                byte_count(size)
        for size in (1.5, None, b"4M"):
            with self.subTest(size=size), self.assertRaises(TypeError):
                byte_count(size)


class Texts(unittest.TestCase):
    def test_names_of_files_may_have_any_bytes(self):
        for text in (b"caf\xc3\xa9", b"caf\xe9"):
            self.assertEqual(c_string(text_of(text)), text)


class Numbers(unittest.TestCase):
    def test_what_ctypes_would_cut_is_refused(self):
        for node in (1 << 32, (1 << 32) + 1, 1 << 31, -(1 << 31) - 1):
            with self.subTest(node=node):
                with self.assertRaisesRegex(ValueError, "out of range"):
                    hpage_map.pool("2M", node)
                with self.assertRaisesRegex(ValueError, "out of range"):
                    hpage_map.reserve(hpage_map.Backing.THP, "2M", node)


class Options(unittest.TestCase):
    def test_flags_have_their_names(self):
        self.assertEqual(alloc_flags(None, exact=True, allow_base=False), 1)
        self.assertEqual(alloc_flags(True, contiguous=True), 1 << 16 | 1 << 2)
        self.assertEqual(alloc_flags(False, allow_base=True), 1 << 17 | 1 << 1)

    def test_a_node_is_preferred_or_the_only_one(self):
        policies = {
            (None, None, False, False): (0, -1, None),
            (1, None, False, False): (1, 1, None),
            (1, None, True, False): (2, 1, None),
            (None, "0000:00:03.0", False, False): (1, -1, b"0000:00:03.0"),
            (None, "0000:00:03.0", True, False): (2, -1, b"0000:00:03.0"),
            (None, None, False, True): (3, -1, None),
        }
        got = {wanted: tuple(placement(*wanted).values()) for wanted in policies}
        self.assertEqual(got, policies)

    def test_nodes_that_contradict_each_other_are_refused(self):
        for wanted in (
            (1, "0000:00:03.0", False, False),
            (None, None, True, False),
            (1, None, False, True),
        ):
            with self.subTest(wanted=wanted), self.assertRaises(ValueError):
                placement(*wanted)

    def test_nothing_is_cut_to_the_size_of_a_field(self):
        for field in ({"node": 1 << 32}, {"mode": 1 << 40}, {"uid": -2}):
            with self.subTest(field=field), self.assertRaises(ValueError):
                fill(**field)

    def test_a_name_does_not_end_at_nul(self):
        for call in (hpage_map.open, hpage_map.destroy):
            with self.subTest(call=call.__name__), self.assertRaises(ValueError):
                call("name\0more")


class Errors(Case):
    def test_an_error_says_what_to_do(self):
        with self.assertRaises(hpage_map.Error) as caught:
            hpage_map.alloc(SIZE, page_size=3 << 20)
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        self.assertEqual(caught.exception.strerror, "3 MiB is no page size\ntry: hpagectl pool")
        self.assertEqual(
            str(caught.exception), "[Errno 22] 3 MiB is no page size\ntry: hpagectl pool"
        )

    def test_too_much_is_an_error_before_it_is_touched(self):
        with self.assertRaises(hpage_map.Error) as caught:
            hpage_map.alloc("8T", allow_base=True)
        self.assertEqual(caught.exception.errno, errno.ENOMEM)
        self.assertRegex(caught.exception.strerror, r"8 TiB needed, .* available")

    def test_an_error_is_one_of_python_too(self):
        for number, kind in (
            (errno.EEXIST, FileExistsError),
            (errno.ENOENT, FileNotFoundError),
            (errno.EACCES, PermissionError),
            (errno.EPERM, PermissionError),
        ):
            error = hpage_map.Error(number, "a text")
            self.assertIsInstance(error, kind)
            self.assertIsInstance(error, hpage_map.Error)
            self.assertEqual(error.errno, number)
            again = pickle.loads(pickle.dumps(error))  # as multiprocessing passes it
            self.assertIs(type(again), type(error))
            self.assertEqual(str(again), str(error))

    def test_without_the_module_what_needs_it_is_refused(self):
        with self.assertRaises(hpage_map.Error) as caught:
            alloc(module=False, contiguous=True)
        self.assertEqual(caught.exception.errno, errno.EINVAL)


class Documentation(unittest.TestCase):
    def test_everything_public_is_explained(self):
        for name in hpage_map.__all__:
            thing = getattr(hpage_map, name)
            self.assertTrue(inspect.getdoc(thing), name)
            for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                    self.assertTrue(inspect.getdoc(value), f"{name}.{member}")
