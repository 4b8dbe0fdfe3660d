"""Holds every #include to layers.txt and to "no cycles"."""

import re
from typing import NamedTuple

from tree import OWN_FOLDER, Problem, parents

LAYERS = OWN_FOLDER + "/layers.txt"
# How an include of ours begins, whether or not the file exists.
_OURS = ("include/", "base/", "crypto/", "congestion/", "transport/", "platform/", "runtime/",
         "tunnel/", "tests/", "bench/", "examples/", "bazel/", ".")


class Row(NamedTuple):
    folders: frozenset  # every row that this one may include, itself too
    kinds: frozenset


class Layers:
    """layers.txt, read. `problems` are those of the file itself."""

    def __init__(self, tree):
        self.rows = {}
        self.kinds = []  # (name, pattern)
        self.sans_io = ()
        self.faces = ()
        self.sharers = ()
        self.problems = []
        self._of_folder = {}
        readers = {"kind": self._read_kind, "layer": self._read_layer,
                   "mirror": self._read_mirror, "sans-io": self._read_sans_io,
                   "face": self._read_faces, "sharers": self._read_sharers}
        path, lines = tree.table("layers.txt")
        for number, line in lines:
            head, _, body = line.partition(":")
            words = head.split() + [""]
            try:
                readers[words[0]](words[1], body.strip())
            except (KeyError, ValueError, re.error) as error:
                self.problems.append(Problem(path, number, "layers", (
                    f"cannot read this row ({error}); write it as the top of the file says")))

    def row_of(self, path):
        """The name of the longest row that covers `path`, or None."""
        folder = next(parents(path), "")
        if folder not in self._of_folder:
            names = (name for name in [folder, *parents(folder)] if name in self.rows)
            self._of_folder[folder] = next(names, None)
        return self._of_folder[folder]

    def kind_of(self, header):
        return next((name for name, pattern in self.kinds if pattern.fullmatch(header)), None)

    def is_sans_io(self, path):
        return path.startswith(self.sans_io) and path not in self.faces

    def may_share(self, path):
        return path.startswith(self.sharers)

    def _read_kind(self, name, body):
        self.kinds.append((name, re.compile(body)))

    def _read_layer(self, name, body):
        rests_on, _, kinds = body.partition("|")
        if name in self.rows:
            raise ValueError(f"{name} has a row already")
        if unknown := set(rests_on.split()) - set(self.rows):
            raise ValueError("no row above is called " + ", ".join(sorted(unknown)))
        folders = {name}.union(*(self.rows[folder].folders for folder in rests_on.split()))
        self.rows[name] = Row(frozenset(folders), self._known(kinds))

    def _read_mirror(self, name, body):
        kinds = self._known(body)
        for folder, row in list(self.rows.items()):
            mirrored = f"{name}/{folder}"
            tests = {f"{name}/{included}" for included in row.folders}
            self.rows[mirrored] = Row(row.folders | tests, row.kinds | kinds)

    def _read_sans_io(self, _, body):
        self.sans_io = tuple(folder + "/" for folder in body.split())

    def _read_faces(self, _, body):
        self.faces = tuple(body.split())

    def _read_sharers(self, _, body):
        self.sharers = tuple(body.split())

    def _known(self, kinds):
        if unknown := set(kinds.split()) - {name for name, _ in self.kinds}:
            raise ValueError("no kind above is called " + ", ".join(sorted(unknown)))
        return frozenset(kinds.split())


def check(tree, layers):
    yield from layers.problems
    yield from _folders_without_row(tree, layers)
    edges = []  # (source path, line, included path), ours only
    for source in tree.sources.values():
        for include in source.includes:
            target = _our_path(include)
            if target in tree.sources:
                edges.append((source.path, include.line, target))
            yield from _check_include(layers, source, include, target, tree)
    yield from _cycles(edges)
    yield from _folder_cycles(layers, edges)


def _folders_without_row(tree, layers):
    seen = set()
    for path in tree.sources:
        folder = next(parents(path))
        if layers.row_of(path) is None and folder not in seen:
            seen.add(folder)
            yield Problem(path, 1, "layer-row", (
                f"no row covers {folder}/; add `layer {folder} : <folders it rests on> | std absl` "
                f"to {LAYERS}"))


def _our_path(include):
    """The path that a header of ours has or would have; None for an outside header."""
    if not include.header:
        return None
    if include.header.startswith("godwit/"):
        return "include/" + include.header
    is_ours = include.quoted and ("/" not in include.header or include.header.startswith(_OURS))
    return include.header if is_ours else None


