#!/usr/bin/python3
"""Keeps the house in order: checks the C++ sources against the rules of README.md.

    python3 tests/tidy/tidy.py [ROOT]

ROOT is a folder, or a WORKSPACE file (or a link to one) in it; without it, the tree this program
lies in. Exits with 1 if anything is wrong.
"""

import os
import sys

sys.dont_write_bytecode = True  # the tree stays as it was

import docs
import layers
import sans_io
import sizes
import text_rules
import tree

LEAST_SOURCES = 5  # fewer means that we look at the wrong place


def check(root):
    """The problems in the tree at `root`, sorted, and the number of its sources."""
    looked_at = tree.Tree(root)
    rows = layers.Layers(looked_at)
    problems = [
        *layers.check(looked_at, rows),
        *sans_io.check(looked_at, rows),
        *text_rules.check(looked_at),
        *sizes.check(looked_at),
        *docs.check(looked_at, rows),
    ]
    return sorted(set(problems)), len(looked_at.sources)


def root_of(argument):
    """The folder that the command line means."""
    path = os.path.realpath(argument or os.path.join(__file__, "../../.."))
    return path if os.path.isdir(path) else os.path.dirname(path)


def main(arguments):
    root = root_of(arguments[0] if arguments else None)
    problems, source_count = check(root)
    for problem in problems:
        print(problem)
    if source_count < LEAST_SOURCES:
        print(f"tidy: {source_count} sources under {root}; this is not the tree, give its root")
        return 1
    print(f"tidy: {len(problems)} problems in {source_count} sources under {root}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
