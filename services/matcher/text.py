"""A block's cleaned text, and the matches in it: in the lines where a filter has found something, or in all. Pure."""

from collections.abc import Iterator
from itertools import accumulate

from ...shared import terminal
from . import pattern
from .filters import Where

_FEW = 4  # lines: to count up to each of them costs as much as a table
_STEP = 1024  # bytes


class Text:
    """`cleaned` as it was printed, perhaps not valid UTF-8: that is mended where a pattern looks at it, which is seldom."""

    def __init__(self, cleaned: bytes):
        self.cleaned = cleaned
        self._valid: bytes | None = None
        self._counts: list[int] = []  # of lines before each step, when it is worth it
        self._asked = 0
        self._last = (0, 0)  # a place, and the number of its line

    def search(self, wanted: str, where: Where) -> tuple[list[pattern.Match], int]:
        """The first match in each line that has one, there; and how many bytes were searched."""
        if isinstance(where, int):
            return list(self._through(wanted, where)), len(self.cleaned) - where
        lines = valid(b"\n".join(map(self.line, where)))  # in one search: most have no match, and a call costs as a KB does
        found = pattern.search(wanted, lines)
        return [self._in_place(match, where[match.line]) for match in found], len(lines)

    def _in_place(self, match: pattern.Match, start: int) -> pattern.Match:
        return match._replace(line=self._number(start), start=start)

    def _through(self, wanted: str, where: int) -> Iterator[pattern.Match]:
        if self._valid is None:
            self._valid = valid(self.cleaned)
        if self._valid is self.cleaned:
            yield from pattern.search(wanted, self.cleaned, where)
            return
        starts = terminal.line_starts(self.cleaned)
        for match in pattern.search(wanted, self._valid):
            start = starts[match.line]
            if start >= where:
                yield match._replace(start=start)

    def line(self, start: int) -> bytes:
        """The line that begins there."""
        end = self.cleaned.find(b"\n", start)
        return self.cleaned[start:] if end < 0 else self.cleaned[start:end]

    def _number(self, start: int) -> int:
        """Of the line that begins there."""
        self._asked += 1
        if self._asked > _FEW:
            if not self._counts:
                steps = range(0, len(self.cleaned), _STEP)
                self._counts = [0, *accumulate(self.cleaned.count(b"\n", at, at + _STEP) for at in steps)]
            step = start // _STEP
            return self._counts[step] + self.cleaned.count(b"\n", step * _STEP, start)
        place, number = self._last
        if start < place:
            number -= self.cleaned.count(b"\n", start, place)
        else:
            number += self.cleaned.count(b"\n", place, start)
        self._last = start, number
        return number


def valid(text: bytes) -> bytes:
    """UTF-8, whatever was printed: patterns see what events show."""
    if text.isascii():
        return text
    try:
        text.decode()  # quicker than any other way to ask
    except UnicodeDecodeError:
        return text.decode(errors="replace").encode()
    return text
