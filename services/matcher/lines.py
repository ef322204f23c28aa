"""A pane's chunks as blocks of whole lines with their offsets, whatever the boundaries of the chunks. Pure."""

from typing import NamedTuple

from ...shared import terminal

TAIL_MAX = 65536  # bytes; a longer line is cut here, and what is cut is evaluated as a line of its own


class Block(NamedTuple):
    """Whole lines (`raw`) that begin at byte `offset` of the stream. `partial`: an unfinished line; `truncated`: the last
    line was cut because it is too long."""

    offset: int
    raw: bytes
    partial: bool = False
    truncated: bool = False


class Lines:
    """The unfinished line at the end of a stream."""

    def __init__(self, offset: int):
        self.offset = offset  # of the unfinished line
        self.tail = b""

    @property
    def end(self) -> int:
        """The offset of the byte that is to come next."""
        return self.offset + len(self.tail)

    def feed(self, data: bytes) -> Block | None:
        """The block of lines that `data` completes."""
        data = self.tail + data
        length = terminal.cut(data)
        truncated = False
        if len(data) - length > TAIL_MAX:
            length, truncated = len(data), True
        block = Block(self.offset, data[:length], truncated=truncated) if length else None
        self.offset += length
        self.tail = data[length:]
        return block

    def unfinished(self) -> Block | None:
        """The unfinished line as it stands, kept for its completion."""
        return Block(self.offset, self.tail, partial=True) if self.tail else None

    def flush(self) -> Block | None:
        """The unfinished line as the last line of its stream."""
        block = Block(self.offset, self.tail) if self.tail else None
        self.skip(self.end)
        return block

    def skip(self, offset: int) -> None:
        """Go on at `offset`: what was between is not to be had."""
        self.offset, self.tail = offset, b""
