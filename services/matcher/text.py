"""A block's cleaned text, and the matches in it: in the lines where a filter has found something, or in all. Pure."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from ...shared import terminal
from . import pattern
from .filters import Where

_FEW = 4  # lines: to count them one by one costs as much as a table of all


class Searched(NamedTuple):
    """`size`: bytes that were searched, one after the other in so many `searches`."""

    matches: list[pattern.Match]
    size: int
    searches: int


class Text:
    """`cleaned` as it was printed, perhaps not valid UTF-8: that is mended where a pattern looks at it, which is seldom."""

    def __init__(self, cleaned: bytes):
        self.cleaned = cleaned
        self._valid: bytes | None = None
        self._starts: list[int] = []  # of all lines, when it is worth it
        self._counted = 0
        self._last = (0, 0)  # a place, and the number of its line

    def search(self, wanted: str, where: Where) -> Searched:
        """The first match in each line that has one, there."""
        if isinstance(where, int):
            return Searched(list(self._through(wanted, where)), len(self.cleaned) - where, 1)
        lines = [self.line(start) for start in where]
        places = zip(map(valid, lines), where, strict=True)
        return Searched(pattern.search_lines(wanted, places, self._number), sum(map(len, lines)), len(lines))

    def _through(self, wanted: str, where: int) -> Iterator[pattern.Match]:
        if self._valid is None:
            self._valid = valid(self.cleaned)
        if self._valid is self.cleaned:
            yield from pattern.search(wanted, self.cleaned, where)
            return
        for match in pattern.search(wanted, self._valid):
            start = self._all()[match.line]
            if start >= where:
                yield match._replace(start=start)

    def line(self, start: int) -> bytes:
        """The line that begins there."""
        end = self.cleaned.find(b"\n", start)
        return self.cleaned[start:] if end < 0 else self.cleaned[start:end]

    def _number(self, start: int) -> int:
        """Of the line that begins there."""
        self._counted += 1
        if self._counted > _FEW:
            return bisect_right(self._all(), start) - 1
        place, number = self._last
        if start < place:
            number -= self.cleaned.count(b"\n", start, place)
        else:
            number += self.cleaned.count(b"\n", place, start)
        self._last = start, number
        return number

    def _all(self) -> list[int]:
        if not self._starts:
            self._starts = terminal.line_starts(self.cleaned)
        return self._starts


def valid(text: bytes) -> bytes:
    """UTF-8, whatever was printed: patterns see what events show."""
    if text.isascii():
        return text
    try:
        text.decode()  # quicker than any other way to ask
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text
