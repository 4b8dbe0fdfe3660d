"""C++ source as text: code without comments and literals, its includes and its functions.

This is no parser. It relies on what clang-format and the compiler already guarantee, and says so
(Source.functions is None) when it cannot follow the braces.
"""

import bisect
import functools
import re
from typing import NamedTuple


class Include(NamedTuple):
    line: int
    header: str  # without quotes or angle brackets; empty if a macro names it
    quoted: bool


class Function(NamedTuple):
    name: str  # with its classes, without namespaces; "Suite.Name" for a test
    line: int
    lines: int  # from the first line of its head to its closing brace


class Source:
    """One file. Offsets into `code` and into `text` mean the same place."""

    def __init__(self, path, text):
        self.path = path
        self.text = text

    @functools.cached_property
    def code(self):
        return blank_comments_and_literals(self.text)

    @functools.cached_property
    def includes(self):
        return [self._include(match.start()) for match in _INCLUDE_LINE.finditer(self.code)]

    @functools.cached_property
    def functions(self):
        return find_functions(self)

    @functools.cached_property
    def _line_starts(self):
        return [0] + [match.end() for match in re.finditer("\n", self.text)]

    @property
    def line_count(self):
        return self.text.count("\n") + (not self.text.endswith("\n"))

    def line_at(self, offset):
        return bisect.bisect_right(self._line_starts, offset)

    def _include(self, offset):
        named = _INCLUDE.match(self.text, offset)
        header = named and (named["quoted"] or named["angled"]) or ""
        return Include(self.line_at(offset), header, bool(named and named["quoted"]))


_INCLUDE_LINE = re.compile(r"^[ \t]*#[ \t]*include\b", re.MULTILINE)
_INCLUDE = re.compile(r'[ \t]*#[ \t]*include[ \t]*(?:"(?P<quoted>[^"\n]+)"|<(?P<angled>[^>\n]+)>)')

_LITERAL = re.compile(
    r"""(?P<comment> //(?:\\\n|[^\n])* | /\*(?:[^*]|\*(?!/))*(?:\*/)? )
      | (?P<raw> \b(?:u8|[uUL])?R"(?P<mark>[^\s()\\]{0,16})\((?:.|\n)*?\)(?P=mark)" )
      | (?P<number> \b[0-9][\w.]*'[\w.']+ )  # its ' separates digits
      | " (?:\\[^\0] | [^"\\\n])* "
      | ' (?:\\[^\0] | [^'\\\n])+ '""", re.VERBOSE)
_NOT_NEWLINE = re.compile(r"[^\n]")


def blank_comments_and_literals(text):
    """`text` with spaces in their place; quotes and line ends stay."""
    return _LITERAL.sub(_blank, text)


def _blank(match):
    found = match.group()
    if match["number"]:
        return found
    if match["comment"]:
        return _NOT_NEWLINE.sub(" ", found)
    if match["raw"]:
        return '"' + _NOT_NEWLINE.sub(" ", found[1:-1]) + '"'
    return found[0] + _NOT_NEWLINE.sub(" ", found[1:-1]) + found[-1]


# Functions.

_PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\r?\n|[^\n])*", re.MULTILINE)
_MARK = re.compile(r"[(){};]")
_BRACE = re.compile(r"[{}]")


def find_functions(source):
    """All functions of `source`, or None if its braces do not balance."""
    code = _PREPROCESSOR.sub(lambda match: _NOT_NEWLINE.sub(" ", match.group()), source.code)
    found = []
    scopes = []  # names of open classes, "" for a namespace
    head_start = offset = parens = 0
    while mark := _MARK.search(code, offset):
        offset = mark.end()
        kind = mark.group()
        if kind in "()":
            parens += 1 if kind == "(" else -1
        elif kind == ";":
            head_start = head_start if parens else offset
        elif kind == "}":
            if not scopes:
                return None
            scopes.pop()
            head_start = offset
        else:
            # An empty line ends what is no part of the head: a macro without a semicolon.
            head_start = max(head_start, source.text.rfind("\n\n", head_start, mark.start()))
            head = _Head(code[head_start:mark.start()])
            if parens == 0 and head.scope is not None:
                scopes.append(head.scope)
                head_start = offset
                continue
            offset = _closing_brace(code, offset)
            if offset is None:
                return None
            if parens == 0 and head.is_function:
                found.append(_function(source, head, scopes, head_start, offset))
                head_start = offset
    return None if scopes or parens else found


