"""A file of JSON lines that outlives its writer: appended to, and begun anew in turns when much of it is of no use."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...shared.service import Service

_TURN = 0.005  # seconds of writing, before others have their turn
Entry = dict[str, Any]
Ready = Callable[[Callable[[], None]], None]


class Kept:
    """`take` is given each whole line that is there already, and where it ends; a last one that was written in part is cut
    off: nothing followed from it. `sync`: it has to survive the machine, too."""

    def __init__(self, path: str, take: Callable[[bytes, int], None], sync: bool = False):
        self.path, self._sync = path, sync
        self._file = _open(path)
        self.size = self.lines = 0
        self.begun = 0  # the size when it was begun anew
        self._renewal: _Renewal | None = None
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, self.size)
                    break
                self.size += len(line)
                self.lines += 1
                take(line, self.size)

    def append(self, entries: Iterable[Entry]) -> None:
        """Raises OSError; then nothing was written."""
        lines = [_line(entry) for entry in entries]
        data = b"".join(lines)
        try:
            _write(self._file, data)
            self.settle(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += len(data)
        self.lines += len(lines)

    def settle(self, file: int) -> None:
        """Force what was written to the disk, if that is wanted."""
        if self._sync:
            os.fsync(file)

    @property
    def renewing(self) -> bool:
        return self._renewal is not None

    def renew(self, service: Service, entries: Iterator[Entry], ready: Ready) -> None:
        """Begin anew with these entries, asked for in turns, and what is appended meanwhile. `ready` is given how to put
        the new file in its place. Where there is no space for it, all is as it was."""
        if self._renewal is None:
            self._renewal = _Renewal(self, service, entries, ready)
            self._renewal.turn()

    def renewed(self, file: int | None, lines: int = 0) -> None:
        """The new file is in its place, if there is one."""
        self._renewal = None
        if file is not None:
            os.close(self._file)
            self._file, self.lines = file, lines
            self.size = self.begun = os.fstat(file).st_size


class _Renewal:
    """What is to take the place of a kept file."""

    def __init__(self, kept: Kept, service: Service, entries: Iterator[Entry], ready: Ready):
        self._kept, self._service, self._entries, self._ready = kept, service, entries, ready
        self._since, self._before = kept.size, kept.lines
        self._path = f"{kept.path}.new"
        self._file, self._lines = -1, 0

    def turn(self) -> None:
        self._try(self._write)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError as error:
            print(f"{self._path}: {error}", flush=True)
            if self._file >= 0:
                os.close(self._file)
            self._kept.renewed(None)

    def _write(self) -> None:
        if self._file < 0:
            self._file = _open(self._path, os.O_TRUNC)
        until = time.monotonic() + _TURN
        for entry in self._entries:
            _write(self._file, _line(entry))
            self._lines += 1
            if time.monotonic() > until:
                self._kept.settle(self._file)
                self._service.after(0.0, self.turn)
                return
        self._ready(lambda: self._try(self._place))

    def _place(self) -> None:
        with open(self._kept.path, "rb") as old:
            old.seek(self._since)
            _write(self._file, old.read())
        self._kept.settle(self._file)
        os.rename(self._path, self._kept.path)
        self._kept.renewed(self._file, self._lines + self._kept.lines - self._before)


def _line(entry: Entry) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _write(file: int, data: bytes) -> None:
    if os.write(file, data) < len(data):
        raise OSError("no space")


def _open(path: str, more: int = 0) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | more, 0o600)
