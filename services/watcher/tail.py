"""One spool being followed: which bytes are new, where its publisher has got to, and what can be given back."""

import os
from collections.abc import Iterator

from ...shared import marks, spool

PIECE = 65536  # bytes of a chunk at most
_BUFFER = bytearray(PIECE)  # read into, once for all: a fresh 64 KiB for each small chunk frays the heap
_STEPS = 16  # reclaim in steps of this part of what is kept, not byte by byte


class Tail:
    """A stream that this process publishes; `index` is locked by it, and closed with it. Raises FileNotFoundError."""

    def __init__(self, path: str, index: marks.Index, stream: spool.Stream, keep: int):
        self.stream = stream
        self._keep = keep
        self._index = index
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        mark = self._index.last()
        self.offset = mark.offset
        self.ended = mark.end
        self.spoke = 0.0  # monotonic seconds of its last word
        self.reminders = 0  # how often it was announced since
        self._reclaimed = 0
        self._can_reclaim = True

    def pieces(self, limit: int) -> Iterator[tuple[int, bytes]]:
        """(offset, data) of new output, up to about `limit` bytes. Call `published` after each."""
        done = 0
        while done < limit:
            length = os.preadv(self._fd, [_BUFFER], self.offset)
            if not length:
                return
            data = bytes(memoryview(_BUFFER)[:length])
            yield self.offset, data
            done += len(data)

    def published(self, length: int, time: float) -> None:
        self.offset += length
        self._index.add(marks.Mark(self.offset, time, False))

    def end(self, time: float) -> None:
        self.ended = True
        self._index.add(marks.Mark(self.offset, time, True))

    def reclaim(self, path: str) -> None:
        """Give back what lies behind the part to keep, as soon as it is worth a system call.

        Opening for writing makes an IN_CLOSE_WRITE of its own: who sees one asks `has_writer`.
        """
        behind = self.offset - self._keep
        if behind - self._reclaimed < self._keep // _STEPS or not self._can_reclaim:
            return
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # moved to another session in this moment
            return
        try:
            self._can_reclaim = spool.reclaim(fd, behind)
        finally:
            os.close(fd)
        self._index.reclaim(behind)
        self._reclaimed = behind

    def close(self) -> None:
        self._index.close()
        os.close(self._fd)
