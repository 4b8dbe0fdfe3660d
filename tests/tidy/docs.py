"""Holds prose to the tree: names in ARCHITECTURE.md, RFC citations, BUILD files' first lines."""

import re

from tree import OWN_FOLDER, Problem

ARCHITECTURE = "ARCHITECTURE.md"
ARCHITECTURE_LIMIT = 250


def check(tree, layers):
    yield from _check_build_files(tree, layers)
    yield from _check_citations(tree)
    if ARCHITECTURE in tree.files:
        yield from _check_architecture(tree)


def _check_build_files(tree, layers):
    for folder in sorted(tree.folders & layers.rows.keys()):
        path = folder + "/BUILD.bazel"
        if path not in tree.files:
            yield Problem(path, 1, "build-file", "there is none; write one with a target a unit")
        elif not re.match(r"# *\w", tree.read(path)):
            yield Problem(path, 1, "build-file", (
                f"it does not begin with a comment; say in one line what {folder}/ is for"))


# RFC citations.

_SECTION = r"(?:[0-9]+|[A-Z]\b)(?:\.[0-9]+)*"
_GAP = r"[\s/]+"  # also from one line of a comment to the next
_CITATION = re.compile(
    rf"RFC{_GAP}(?P<rfc>[0-9]{{4}}){_GAP}(?P<list>(?:§|Appendix\s){_SECTION}"
    rf"(?:(?:,|{_GAP}and){_GAP}(?:§{_SECTION}|[A-Z]\.[0-9]+))*)"
    rf"|rfc(?P<url_rfc>[0-9]{{4}})#(?:section-|appendix-)?(?P<url_section>{_SECTION})")
_LISTED = re.compile(rf"(?<![\w.]){_SECTION}")
_WRONG_FORM = re.compile(
    r"\bRFC(?:[0-9]{4}\b"
    r"|\s[0-9]{4}(?:,?\s[Ss]ec(?:tions?|\.)\s|,?\s?§[\s§]|,\s?§|§|\s[0-9]+\.[0-9]))"
    r"|\b[Ss]ection\s[0-9.]+\sof\sRFC\b")


def _check_citations(tree):
    sections = _read_sections(tree)
    for source in tree.sources.values():
        for match in _CITATION.finditer(source.text):
            yield from _check_citation(source, match, sections)
        for match in _WRONG_FORM.finditer(source.text):
            yield Problem(source.path, source.line_at(match.start()), "rfc", (
                f"`{match.group().strip()}` cannot be collected; cite in the form `RFC 9000 §4.6`"))


def _check_citation(source, match, sections):
    rfc = match["rfc"] or match["url_rfc"]
    cited = _LISTED.findall(match["list"]) if match["list"] else [match["url_section"]]
    for section in cited:
        if rfc in sections and section not in sections[rfc]:
            yield Problem(source.path, source.line_at(match.start()), "rfc", (
                f"RFC {rfc} has no section {section}; look it up"))


def _read_sections(tree):
    sections = {}
    for _, line in tree.table("rfc_sections.txt")[1]:
        rfc, section = line.split()
        sections.setdefault(rfc, set()).add(section)
    return sections


# ARCHITECTURE.md.

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(
    r"\.?[A-Za-z_][\w.-]*(?:/[\w.-]*)+|[A-Za-z_][\w.-]*\.(?:h|cc|py|md|txt|bzl|bazel|sh|json)")
_IDENTIFIER = re.compile(r"~?[A-Za-z_]\w*(?:::~?[A-Za-z_]\w*)*")
_CPP_NAME = re.compile(r"::|[a-z]\w*_|_\w*[a-z]|^GODWIT_|^[A-Z]\w*[a-z]|^k[A-Z]")
_FOREIGN_NAMESPACE = re.compile(r"(?:std|absl|testing|benchmark)::")


def _check_architecture(tree):
    text = tree.read(ARCHITECTURE)
    lines = text.count("\n")
    if lines > ARCHITECTURE_LIMIT:
        yield Problem(ARCHITECTURE, ARCHITECTURE_LIMIT + 1, "architecture", (
            f"it has {lines} lines; a page over {ARCHITECTURE_LIMIT} goes stale, so shorten it"))
    prose = _FENCED.sub(lambda match: "\n" * match.group().count("\n"), text)
    known = _Names(tree)
    for match in _SPAN.finditer(prose):
        name = re.sub(r"\(.*\)$", "", match.group(1).strip())
        if not known.knows(name):
            line = prose.count("\n", 0, match.start()) + 1
            yield Problem(ARCHITECTURE, line, "architecture", (
                f"`{name}` is not in the tree; name what is there"))


class _Names:
    """Everything that a backticked name may mean."""

    def __init__(self, tree):
        self._paths = tree.files | tree.folders
        self._file_names = {path.rpartition("/")[2] for path in tree.files}
        stems = {name.partition(".")[0] for name in self._file_names}
        folder_names = {path.rpartition("/")[2] for path in tree.folders}
        self._outside_headers = {include.header for source in tree.sources.values()
                                 for include in source.includes}
        self._words = stems | folder_names
        for source in tree.sources.values():
            self._words.update(re.findall(r"[A-Za-z_]\w*", source.code))

    def knows(self, name):
        """True also for what looks neither like a path nor like a C++ name."""
        if _PATH.fullmatch(name):
            return self._knows_path(name)
        if not _IDENTIFIER.fullmatch(name) or not _CPP_NAME.search(name):
            return True
        if _FOREIGN_NAMESPACE.match(name):
            return True
        return self._words.issuperset(re.findall(r"\w+", name))

    def _knows_path(self, name):
        path = name.rstrip("/")
        return (path in self._paths or "include/" + path in self._paths
                or path in self._file_names or path in self._outside_headers)