def _check_include(layers, source, include, target, tree):
    def problem(rule, what):
        return Problem(source.path, include.line, rule, what)

    if not include.header:
        yield problem("include", "a macro names the header; name it in quotes or angle brackets")
    elif target is None:
        yield from _check_outside(layers, source, include, problem)
    elif not include.quoted:
        yield problem("include", f'<{include.header}> is ours; write "{include.header}"')
    elif include.header.startswith("include/"):
        yield problem("include", f'"{include.header}" is a public header; write '
                                 f'"{include.header.removeprefix("include/")}"')
    elif target not in tree.sources:
        yield problem("include", f"{target} does not exist; spell a private header by its path "
                                 'from the root and a public one "godwit/x.h"')
    else:
        yield from _check_ours(layers, source, target, problem)


def _check_outside(layers, source, include, problem):
    kind = layers.kind_of(include.header)
    row = layers.row_of(source.path)
    if kind is None:
        is_c = include.header.endswith(".h")
        hint = "a C header has a C++ name (<cstdint>); else " if is_c else ""
        yield problem("layer-kind", (
            f"{include.header} is of no known kind; {hint}add a `kind` row to {LAYERS} and name "
            f"the kind in the row of {row or 'this folder'}"))
    elif row and kind not in layers.rows[row].kinds:
        yield problem("layer", (
            f"{row} may not include {kind} headers ({include.header}); move the code to a folder "
            f"that may, see {LAYERS}"))


def _check_ours(layers, source, target, problem):
    row = layers.row_of(source.path)
    below = layers.row_of(target)
    if row and below and below not in layers.rows[row].folders:
        yield problem("layer", (
            f"{row} may not include {below} ({target}); depend downwards only, see {LAYERS}"))


# Cycles.

def _cycles(edges):
    lines = {(path, target): line for path, line, target in edges}
    for cycle in find_cycles((path, target) for path, _, target in edges):
        yield Problem(cycle[0], lines[cycle[0], cycle[1]], "cycle", (
            f"files include each other: {' -> '.join(cycle)}; move what they share into a lower "
            "file, or declare instead of including"))


def _folder_cycles(layers, edges):
    witnesses = {}
    for path, line, target in edges:
        row, below = layers.row_of(path), layers.row_of(target)
        if row and below and row != below:
            witnesses.setdefault((row, below), (path, line, target))
    for cycle in find_cycles(witnesses):
        steps = [witnesses[step] for step in zip(cycle, cycle[1:])]
        proof = ", ".join(f"{path}:{line} includes {target}" for path, line, target in steps)
        yield Problem(*steps[0][:2], "folder-cycle", (
            f"folders include each other: {' -> '.join(cycle)} ({proof}); cut one of these"))


def find_cycles(edges):
    """One cycle of each knot, as [a, b, a]; each starts at its least node."""
    graph = {}
    for node, target in edges:
        graph.setdefault(node, set()).add(target)
    graph = _without_dead_ends(graph)
    seen = set()
    for start in sorted(graph):
        if start not in seen and (cycle := _shortest_cycle(graph, start)):
            seen.update(_reachable(graph, start) & _reachable(_reversed(graph), start))
            yield cycle


def _without_dead_ends(graph):
    """`graph` without the nodes that lead to no cycle: nothing is left where there is none."""
    while True:
        smaller = {node: targets & graph.keys() for node, targets in graph.items()}
        smaller = {node: targets for node, targets in smaller.items() if targets}
        if smaller == graph:
            return graph
        graph = smaller


def _shortest_cycle(graph, start):
    """The shortest way from `start` back to `start`, or None."""
    came_from = {}
    queue = [start]
    for node in queue:
        for target in sorted(graph.get(node, ())):
            if target == start:
                return _way_back(came_from, start, node)
            if target not in came_from:
                came_from[target] = node
                queue.append(target)
    return None


def _way_back(came_from, start, node):
    way = [start]
    while node != start:
        way.append(node)
        node = came_from[node]
    return [start] + way[::-1]


def _reachable(graph, start):
    found = {start}
    queue = [start]
    for node in queue:
        new = graph.get(node, set()) - found
        found |= new
        queue.extend(new)
    return found


def _reversed(graph):
    result = {}
    for node, targets in graph.items():
        for target in targets:
            result.setdefault(target, set()).add(node)
    return result
