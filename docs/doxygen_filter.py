#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Gives Doxygen the comments of a header in the form that it reads.

Ours are plain `//`: the first after the licence speaks of the file, others of what follows them, or
of what stands before them in their line. Deeper than the members of a class they explain code.
"""

import re
import sys

_COMMENT = re.compile(r"^( {0,2})//(?: (.*))?$")
_TRAILING = re.compile(r"^( {0,4}\S.*[,;{])  // (.*)$")


def escaped(text):
    """Words of ours that are commands elsewhere, as words."""
    return re.sub(r"([\\@#<>&%*_`|~]|::)", r"\\\1", text)


def documented(lines, indent):
    """One comment for what follows; what is indented in it stays as it is."""
    result = []
    is_verbatim = False
    for i, line in enumerate(lines):
        following = next((text for text in lines[i:] if text), "")
        wants_verbatim = following.startswith("  ") and (bool(line) or is_verbatim)
        if wants_verbatim != is_verbatim:
            result.append(r"\verbatim" if wants_verbatim else r"\endverbatim")
            is_verbatim = wants_verbatim
        result.append(line if is_verbatim else escaped(line))
    if is_verbatim:
        result.append(r"\endverbatim")
    # A block, so that no empty line ends it.
    return [f"{indent}/*!", *(f"{indent}{line}".rstrip() for line in result), f"{indent}*/"]


def filtered(text):
    result = []
    lines = text.splitlines()
    i = 0
    is_first = True
    while i < len(lines):
        match = _COMMENT.match(lines[i])
        if match is None:
            trailing = _TRAILING.match(lines[i])
            result.append(f"{trailing[1]}  /*!< {escaped(trailing[2])} */" if trailing else lines[i])
            i += 1
            continue
        indent, block = match[1], []
        while i < len(lines) and (match := _COMMENT.match(lines[i])) and match[1] == indent:
            block.append(match[2] or "")
            i += 1
        block = [line for line in block if not re.match(r"---- .* ----$|SPDX-", line)]
        while block and not block[0]:
            block.pop(0)
        if not block:
            result.append("")
            continue
        comment = documented(block, indent)
        if is_first:
            comment[0] += r" \file"
            comment.insert(1, "")
        result.extend(comment)
        is_first = False
    return "\n".join(result) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(filtered(file.read()))
