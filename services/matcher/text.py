"""A block's cleaned text, and the matches in it: in the lines where a filter has found something, or in all. Pure."""

from bisect import bisect_right
from collections.abc import Iterator

from . import pattern
from .filters import Where

_FEW = 4  # lines: to count them one by one costs as much as a table of all


class Text:
    """`cleaned` as it was printed, perhaps not valid UTF-8: that is mended where a pattern looks at it, which is seldom."""

    def __init__(self, cleaned: bytes):
        self.cleaned = cleaned
        self._valid: bytes | None = None
        self._starts: list[int] = []  # of all lines, when it is worth it
        self._counted = 0
        self._last = (0, 0)  # a place, and the number of its line

    def extent(self, where: Where) -> tuple[int, int]:
        """How much of it there is to search, and in how many lines one by one."""
        if isinstance(where, int):
            return len(self.cleaned) - where, 0
        return sum(len(self.line(start)) for start in where), len(where)

    def search(self, wanted: str, where: Where) -> Iterator[pattern.Match]:
        """The first match in each line that has one, there."""
        if not isinstance(where, int):
            for start in where:
                found = pattern.search_line(wanted, valid(self.line(start)), start, self._number)
                if found:
                    yield found
            return
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
            starts = [0]
            for line in self.cleaned.split(b"\n"):
                starts.append(starts[-1] + len(line) + 1)
            self._starts = starts[:-1]
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
