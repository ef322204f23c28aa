"""Filters: many patterns looked for in one go over a block of cleaned text, to be confirmed one by one where they say so.

A filter never misses a pattern that matches, and may name one that does not. Three forms of the same: `Plain` asks nothing,
`Literal` looks for the texts that patterns need (ahocorasick_rs), `Compiled` for the patterns themselves (hyperscan).
Source of the choice, with figures: facts/matching.md, 1 and 2.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from .literals import literals

Candidate = tuple[str, int]  # a pattern, and where in the text the first line begins that it may match


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


class Literal:
    """Those of which the text has a literal, and those that have none. Made in milliseconds."""

    def __init__(self, patterns: Iterable[str]):
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
        self._automaton: Any = None
        if owners:
            from ahocorasick_rs import BytesAhoCorasick, Implementation

            self._automaton = BytesAhoCorasick(list(owners), implementation=Implementation.DFA)

    def candidates(self, text: bytes) -> Iterable[Candidate]:
        if self._automaton is None:
            return self._always
        found: dict[str, int] = {}
        for index, start, _end in self._automaton.find_matches_as_indexes(text.lower(), overlapping=True):
            for pattern in self._owners[index]:
                if pattern not in found:
                    found[pattern] = text.rfind(b"\n", 0, start) + 1
        return [*found.items(), *self._always]


class Compiled:
    """A hyperscan database, made by `compiler` in another process; `number` -> pattern."""

    def __init__(self, patterns: list[str], database: bytes):
        import hyperscan

        self.patterns = patterns
        self._found: dict[int, int] = {}
        self._database = hyperscan.loadb(database, hyperscan.HS_MODE_BLOCK)
        self._database.scratch = hyperscan.Scratch(self._database)

    def candidates(self, text: bytes) -> Iterable[Candidate]:
        ends: list[tuple[int, int]] = []

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append((number, end))

        self._database.scan(text, match_event_handler=hit)
        return [(self.patterns[number], text.rfind(b"\n", 0, end) + 1) for number, end in ends]
