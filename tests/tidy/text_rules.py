"""Rules for one file at a time: its name, its first lines, its layout and its words."""

import posixpath
import re
from typing import NamedTuple

from tree import Problem

SPDX = "// SPDX-License-Identifier: Apache-2.0"


class Rule(NamedTuple):
    name: str
    pattern: re.Pattern
    what: str


def _rule(name, pattern, what):
    return Rule(name, re.compile(pattern, re.MULTILINE), what)


_TEXT_RULES = [  # for all of the text
    _rule("line-length", r"^.{101,}", "the line is over 100 columns; break it"),
    _rule("space", r"\t", "a tab; indent with spaces"),
    _rule("space", r"[ \r]+$", "space at the end of the line; delete it"),
    _rule("todo", r"\b(?:TODO|FIXME)\b", "a note to do it later; do it, or open an issue"),
]

_CODE_RULES = [  # for the text without comments and literals
    _rule("using-namespace", r"\busing\s+namespace\s+(?![\w:]*literals\s*;)",
          "a using-directive; name what you use (only ...literals namespaces may be opened)"),
    _rule("maybe", r"Maybe[A-Z]\w*",
          "a name with Maybe; name what it does and let the result say whether it did"),
    _rule("guard", r"^[ \t]*#[ \t]*pragma[ \t]+once\b",
          "#pragma once; write an #ifndef guard after the file's path"),
]

_VAGUE_NAME = re.compile(r"(?:^|.*_)(?:utils?|common|helpers?)(?:_.*|$)|manager")


def check(tree):
    for source in tree.sources.values():
        yield from _check_name(source.path)
        yield from _check_patterns(source, source.text, _TEXT_RULES)
        yield from _check_patterns(source, source.code, _CODE_RULES)
        lines = source.text.split("\n")
        if lines[0] != SPDX:
            yield Problem(source.path, 1, "spdx", f"the licence is missing; begin with `{SPDX}`")
        if source.path.endswith(".h"):
            yield from _check_opening(source, lines)
            yield from _check_guard(source)


def _check_patterns(source, text, rules):
    for rule in rules:
        for match in rule.pattern.finditer(text):
            yield Problem(source.path, source.line_at(match.start()), rule.name, rule.what)


def _check_name(path):
    for part in path.split("/"):
        stem = posixpath.splitext(part)[0]
        if _VAGUE_NAME.fullmatch(stem):
            yield Problem(path, 1, "file-name", (
                f"`{stem}` says nothing; name the file after its one class or purpose"))


def _check_opening(source, lines):
    after_licence = next((line for line in lines[1:] if line), "")
    if not after_licence.startswith("//"):
        yield Problem(source.path, 2, "header-comment", (
            "no comment after the licence; say what this header decides, what it does not, the "
            "RFC sections and the invariants"))


# Guards.

_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)[ \t]*(\w*).*$", re.MULTILINE)


def guard_of(path):
    """GODWIT_<PATH>_H_; a public header's path goes without the second godwit."""
    path = path.replace("include/godwit/", "include/", 1)
    return "GODWIT_" + re.sub(r"\W", "_", path).upper() + "_"


def _check_guard(source):
    guard = guard_of(source.path)
    directives = list(_DIRECTIVE.finditer(source.code))
    opening = [match.groups() for match in directives[:2]]
    if opening != [("ifndef", guard), ("define", guard)]:
        line = source.line_at(directives[0].start()) if directives else 1
        yield Problem(source.path, line, "guard", (
            f"the guard is wrong; begin with #ifndef {guard} and #define {guard}"))
    elif not source.text.rstrip().endswith(f"\n#endif  // {guard}"):
        yield Problem(source.path, source.line_count, "guard", (
            f"the guard's end is wrong; end with `#endif  // {guard}`"))
