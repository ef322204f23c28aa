"""Filters: many patterns looked for in one go over a block of cleaned text, to be confirmed one by one where they say so.

A filter never misses a pattern that matches, and may name one that does not. `Plain` asks nothing; `Literal` looks for the
texts that patterns need, by hyperscan where that has a wheel, else by Aho-Corasick. Source: facts/matching.md, 1 and 2.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from .literals import literals

Candidate = tuple[str, int]  # a pattern, and where in the text the first line begins that it may match
Finder = Callable[[bytes], Iterable[tuple[int, int]]]  # text -> (number of what was looked for, a place in its first line)


class Filter(Protocol):
    """`patterns` are those that it looks for."""

    patterns: list[str]

    def candidates(self, text: bytes) -> Iterable[Candidate]: ...


class Plain:
    """Every pattern, always: for few of them there is nothing quicker."""

    def __init__(self, patterns: Iterable[str] = ()):
        self.patterns = list(patterns)

    def candidates(self, _text: bytes) -> Iterable[Candidate]:
        return [(pattern, 0) for pattern in self.patterns]


def hyperscan(texts: Sequence[bytes]) -> Finder:
    """Only literals, and without UTF-8: its regular expressions miss matches (`^ *k` in short text, Vectorscan 5.4.12),
    fold other letters than RE2, and may take seconds to compile."""
    import hyperscan as hs

    database = hs.Database(mode=hs.HS_MODE_BLOCK)
    database.compile(
        expressions=list(texts), ids=list(range(len(texts))), literal=True,
        flags=[hs.HS_FLAG_CASELESS | hs.HS_FLAG_SINGLEMATCH] * len(texts),
    )  # fmt: skip

    def find(text: bytes) -> Iterable[tuple[int, int]]:
        found: list[tuple[int, int]] = []

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((number, end - 1))

        database.scan(text, match_event_handler=hit)
        return found

    return find


def aho_corasick(texts: Sequence[bytes]) -> Finder:
    """The same, slower."""
    from ahocorasick_rs import BytesAhoCorasick, Implementation

    automaton: Any = BytesAhoCorasick(list(texts), implementation=Implementation.DFA)

    def find(text: bytes) -> Iterable[tuple[int, int]]:
        first: dict[int, int] = {}
        for number, start, _end in automaton.find_matches_as_indexes(text.lower(), overlapping=True):
            first.setdefault(number, start)
        return first.items()

    return find


best: Callable[[Sequence[bytes]], Finder] = hyperscan if find_spec("hyperscan") else aho_corasick


class Literal:
    """Those of which the text has a literal, and those that have none."""

    def __init__(self, patterns: Iterable[str], finder: Callable[[Sequence[bytes]], Finder] = best):
        self.patterns = list(patterns)
        self._always: list[Candidate] = []
        owners: dict[bytes, list[str]] = {}
        for pattern in self.patterns:
            needed = literals(pattern)
            if needed is None:
                self._always.append((pattern, 0))
            for text in needed or ():
                owners.setdefault(text, []).append(pattern)
        self._owners = list(owners.values())
        self._find = finder(list(owners)) if owners else None

    def candidates(self, text: bytes) -> Iterable[Candidate]:
        if self._find is None:
            return self._always
        found: dict[str, int] = {}
        for number, place in self._find(text):
            for pattern in self._owners[number]:
                found[pattern] = min(place, found.get(pattern, place))
        return [*((pattern, text.rfind(b"\n", 0, place) + 1) for pattern, place in found.items()), *self._always]
