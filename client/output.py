"""Following output: one offset for each stream; a hole is read from the spool. No socket in here: chunks in, chunks out."""

import time
from collections.abc import Iterator

from ..shared import spool
from ..shared.messages import Chunk
from .gap import Gap

_PIECE = 1 << 18


class OutputFollower:
    """Takes chunks from the bus, gives every byte of every stream once and in order.

    `live`: what was given last was given as it came, and not from the spool.
    """

    def __init__(self, root: str):
        self._root = root  # <runtime>/spool
        self.offsets: dict[str, int] = {}  # "<server>/<stream>" -> the next byte to give
        self.live = False

    def start(self, server: str, stream: str, offset: int) -> None:
        """Give this stream from `offset` on. A stream that was not named is given from its first byte."""
        self.offsets[f"{server}/{stream}"] = offset

    def take(self, chunk: Chunk) -> Iterator[Chunk | Gap]:
        """A chunk from the bus; an empty one only says where its stream is."""
        key = f"{chunk.server}/{chunk.stream}"
        if chunk.offset > self.offsets.setdefault(key, 0):
            yield from self.fill(chunk, chunk.offset)
        overlap = self.offsets[key] - chunk.offset
        if 0 <= overlap < len(chunk.data):
            self.offsets[key], self.live = chunk.offset + len(chunk.data), True
            yield chunk._replace(offset=chunk.offset + overlap, data=chunk.data[overlap:], end=False)

    def fill(self, like: Chunk, end: int) -> Iterator[Chunk | Gap]:
        """The bytes of a stream up to `end` that did not come, from its spool."""
        key = f"{like.server}/{like.stream}"
        at = self.offsets.setdefault(key, 0)
        while at < end:
            path = spool.find(self._root, like.server, like.stream)
            found = None
            if path:
                try:
                    found = spool.read(path, at, min(_PIECE, end - at))
                except FileNotFoundError:  # moved to another session in this moment
                    continue
            self.live = False
            if found is None or not found.data or found.offset > at:
                # Reclaimed in this moment, a range is empty and begins at the first byte that is kept.
                start, at = at, min(end, found.offset) if found and found.offset > at else end
                self.offsets[key] = at
                yield Gap(start, at, "no longer in the spool", like.stream)
                continue
            at = self.offsets[key] = found.offset + len(found.data)
            yield like._replace(offset=found.offset, data=found.data, time=time.time(), end=False)
