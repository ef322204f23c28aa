"""A pane's chunks as blocks of whole lines with their offsets, whatever the boundaries of the chunks. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ...shared import terminal

# Bytes. A longer line is cut at its start plus a multiple of this, wherever its chunks end: the offsets of lines are
# identities of events. Each piece is evaluated as a line of its own.
LINE_MAX = 65536
_BREAK = re.compile(rb"[\r\n]")


class Block(NamedTuple):
    """Whole lines (`raw`) that begin at byte `offset` of the stream. `partial`: an unfinished line; `truncated`: a piece
    of a line that is too long."""

    offset: int
    raw: bytes
    partial: bool = False
    truncated: bool = False


class Lines:
    """The unfinished line at the end of a stream."""

    def __init__(self, offset: int):
        self.offset = offset  # of the unfinished line
        self.tail = b""
        self.whole_from = offset
        self.torn = False  # what comes begins in the middle of a line

    @property
    def end(self) -> int:
        """The offset of the byte that is to come next."""
        return self.offset + len(self.tail)

    def feed(self, data: bytes) -> list[Block]:
        """The blocks of lines that `data` completes."""
        if self.torn:
            data = self._mend(data)
        data = self.tail + data
        length = terminal.cut(data)
        blocks = list(_split(self.offset, data[:length])) if length else []
        self.offset, self.tail = self.offset + length, data[length:]
        while len(self.tail.removesuffix(b"\r")) > LINE_MAX:
            blocks.append(Block(self.offset, self.tail[:LINE_MAX], truncated=True))
            self.offset, self.tail = self.offset + LINE_MAX, self.tail[LINE_MAX:]
        return blocks

    def unfinished(self) -> Block | None:
        """The unfinished line as it stands, kept for its completion."""
        return Block(self.offset, self.tail, partial=True) if self.tail else None

    def flush(self) -> Block | None:
        """The unfinished line as the last line of its stream."""
        block = Block(self.offset, self.tail) if self.tail else None
        self.skip(self.end)
        return block

    def skip(self, offset: int) -> None:
        """Go on at `offset`, which begins a line: what was between is not wanted."""
        self.offset, self.tail, self.torn = offset, b"", False

    def tear(self, offset: int) -> None:
        """Go on at `offset`, somewhere in a line, of which the beginning is not to be had: that line is left out."""
        self.skip(offset)
        self.torn = True

    def _mend(self, data: bytes) -> bytes:
        """Leave the torn line out; not `torn` any more, and `whole_from` its end, when that has come."""
        found = _BREAK.search(data)
        dropped = found.end() if found else len(data)
        self.skip(self.offset + dropped)
        self.torn = found is None
        self.whole_from = self.offset
        return data[dropped:]


def _split(offset: int, raw: bytes) -> Iterator[Block]:
    """Whole lines as one block, or with the pieces of lines that are too long as blocks of their own."""
    begin = at = 0
    while len(raw) - at > LINE_MAX:  # from line end to line end, as far as one line may reach: few steps
        window = at + LINE_MAX + 1
        end = max(raw.rfind(b"\n", at, window), raw.rfind(b"\r", at, window))
        if end >= 0:
            at = end + 1
            continue
        if at > begin:
            yield Block(offset + begin, raw[begin:at])
        yield Block(offset + at, raw[at : at + LINE_MAX], truncated=True)
        begin = at = at + LINE_MAX
    if begin < len(raw):
        yield Block(offset + begin, raw[begin:])