def _closing_brace(code, offset):
    """The offset after the brace that closes the one before `offset`."""
    depth = 1
    for brace in _BRACE.finditer(code, offset):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return brace.end()
    return None


def _function(source, head, scopes, head_start, end):
    start = head_start + head.indent
    line = source.line_at(start)
    name = _test_name(source.code, start) if head.is_test else head.name
    return Function("::".join([scope for scope in scopes if scope] + [name]), line,
                    source.line_at(end - 1) - line + 1)


def _test_name(code, start):
    arguments = code[code.index("(", start) + 1:code.index(")", start)]
    return ".".join(arguments.replace(",", " ").split())


_LEADING = re.compile(r"(?:\s|(?:public|protected|private)\s*:(?!:)|\[\[[^\]]*\]\])*")
_NAMESPACE = re.compile(r'(?:inline\s+)?namespace\b|extern\s*"\s*"\s*$')
_CLASS = re.compile(r"(?:(?:typedef|static|const|constexpr|inline)\s+)*(?:class|struct|union)\b")
_GROUP = re.compile(r"\([^()]*\)|\{[^{}]*\}|(?<=\w)(?<!operator)<[^<>()]*>")
_QUALIFIERS = (r"(?:\s|const\b|noexcept\b|\(\)|override\b|final\b|mutable\b|try\b|&|[A-Z_]{3,}\b"
               r"|->[^;{}=]*|requires\b[^;=]*)*$")
_FUNCTION = re.compile(r"\)" + _QUALIFIERS  # ends with the parameters and what may follow them
                       + r"|\)[^;=]*[^:]:[^:](?:.|\n)*\{\}\s*$"  # or with a member's initialiser
                       + r"|=\s*\[[^\[\]]*\]\s*$")  # or it is a lambda without parameters
_LAMBDA = re.compile(r"(\w+)\s*=\s*\[[^\[\]]*\]")
_NAME = re.compile(r"((?:[\w~]+::)*(?:operator\b[^()]*|~?\w+))\s*$")
_TEST = re.compile(r"(?:TYPED_)?TEST(?:_[FP])?$")


class _Head:
    """The text before an opening brace: does a scope, a function or a value begin there?"""

    def __init__(self, text):
        self.indent = _LEADING.match(text).end()
        text = _without_template(text[self.indent:])
        short = _shorten(text)
        self.scope = _scope_name(short)
        self.is_function = self.scope is None and bool(_FUNCTION.search(short))
        named = _LAMBDA.search(short) or _NAME.search(short.partition("(")[0])
        self.name = re.sub(r"\s+", " ", named.group(1).strip()) if named else "(unnamed)"
        if self.name.endswith("operator"):
            self.name += "()"
        self.is_test = bool(_TEST.match(self.name))


def _without_template(text):
    if not text.startswith("template"):
        return text
    depth = 0
    for match in re.finditer(r"<|(?<!-)>", text):
        depth += 1 if match.group() == "<" else -1
        if depth == 0:
            return text[match.end():].lstrip()
    return text


def _shorten(text):
    """`text` with every (...) as (), every {...} as {} and no template arguments."""
    groups = {"(": "\1", "{": "\2", "<": ""}
    count = 1
    while count:
        text, count = _GROUP.subn(lambda match: groups[match.group()[0]], text)
    return text.replace("\1", "()").replace("\2", "{}").strip()


def _scope_name(head):
    """The class's name, "" for a namespace, None if `head` opens neither."""
    if _NAMESPACE.match(head):
        return ""
    start = _CLASS.match(head)
    if not start:
        return None
    declared = re.split(r"(?<!:):(?!:)", head[start.end():])[0]
    declared = re.sub(r"alignas\s*\(\)|\[\[[^\]]*\]\]|\bfinal\b", " ", declared)
    if "(" in declared or "=" in declared:
        return None
    words = declared.split()
    return words[-1] if words else ""
