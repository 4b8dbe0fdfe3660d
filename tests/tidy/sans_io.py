"""The bans of the sans-IO folders: what would give them a clock, a thread, a socket or chance.

Headers of the operating system are not listed: no sans-IO row of layers.txt names their kind.
"""

import re
from typing import NamedTuple

from tree import Problem


class Ban(NamedTuple):
    pattern: re.Pattern
    why: str  # why not, and what to do instead


def _ban(pattern, why):
    return Ban(re.compile(pattern), why)


# <atomic> is among the threads: a connection belongs to one thread at a time, and what threads
# share belongs to runtime/. An atomic here would be the first sign of the opposite.
_HEADERS = [
    _ban(r"thread|mutex|shared_mutex|condition_variable|atomic|future|semaphore|latch|barrier"
         r"|stop_token|absl/synchronization/.+",
         "the core has no threads; what threads share belongs to runtime/"),
    _ban(r"chrono|ctime|absl/time/clock\.h",
         "the core reads no clock; take a Timestamp as a parameter"),
    _ban(r"random|absl/random/.+", "the core draws no randomness of its own; take a Random&"),
    _ban(r"iostream|fstream|filesystem", "the core does no I/O; return bytes, or write an event"),
    _ban(r"functional",
         "std::function allocates and hides the call; return a value or take absl::FunctionRef"),
    _ban(r"regex", "it is slow and throws; parse by hand"),
    _ban(r"typeinfo|typeindex", "there is no RTTI; use an enum or a variant"),
]

_FREE = r"(?:(?<![\w.>:])|(?<=std::)|(?<=[^\w]::))"  # a free function, not a member's name

_SHARING = _ban(r"\b(?:std::(?:shared_ptr|make_shared|weak_ptr|enable_shared_from_this))\b",
                "everything has one owner; use a value or std::unique_ptr")

_WORDS = [
    _ban(r"\bstd::function\b",
         "it allocates and hides the call; return a value or take absl::FunctionRef"),
    _ban(r"\b(?:steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday"
         r"|timespec_get|(?:__builtin_ia32)?_*rdtscp?|absl::Now|absl::GetCurrentTimeNanos)\b"
         rf"|{_FREE}time\s*\(\s*(?:nullptr|NULL|0|&)|{_FREE}clock\s*\(",
         "the core reads no clock; take a Timestamp as a parameter"),
    _ban(rf"{_FREE}(?:s?rand|rand_r|getrandom|getentropy|arc4random\w*)\s*\("
         r"|\brandom_device\b|\bRAND_bytes\b",
         "the core draws no randomness of its own; take a Random&"),
    _ban(rf"{_FREE}(?:u|nano)?sleep\s*\(|\bpthread_\w+",
         "the core has no threads and waits for nothing; time is a parameter"),
    _ban(rf"{_FREE}(?:socket|sendto|sendmsg|sendmmsg|recvfrom|recvmsg|recvmmsg)\s*\(",
         "the core has no sockets; take and give datagrams"),
    _ban(rf"{_FREE}(?:secure_)?getenv\s*\(",
         "the environment is nobody's parameter; put a field into a configuration"),
    _ban(r"\bthrow\b", "there are no exceptions; return a Result or an absl::Status"),
    _ban(r"\b(?:dynamic_cast|dynamic_pointer_cast|typeid)\b",
         "there is no RTTI; use an enum or a variant"),
]


def check(tree, layers):
    for source in tree.sources.values():
        if layers.is_sans_io(source.path):
            yield from _check_headers(source)
            yield from _check_words(source, _WORDS)
            if not layers.may_share(source.path):
                yield from _check_words(source, [_SHARING])


def _check_headers(source):
    for include in source.includes:
        for ban in _HEADERS:
            if ban.pattern.fullmatch(include.header):
                yield Problem(source.path, include.line, "sans-io",
                              f"<{include.header}> is banned here; {ban.why}")


def _check_words(source, bans):
    for ban in bans:
        for match in ban.pattern.finditer(source.code):
            yield Problem(source.path, source.line_at(match.start()), "sans-io",
                          f"{match.group().strip(' (')} is banned here; {ban.why}")
