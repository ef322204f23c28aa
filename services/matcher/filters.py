"""Filters: many patterns looked for in one go over a block of cleaned text, to be confirmed one by one where they say so.

A filter never misses a pattern that matches, and may name one that does not. `Plain` asks nothing; `Literal` looks for the
texts that patterns need, by hyperscan where that has a wheel, else by Aho-Corasick. Source: facts/matching.md, 1 and 2.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from .literals import literals

Where = int | list[int]  # the lines that begin at these places; or all from the line that begins there
Candidate = tuple[str, Where]  # a pattern, and where in the text it may match
Places = int | list[int]  # places in the lines in which something was found; or, of too many, one in the first line
Finder = Callable[[bytes], Mapping[int, Places]]  # text -> by the number of what was looked for
_APART = 4000  # bytes: where a literal is more frequent, one search through all is quicker than one for each of its lines
_STORM = 512  # bytes: where literals are more frequent, it is quicker to ask only for the first of each
_REST = 64  # blocks: as long, at most, a storm is taken to last


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
    fold other letters than RE2, and may take seconds to compile.

    A hit costs as much as 500 bytes do, so a storm of them is given up: then only the first of each literal is asked for,
    and so for the next blocks, the more the longer it lasts.
    """
    import hyperscan as hs

    def compiled(flags: int) -> Any:
        database = hs.Database(mode=hs.HS_MODE_BLOCK)
        numbers = list(range(len(texts)))
        database.compile(expressions=list(texts), ids=numbers, literal=True, flags=[flags] * len(texts))
        return database

    all_of_them, first_of_each = compiled(hs.HS_FLAG_CASELESS), compiled(hs.HS_FLAG_CASELESS | hs.HS_FLAG_SINGLEMATCH)
    resting, rest = 0, 1

    def find(text: bytes) -> Mapping[int, Places]:
        nonlocal resting, rest
        left = 8 + len(text) // _STORM
        found: dict[int, list[int]] = {}

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            nonlocal left
            left -= 1
            found.setdefault(number, []).append(end - 1)
            return left < 0

        if not resting:
            with contextlib.suppress(hs.ScanTerminated):
                all_of_them.scan(text, match_event_handler=hit)
            if left >= 0:
                rest = 1
                return found
            resting, rest = rest, min(2 * rest, _REST)
        else:
            resting -= 1
        first: dict[int, Places] = {}

        def hit_first(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            first[number] = end - 1

        first_of_each.scan(text, match_event_handler=hit_first)
        return first

    return find


def aho_corasick(texts: Sequence[bytes]) -> Finder:
    """The same, slower."""
    from ahocorasick_rs import BytesAhoCorasick, Implementation

    automaton: Any = BytesAhoCorasick(list(texts), implementation=Implementation.DFA)

    def find(text: bytes) -> Mapping[int, Places]:
        found: dict[int, list[int]] = {}
        for number, start, _end in automaton.find_matches_as_indexes(text.lower(), overlapping=True):
            found.setdefault(number, []).append(start)
        return found

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
        found: dict[str, list[Places]] = {}
        for number, places in self._find(text).items():
            for pattern in self._owners[number]:
                found.setdefault(pattern, []).append(places)
        if not found:  # most blocks
            return self._always
        return [*((pattern, _lines(text, places)) for pattern, places in found.items()), *self._always]


def _lines(text: bytes, found: list[Places]) -> Where:
    """Where the lines begin that have any of the places."""
    several = [places for places in found if not isinstance(places, int)]
    if len(several) < len(found) or sum(map(len, several)) > 2 + len(text) // _APART:
        first = min(places if isinstance(places, int) else min(places) for places in found)
        return text.rfind(b"\n", 0, first) + 1
    return sorted({text.rfind(b"\n", 0, place) + 1 for places in several for place in places})
