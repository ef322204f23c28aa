"""The watcher's loop: poll(inotify, requests); it never waits on a subscriber, and never asks tmux."""

import os
import time
from typing import Any

from ...shared import inotify, lock, marks, spool
from ...shared.codec import FRAME_MAX
from ...shared.config import Config
from ...shared.errors import NoTarget
from ...shared.messages import Read
from ...shared.paths import Paths
from ...shared.service import Service
from .publisher import Publisher
from .tail import Tail

_TURN = 1 << 20  # bytes of one pane before another pane has its turn
_MASK = (
    inotify.CREATE | inotify.MOVED_TO | inotify.MOVED_FROM | inotify.MODIFY | inotify.CLOSE_WRITE
    | inotify.DELETE | inotify.DELETE_SELF
)  # fmt: skip


class Watcher(Service):
    """Publishes the output of one session's panes. Its folder says which panes these are."""

    def __init__(self, paths: Paths, config: Config, server: str, session: str):
        super().__init__(f"watcher-{server}-{session[1:]}", paths)
        self._server, self._session = server, session
        self._directory = f"{paths.spool}/{server}"
        self._folder = f"{self._directory}/{spool.session_folder(session)}"
        self._keep = config.watcher.keep_bytes
        self._tails: dict[str, Tail] = {}
        self._waiting: dict[int, tuple[spool.Stream, marks.Index]] = {}  # by watch descriptor of the index
        self._busy: set[str] = set()
        self._publisher = Publisher(self, paths.publishers, server, session, self._tails, self._drop)
        self.server.handle(Read, self._read)
        os.makedirs(f"{self._directory}/meta", mode=0o700, exist_ok=True)
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._inotify = inotify.Inotify()
        self._wd = self._inotify.watch(self._folder, _MASK)
        self.register(self._inotify, self._look)
        self._scan()

    def status(self) -> dict[str, Any]:
        live = [tail for tail in self._tails.values() if not tail.ended]
        return {
            **super().status(),
            "server": self._server,
            "session": self._session,
            "streams": len(live),
            "bytes": sum(tail.offset for tail in live),
        }

    # ---- what happens in the folder --------------------------------------------------------------------------------

    def _scan(self) -> None:
        """Follow every spool in the folder: at the start, and when events were lost."""
        names = os.listdir(self._folder)
        waiting = {stream.name for stream, _index in self._waiting.values()}
        for stream in waiting | {name for name in self._tails if name + spool.RAW not in names}:
            self._drop(stream)
        for name in names:
            self._touched(name)
            self._closed(name)

    def _look(self) -> None:
        touched: dict[str, int] = {}
        for event in self._inotify.read():
            if event.mask & inotify.Q_OVERFLOW:
                self._scan()
            elif event.wd in self._waiting:
                self._retry(event.wd)
            elif event.wd == self._wd:
                if event.mask & inotify.DELETE_SELF:
                    self.stop()  # the session is gone for good
                elif event.mask & (inotify.MOVED_FROM | inotify.DELETE):
                    touched.pop(event.name, None)
                    self._left(event.name.removesuffix(spool.RAW), event.mask)
                else:
                    touched[event.name] = touched.get(event.name, 0) | event.mask
        for name, mask in touched.items():
            self._touched(name)
            if mask & inotify.CLOSE_WRITE:
                self._closed(name)

    def _left(self, stream: str, mask: int) -> None:
        """A spool is no longer in the folder. One that was deleted has no other watcher to publish the rest of it."""
        tail = self._tails.get(stream)
        before = -1
        while tail and not tail.ended and mask & inotify.DELETE and tail.offset > before:
            before = tail.offset
            self._publish(tail)
        self._drop(stream)

    def _touched(self, name: str) -> None:
        stream = spool.parse_stream(name)
        if stream is None or not name.endswith(spool.RAW):
            return
        tail = self._tails.get(stream.name) or self._open(stream)
        if tail and not tail.ended:
            self._publish(tail)

    def _open(self, stream: spool.Stream) -> Tail | None:
        if any(waiting.name == stream.name for waiting, _index in self._waiting.values()):
            return None
        path = spool.meta(self._directory, stream.name, "idx")
        index = marks.Index(path)
        # Watched before it is tried, so that its release cannot fall in between.
        wd = self._inotify.watch(path, inotify.CLOSE_WRITE)
        if not lock.try_lock(index.fd):
            # The pane has come from another session, whose watcher has not let go yet. Its closing of the index wakes us.
            self._waiting[wd] = (stream, index)
            return None
        self._inotify.unwatch(wd)
        try:
            tail = Tail(self._path(stream.name), index, stream, self._keep)
        except FileNotFoundError:  # moved on already
            index.close()
            return None
        self._tails[stream.name] = tail
        if tail.ended:
            self._drop(stream.name)
            return None
        return tail

    def _retry(self, wd: int) -> None:
        stream, index = self._waiting.pop(wd)
        self._inotify.unwatch(wd)
        index.close()
        self._touched(stream.name + spool.RAW)
        self._closed(stream.name + spool.RAW)

    def _path(self, stream: str) -> str:
        return f"{self._folder}/{stream}{spool.RAW}"

    def _closed(self, name: str) -> None:
        """The end of a stream, if its writer has really gone and all of it is published."""
        tail = self._tails.get(name.removesuffix(spool.RAW))
        if tail is None or tail.ended or tail.stream.name in self._busy:
            return
        try:
            if spool.has_writer(self._path(tail.stream.name)):
                return
        except FileNotFoundError:
            return
        self._publish(tail)
        if tail.stream.name not in self._busy:
            tail.end(time.time())
            self._publisher.announce(tail)
            self._publisher.remind(tail)

    def _drop(self, stream: str) -> None:
        for wd, (waiting, index) in list(self._waiting.items()):
            if waiting.name == stream:
                del self._waiting[wd]
                self._inotify.unwatch(wd)
                index.close()
        tail = self._tails.pop(stream, None)
        if tail:
            tail.close()
        self._publisher.forget(stream)

    # ---- what is said of it ----------------------------------------------------------------------------------------

    def _publish(self, tail: Tail) -> None:
        start = tail.offset
        for offset, data in tail.pieces(_TURN):
            now = time.time()
            self._publisher.say(tail, offset, now, data)
            tail.published(len(data), now)
        if tail.offset == start:
            return
        tail.reclaim(self._path(tail.stream.name))
        self._publisher.remind(tail)
        if tail.offset - start >= _TURN and tail.stream.name not in self._busy:
            self._busy.add(tail.stream.name)
            self.after(0, lambda: self._go_on(tail))

    def _go_on(self, tail: Tail) -> None:
        self._busy.discard(tail.stream.name)
        if self._tails.get(tail.stream.name) is tail and not tail.ended:
            self._publish(tail)
            self._closed(tail.stream.name + spool.RAW)

    def _read(self, request: Read, _reply: Any) -> dict[str, Any]:
        try:
            found = spool.read(self._path(request.stream), request.offset, min(request.limit, FRAME_MAX // 2))
        except FileNotFoundError as error:
            raise NoTarget(f"stream {request.stream!r} is not in session {self._session}") from error
        tail = self._tails.get(request.stream)
        return {**found._asdict(), "closed": tail is None or tail.ended}
