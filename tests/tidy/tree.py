"""The tree that tidy looks at: its files, its C++ sources, and the problems found in them."""

import os
import posixpath
from typing import NamedTuple

import cpp_text

OWN_FOLDER = "tests/tidy"  # where layers.txt, allowlist.txt and rfc_sections.txt lie


class Problem(NamedTuple):
    """One line of the report. `what` says what is wrong, then after a semicolon what to do."""
    path: str
    line: int
    rule: str
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


class Tree:
    """All paths are relative to `root` and have forward slashes."""

    def __init__(self, root):
        self.root = root
        self.files = set(_walk(root))
        self.folders = {parent for path in self.files for parent in parents(path)}
        self.sources = {path: cpp_text.Source(path, self.read(path))
                        for path in sorted(self.files) if _is_source(path)}

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace",
                  newline="") as file:
            return file.read()

    def table(self, name):
        """The lines of one of tidy's own text files: (number, words before any #)."""
        path = posixpath.join(OWN_FOLDER, name)
        text = self.read(path) if path in self.files else ""
        stripped = (line.partition("#")[0].strip() for line in text.split("\n"))
        return path, [(number, line) for number, line in enumerate(stripped, 1) if line]


def parents(path):
    """The folders above `path`, nearest first, without the root."""
    while path := posixpath.dirname(path):
        yield path


def _is_source(path):
    return path.endswith((".h", ".cc"))


def _walk(root):
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not _is_foreign(name)]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def _is_foreign(folder):
    return folder.startswith((".", "bazel-")) or folder in ("node_modules", "__pycache__")
