"""File events of Linux, as a descriptor to poll.

Our own 60 lines: `inotify_simple` costs each watcher 1.7 MB private (it imports tempfile and subprocess through
`ctypes.util`) and a fork of ldconfig at its start; measured, see docs/architecture.md. Format: inotify(7).
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

MODIFY = 0x2
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
Q_OVERFLOW = 0x4000
IGNORED = 0x8000

_HEADER = struct.Struct("iIII")
_NAME_MOST = 256  # bytes
_READS_MOST = 64  # what the kernel keeps at most (fs.inotify.max_queued_events: 16384) fits in these
_libc = ctypes.CDLL(None, use_errno=True)


class FileEvent(NamedTuple):
    """Something happened to `name` in the watched directory `wd` (a watch descriptor; -1 at an overflow)."""

    wd: int
    mask: int
    name: str


class Inotify:
    """An inotify instance; poll `fd`, then `read()`."""

    def __init__(self) -> None:
        self._buffer = bytearray(16384)  # some 340 events
        self.fd: int = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise _os_error("fs.inotify.max_user_instances")

    def fileno(self) -> int:
        return self.fd

    def watch(self, path: str, mask: int) -> int:
        """The watch descriptor of `path`. Raises OSError."""
        wd: int = _libc.inotify_add_watch(self.fd, os.fsencode(path), mask)
        if wd < 0:
            raise _os_error(path)
        return wd

    def unwatch(self, wd: int) -> None:
        _libc.inotify_rm_watch(self.fd, wd)  # EINVAL: the kernel dropped it together with its directory

    def read(self) -> list[FileEvent]:
        """All that has happened; an empty list if nothing has."""
        events: list[FileEvent] = []
        for _ in range(_READS_MOST):
            try:
                size = os.readv(self.fd, [self._buffer])
            except BlockingIOError:
                break
            events += self._events(size)
            if size < len(self._buffer) - _HEADER.size - _NAME_MOST:  # another one would have fitted
                break
        return events

    def _events(self, size: int) -> Iterator[FileEvent]:
        at = 0
        while at < size:
            wd, mask, _cookie, length = _HEADER.unpack_from(self._buffer, at)
            at += _HEADER.size
            yield FileEvent(wd, mask, os.fsdecode(bytes(self._buffer[at : at + length]).rstrip(b"\0")))
            at += length

    def close(self) -> None:
        os.close(self.fd)


def _os_error(subject: str) -> OSError:
    number = ctypes.get_errno()
    limits = "; raise the sysctls fs.inotify.max_user_instances and max_user_watches" if number in (24, 28) else ""
    return OSError(number, f"inotify: {os.strerror(number)}{limits}", subject)
