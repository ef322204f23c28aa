"""Spools of streams that are over: kept for those who still read them, until they are old, or too much together."""

import contextlib
import os
import time
from collections.abc import Callable

from ...shared import spool
from ...shared.config import KeeperConfig
from ...shared.service import Service, Timer

_META = ("idx", "history", "moves", "done")
_BLOCK = 512  # bytes of st_blocks


class Kept:
    """Of all tmux servers together. `tidy` is told of each server and session whose folder a dropped spool lay in."""

    def __init__(self, service: Service, root: str, config: KeeperConfig, tidy: Callable[[str, str], None]):
        self._service = service
        self._root = root
        self._seconds, self._bytes = config.keep_seconds, config.keep_bytes
        self._tidy = tidy
        self._ended: dict[tuple[str, str], tuple[float, int]] = {}  # server, stream -> until when (monotonic); bytes
        self._used = 0
        self._timer: Timer | None = None

    def load(self) -> None:
        """Go on with what an earlier keeper has kept."""
        marked: list[tuple[float, spool.Spool]] = []
        for found in spool.walk(self._root):
            with contextlib.suppress(FileNotFoundError):
                done = spool.meta(f"{self._root}/{found.server}", found.stream.name, "done")
                marked.append((os.path.getmtime(done), found))
        for when, found in sorted(marked):
            self._add(found.server, found.stream.name, found.path, max(0.0, when + self._seconds - time.time()))

    def add(self, server: str, stream: str) -> None:
        """A stream is over. Others may have to go for it, the oldest first; it stays itself, however large."""
        self._add(server, stream, self._find(server, stream), self._seconds)
        while self._used > self._bytes and len(self._ended) > 1:
            server, stream = next(iter(self._ended))
            until, before = self._ended[server, stream]
            now = self._measure(server, stream, self._find(server, stream))  # its watcher may have given some back since
            if now < before:
                self._ended[server, stream] = until, now
                self._used -= before - now
            else:
                self._drop(server, stream)

    def _find(self, server: str, stream: str) -> str | None:
        return spool.find(self._root, server, stream)

    def _add(self, server: str, stream: str, path: str | None, seconds: float) -> None:
        if (server, stream) not in self._ended:
            size = self._measure(server, stream, path)
            self._ended[server, stream] = time.monotonic() + seconds, size
            self._used += size
            self._arm()

    def _measure(self, server: str, stream: str, path: str | None) -> int:
        """The space that a stream has on the disk: much of it may be a hole."""
        used = 0
        for file in self._files(server, stream, path):
            with contextlib.suppress(FileNotFoundError):
                used += os.stat(file).st_blocks * _BLOCK
        return used

    def _files(self, server: str, stream: str, path: str | None) -> list[str]:
        """The spool first: nobody is to take it for a stream that goes on because its mark is gone."""
        meta = [spool.meta(f"{self._root}/{server}", stream, suffix) for suffix in _META]
        return [path, *meta] if path else meta

    def _arm(self) -> None:
        """One timer for all, which are dropped in the order in which they have ended."""
        if self._timer is None and self._ended:
            until, _size = next(iter(self._ended.values()))
            self._timer = self._service.after(max(0.0, until - time.monotonic()), self._drop_due)

    def _drop_due(self) -> None:
        self._timer = None
        now = time.monotonic()
        for (server, stream), (until, _size) in list(self._ended.items()):
            if until > now:
                break
            self._drop(server, stream)
        self._arm()

    def _drop(self, server: str, stream: str) -> None:
        self._used -= self._ended.pop((server, stream))[1]
        path = self._find(server, stream)
        for file in self._files(server, stream, path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
        session = spool.parse_session(os.path.basename(os.path.dirname(path))) if path else None
        if session:
            self._tidy(server, session)
