"""The lines of one stream around some places. They are asked for in their order, and each is read and taken apart once,
however many places it is near to: in a storm every line is in the contexts of many. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from ...shared import spool, terminal
from . import visible
from .facts import TEXT_MAX
from .lines import Block, Lines

REACH = 1 << 16  # bytes that are looked through for one place
_LINE = 256  # bytes: most lines are shorter
_STEP = 1 << 13  # bytes that are read at least

Read = Callable[[int, int], spool.Range]  # `spool.read` of a path
Sight = Callable[[int], visible.State]  # what is to be seen at the beginning of a line


class Around:
    """A window that grows as far as it is needed, each time to twice its size, and never beyond `stop`."""

    def __init__(self, read: Read, sight: Sight, stop: int):
        self._read, self._sight, self._stop = read, sight, stop
        self._begin(0, torn=False)

    def before(self, offset: int, wanted: int) -> list[str]:
        """The last lines before the one that begins at `offset`. Raises FileNotFoundError."""
        lines: list[str] = []
        for reach in _reaches(wanted):
            start = max(0, offset - reach)
            if not self._first <= start <= self._lines.end:
                self._begin(start, torn=start > 0)
            self._go_on(offset)
            behind = bisect_left(self._starts, offset)
            least = bisect_left(self._starts, offset - REACH)
            lines = self._texts[max(least, behind - wanted) : behind]
            if len(lines) >= wanted or start == 0:
                break
        return lines

    def after(self, offset: int, end: int, wanted: int) -> list[str]:
        """The first lines behind the one from `offset` to `end`. Raises FileNotFoundError."""
        if not self._first <= offset <= self._lines.end:
            self._begin(offset, torn=False)
        for reach in _reaches(wanted):
            self._go_on(end + reach)
            first, behind = bisect_left(self._starts, end), bisect_left(self._starts, end + REACH)
            if behind - first >= wanted:
                break
        return self._texts[first : min(behind, first + wanted)]

    def _begin(self, offset: int, torn: bool) -> None:
        """Look from `offset` on. `torn`: that is somewhere in a line, which is left out."""
        self._first = offset
        self._lines = Lines(offset)
        if torn:
            self._lines.tear(offset)
        self._state: visible.State | None = None
        self._blank = None if torn else offset  # where a line begins, as long as nothing is in it
        self._starts: list[int] = []
        self._texts: list[str] = []

    def _go_on(self, end: int) -> None:
        """Have all lines that begin before `end`."""
        while self._lines.offset < end and (at := self._lines.end) < self._stop:
            found = self._read(at, min(max(_STEP, end - at, at - self._first), self._stop - at))
            if found.offset > at:  # what was before is not kept any more
                self._begin(at, torn=True)
                self._lines.tear(found.offset)
            data = found.data[: max(0, self._stop - found.offset)]
            for block in self._lines.feed(data):
                self._take(block)
            if not data:
                self._stop = self._lines.end
        if self._lines.end >= self._stop and (last := self._lines.flush()):
            self._take(last)

    def _take(self, block: Block) -> None:
        """Note where its lines begin, and what they show."""
        state = self._sight(block.offset) if self._state is None else self._state
        shown, _with_echo, self._state = visible.parts(block.raw, state)
        starts, texts = terminal.line_starts(block.raw), terminal.clean(shown).split(b"\n")
        for start, end, text in zip(starts, starts[1:], texts, strict=False):
            printed = block.raw[start:end]
            if text:  # else all of it was a prompt, or typed, or between a CR and its LF
                self._note(block.offset + start, text.decode(errors="replace")[:TEXT_MAX])
            if len(printed) > 1:
                self._blank = None
            if printed.endswith(b"\n"):
                if self._blank is not None:
                    self._note(self._blank, "")
                self._blank = block.offset + end

    def _note(self, start: int, text: str) -> None:
        self._starts.append(start)
        self._texts.append(text)


def _reaches(lines: int) -> Iterator[int]:
    """How many bytes are looked through for so many lines: few at first, as most lines are short."""
    reach = _LINE * (lines + 1)
    while reach < REACH:
        yield reach
        reach *= 4
    yield REACH
