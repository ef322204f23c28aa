"""The index beside a spool: when each chunk was published, and how far a stream's publisher has come."""

import contextlib
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from . import spool


class Mark(NamedTuple):
    """An entry of the index: the chunk that ended before `offset` was published at `time`; `end`: the stream ended."""

    offset: int
    time: float
    end: bool


_MARK = struct.Struct("<QdQ")


def read(path: str) -> Iterator[Mark]:
    """The marks of an index that are kept, oldest first; none if it is gone."""
    try:
        with open(path, "rb") as file:
            at = spool.first_offset(file.fileno(), spool.size(path)) // _MARK.size * _MARK.size
            file.seek(at)
            data = file.read()
    except FileNotFoundError:
        return
    for offset, time, end in _MARK.iter_unpack(data[: len(data) // _MARK.size * _MARK.size]):
        if offset and time:  # a reclaimed mark reads as zeros, all or the first part of it
            yield Mark(offset, time, bool(end))


def newest(path: str, count: int) -> list[Mark]:
    """The last so many marks of an index, oldest first."""
    try:
        with open(path, "rb", buffering=0) as file:
            whole = os.fstat(file.fileno()).st_size // _MARK.size
            data = os.pread(file.fileno(), count * _MARK.size, max(0, whole - count) * _MARK.size)
    except FileNotFoundError:
        return []
    return [
        Mark(offset, time, bool(end))
        for offset, time, end in _MARK.iter_unpack(data[: len(data) // _MARK.size * _MARK.size])
    ]


class Index:
    """The index of a stream. Its file is also the lock of the stream's publisher, and its last mark the place to go on
    from: nothing is missed by a publisher that starts anew, and at most one chunk is published twice."""

    _STEP = 0.1  # seconds between two marks: closer ones are one, so that a slow stream has no index larger than itself

    def __init__(self, path: str):
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self.fd).st_size
        self._begun = 0.0  # when the newest mark was made; it moves on for a while

    def last(self) -> Mark:
        """The newest mark; (0, 0, False) if there is none."""
        self._size = os.fstat(self.fd).st_size
        whole = self._size - self._size % _MARK.size
        if whole != self._size:  # torn by a sudden death
            os.ftruncate(self.fd, whole)
            self._size = whole
        return self._at(whole // _MARK.size - 1) if whole else Mark(0, 0.0, False)

    def _at(self, index: int) -> Mark:
        offset, time, end = _MARK.unpack(os.pread(self.fd, _MARK.size, index * _MARK.size))
        return Mark(offset, time, bool(end))

    def add(self, mark: Mark) -> None:
        at = self._size
        if at and 0 <= mark.time - self._begun < self._STEP and not mark.end:
            at -= _MARK.size
        else:
            self._begun = mark.time
        try:
            os.pwrite(self.fd, _MARK.pack(mark.offset, mark.time, int(mark.end)), at)
        except OSError:  # a full disk: without the mark at most some chunks are published once more after a death
            return
        self._size = at + _MARK.size

    def reclaim(self, offset: int) -> None:
        """Give back the marks of chunks that ended at or before `offset`."""
        low, high = 0, self._size // _MARK.size
        while low < high:
            middle = (low + high) // 2
            here = self._at(middle)
            if here.time == 0.0 or here.offset <= offset:  # a reclaimed mark reads as zeros
                low = middle + 1
            else:
                high = middle
        with contextlib.suppress(OSError):
            spool.reclaim(self.fd, low * _MARK.size)

    def close(self) -> None:
        os.close(self.fd)
