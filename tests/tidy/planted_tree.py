"""A small tree in a temporary folder, in which tests plant violations and their clean twins."""

import os
import shutil
import tempfile
import unittest

import text_rules
import tidy

HERE = os.path.dirname(os.path.realpath(__file__))
FIRST_LINE = {".h": 5, ".cc": 2}  # where the body of header() and source() begins


def source(*body):
    return "\n".join([text_rules.SPDX, *body, ""])


def header(path, *body):
    guard = text_rules.guard_of(path)
    return source("// Why it is there.", f"#ifndef {guard}", f"#define {guard}", *body,
                  f"#endif  // {guard}")


class PlantedTreeTest(unittest.TestCase):
    """Base of the tests: an empty tree with the real layers.txt and rfc_sections.txt."""

    def setUp(self):
        self.root = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.root)
        self.write("WORKSPACE", "")
        for name in ("layers.txt", "rfc_sections.txt"):
            with open(os.path.join(HERE, name), encoding="utf-8") as file:
                self.write("tests/tidy/" + name, file.read())

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def plant(self, path, *body):
        """Writes a source whose only faults are in `body`, with BUILD files above it."""
        text = header(path, *body) if path.endswith(".h") else source(*body)
        self.write(path, text)
        folder = os.path.dirname(path)
        while folder:
            self.write(folder + "/BUILD.bazel", "# What this folder is for.\n")
            folder = os.path.dirname(folder)

    def remove(self, path):
        os.remove(os.path.join(self.root, path))

    def problems(self):
        return tidy.check(self.root)[0]

    def assert_clean(self):
        self.assertEqual([str(problem) for problem in self.problems()], [])

    def assert_found(self, *expected):
        """Exactly these problems are found: (path, line, rule)."""
        found = self.problems()
        self.assertEqual([problem[:3] for problem in found], sorted(expected),
                         "\n".join(map(str, found)))

    def assert_bad_and_good(self, path, rule, bad, good):
        """`bad` as the body's only line breaks `rule` and nothing else; `good` breaks nothing."""
        line = FIRST_LINE[os.path.splitext(path)[1]]
        with self.subTest(bad=bad):
            self.plant(path, bad)
            self.assert_found((path, line, rule))
        with self.subTest(good=good):
            self.plant(path, good)
            self.assert_clean()
