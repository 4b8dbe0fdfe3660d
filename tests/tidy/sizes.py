"""Length limits, and the list of what was longer when its entry was written (allowlist.txt)."""

import posixpath
from typing import NamedTuple

from tree import Problem

UNIT_LIMIT = 600  # x.h and x.cc together
FUNCTION_LIMIT = 70


class Entry(NamedTuple):
    line: int
    lines: int


class Size(NamedTuple):
    path: str
    line: int
    lines: int


def check(tree):
    path, entries, problems = _read_allowlist(tree)
    yield from problems
    yield from _unbalanced(tree)
    sizes = {}  # (what, name): Size; the longest one if several have the name
    for key, size in [*_units(tree), *_functions(tree)]:
        sizes[key] = max(size, sizes.get(key, size), key=lambda size: size.lines)
    for key, size in sizes.items():
        yield from _check_limit(key, size, entries.get(key))
    for key, entry in entries.items():
        yield from _check_entry(path, key, entry, sizes.get(key))


def _read_allowlist(tree):
    entries, problems = {}, []
    path, lines = tree.table("allowlist.txt")
    for number, line in lines:
        what, *name, count = line.split() + [""] * (3 - len(line.split()))
        if what not in _LIMITS or not count.isdigit() or (what, *name) in entries:
            problems.append(Problem(path, number, "allowlist", (
                "cannot read this entry, or it is there twice; write it as the top of the file "
                "says")))
        else:
            entries[(what, *name)] = Entry(number, int(count))
    return path, entries, problems


def _units(tree):
    lines, paths = {}, {}
    for path, source in tree.sources.items():
        unit = posixpath.splitext(path)[0]
        lines[unit] = lines.get(unit, 0) + source.line_count
        paths.setdefault(unit, path)
    for unit, path in paths.items():
        yield ("unit", unit), Size(path, 1, lines[unit])


def _functions(tree):
    for path, source in tree.sources.items():
        for function in source.functions or ():
            name = function.name.replace(" ", "")
            yield ("function", path, name), Size(path, function.line, function.lines)


def _unbalanced(tree):
    for path, source in tree.sources.items():
        if source.functions is None:
            yield Problem(path, 1, "braces", (
                "cannot follow the braces, so its functions are not measured; balance them "
                "within each branch of an #if"))


_LIMITS = {"unit": UNIT_LIMIT, "function": FUNCTION_LIMIT}


def _check_limit(key, size, entry):
    limit = _LIMITS[key[0]]
    if size.lines <= limit or entry and size.lines <= entry.lines:
        return
    allowed = f"the {entry.lines} of its entry in allowlist.txt" if entry else f"{limit}"
    yield Problem(size.path, size.line, f"{key[0]}-length", (
        f"{key[0]} {key[-1]} has {size.lines} lines, over {allowed}; split it"))


def _check_entry(path, key, entry, size):
    if size is None:
        state, remedy = "is gone", "delete the entry"
    elif size.lines <= _LIMITS[key[0]]:
        state, remedy = f"is within the limit now ({size.lines} lines)", "delete the entry"
    elif size.lines < entry.lines:
        state, remedy = f"has only {size.lines} lines now", f"shrink the entry to {size.lines}"
    else:
        return
    yield Problem(path, entry.line, "allowlist", f"{' '.join(key)} {state}; {remedy}")
