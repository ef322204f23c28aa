"""The spools as they grow: each stream read on from where it is, cut into blocks of lines, in turns."""

import functools
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from ...shared import inotify, spool
from ...shared.folders import Folders, Touched
from ...shared.messages import Finish
from ...shared.outbox import Outbox
from ...shared.service import Service, Timer
from . import commands, visible
from .lines import Block
from .stream import StreamState
from .times import Times

_MASK = inotify.CREATE | inotify.MOVED_TO | inotify.MODIFY | inotify.CLOSE_WRITE | inotify.DELETE
_TURN = 1 << 20  # bytes of one stream before another has its turn
_PIECE = 1 << 16
_FULL = 5000  # drafts on their way: nothing more is read until the logger has caught up
Done = Callable[[], None]


class Note(NamedTuple):
    """How far a matcher was in a stream."""

    offset: int
    commands_end: int
    commands: dict[str, Any]


class Owner(Protocol):
    """What the reader needs of the matcher."""

    outbox: Outbox

    def wants(self, state: StreamState) -> bool: ...

    @property
    def held(self) -> bool: ...

    @property
    def remembers(self) -> bool: ...

    def grew(self, state: StreamState, at: float) -> None: ...

    def missed(self, state: StreamState, start: int, end: int) -> None: ...

    def evaluate(self, state: StreamState, block: Block, times: Times) -> None: ...

    def marked(self, state: StreamState, found: list[commands.Fact]) -> None: ...


class Reader:
    """Follows the spools; each block of lines goes to the owner, and unfinished lines of quiet panes."""

    def __init__(self, service: Service, owner: Owner, root: str, quiet: float):
        self._service, self._owner, self._root, self._quiet = service, owner, root, quiet
        self.streams: dict[str, StreamState] = {}
        self._folders = Folders(root, _MASK, every=True)
        self._pending: dict[str, Touched] = {}  # streams with something new
        self._finished: set[str] = set()  # streams that are over, while their spools are kept
        self._quiet_timers: dict[str, Timer] = {}
        self._working = False
        self._held = False  # the logger has to catch up
        self._ends: dict[str, list[tuple[bool, Done]]] = {}  # streams to be finished: over?, and whom to tell
        service.register(self._folders, self.look)

    @property
    def behind(self) -> bool:
        """Whether there is output that is not read yet."""
        return bool(self._pending)

    def add(self, found: spool.Spool, offset: int, fired: Iterable[str] = ()) -> StreamState:
        """Begin with a stream at `offset`, where these subscriptions have fired already."""
        state = StreamState(found.server, found.session, found.stream.pane, found.stream.name, offset, fired)
        self.streams[f"{found.server}/{found.stream.name}"] = state
        return state

    def resume(self, found: spool.Spool, offset: int, fired: Iterable[str], noted: Note | None) -> None:
        """Go on with a stream where an earlier matcher was, by what it has noted."""
        state = self.add(found, offset, fired)
        state.commands_end = noted.commands_end if noted else 0
        state.commands = commands.Commands(noted.commands if noted else None)
        self.pass_by(state, found.path, offset)
        self._pending[f"{found.server}/{found.stream.name}"] = Touched(*found, mask=0)
        self._soon()

    def begin(self, found: spool.Spool) -> None:
        """Look at a stream that nobody wanted until now, from the beginning of its last line on."""
        key = f"{found.server}/{found.stream.name}"
        offset = spool.line_start(found.path, spool.size(found.path))
        state = self.streams.get(key) or self.add(found, offset)
        state.lines.skip(offset)
        state.visible = None
        self._pending[key] = Touched(*found, mask=0)
        self._soon()

    def catch_up(self) -> None:
        """Read everything that is there now, unless the logger has to catch up first: see `behind`."""
        self.look()
        while self._pending and not self._held:
            self._work()

    def look(self) -> None:
        """Take what has happened, then read what is new."""
        for touched in self._folders.read():
            key = f"{touched.server}/{touched.stream.name}"
            if touched.mask == inotify.DELETE:
                self._finished.discard(key)
                self._pending.pop(key, None)
                self.streams.pop(key, None)
                self._complete(key)
            elif key not in self._finished:
                self._pending[key] = touched
        self._work()

    def _work(self) -> None:
        """Read on where something is new, each pane in its turn, unless the logger has to catch up first."""
        for key, touched in list(self._pending.items()):
            if self._is_full():
                return
            if self._advance(key, touched):
                self._pending.pop(key, None)
                self._complete(key)
        if self._pending:
            self._soon()

    def _soon(self) -> None:
        if not self._working:
            self._working = True
            self._service.after(0.0, self._go_on)

    def _go_on(self) -> None:
        self._working = False
        self._work()

    def _is_full(self) -> bool:
        """Whether nothing may be read now; it goes on by itself."""
        if not self._held and len(self._owner.outbox) > _FULL:
            self._held = True
            self._owner.outbox.put([], self._release)
        return self._held or self._owner.held

    def _release(self) -> None:
        self._held = False
        self._work()

    def _advance(self, key: str, touched: Touched) -> bool:
        """Read one turn of a stream; whether that was all."""
        state = self.streams.get(key)
        if state is None:
            state = StreamState(touched.server, touched.session, touched.stream.pane, touched.stream.name, 0)
            self.streams[key] = state
        state.session = touched.session
        end = spool.size(touched.path)
        if not self._owner.wants(state):
            self.pass_by(state, touched.path, end)
            state.lines.skip(max(state.lines.end, end))
            state.visible = None
            return True
        self.read(state, touched.path, min(end, state.lines.end + _TURN))
        return state.lines.end >= end

    def read(self, state: StreamState, path: str, end: int) -> None:
        """Read a stream up to `end`, or until the logger has to catch up. What is no longer in its spool is a gap."""
        while state.lines.end < end and not self._is_full():
            try:
                found = spool.read(path, state.lines.end, min(_PIECE, end - state.lines.end))
                times = self._times(state, path)
                if found.offset > state.lines.end:
                    state.skipped += found.offset - state.lines.end
                    state.missing = state.lines.offset if state.missing is None else state.missing
                    state.lines.tear(found.offset)
                    state.commands = commands.Commands()
                    state.visible = None
                begin = state.lines.offset
                blocks = state.lines.feed(found.data)
                if state.visible is None and not state.lines.torn:
                    begin = max(begin, state.lines.whole_from)
                    first = visible.FIRST if self._begins_in_a_line(state) else visible.State()
                    state.visible = visible.at(functools.partial(spool.read, path), begin, first)
            except FileNotFoundError:
                return
            if not found.data:
                return
            if state.missing is not None and not state.lines.torn:  # the line that the range ends in is missing, too
                self._tell_missing(state, state.lines.whole_from)
            self._mark(state, found, times.latest)
            self._owner.grew(state, times.latest)
            for block in blocks:
                self._owner.evaluate(state, block, times)
            if state.lines.tail:
                self._watch_quiet(state)

    def _begins_in_a_line(self, state: StreamState) -> bool:
        """Whether the pane was there before its stream, and in the middle of a line then: at its prompt, most likely."""
        try:
            with open(spool.meta(f"{self._root}/{state.server}", state.name, "history"), "rb") as file:
                return file.read()[-1:] not in (b"", b"\n")
        except FileNotFoundError:
            return False

    def _times(self, state: StreamState, path: str) -> Times:
        """When what is not read yet was printed: by the spool's own time, and by the watcher's marks if we are late."""
        latest = min(time.time(), os.stat(path).st_mtime)
        if not self._owner.remembers:  # the time of a plain event may be a little late
            return Times(latest)
        index = spool.meta(f"{self._root}/{state.server}", state.name, "idx")
        newest = spool.newest_marks(index, 2)
        late = len(newest) == 2 and newest[0].offset > state.lines.end
        return Times(latest, [mark for mark in spool.marks(index) if mark.offset > state.lines.end] if late else ())

    def pass_by(self, state: StreamState, path: str, end: int) -> None:
        """Look for what a shell says of its commands, up to `end`; for nothing else."""
        while state.commands_end < end:
            try:
                found = spool.read(path, state.commands_end, min(_TURN, end - state.commands_end))
                at = min(time.time(), os.stat(path).st_mtime)
            except FileNotFoundError:
                return
            if not found.data:
                return
            if found.offset > state.commands_end:
                state.commands, state.commands_end = commands.Commands(), found.offset
            self._mark(state, found, at)

    def _mark(self, state: StreamState, found: spool.Range, at: float) -> None:
        """Tell what a shell has said of its commands."""
        data = found.data[max(0, state.commands_end - found.offset) :]
        facts = state.commands.feed(data, found.offset + len(found.data) - len(data), at)
        state.commands_end = max(state.commands_end, found.offset + len(found.data))
        if facts:
            self._owner.marked(state, facts)

    def _tell_missing(self, state: StreamState, end: int) -> None:
        if state.missing is not None:
            self._owner.missed(state, state.missing, end)
            state.missing = None

    def finish(self, request: Finish, done: Done) -> None:
        """Evaluate a stream to its end, its last line too; forget it if it is over. Then call `done`."""
        key = f"{request.server}/{request.stream}"
        stream = spool.parse_stream(request.stream)
        path = spool.find(self._root, request.server, request.stream)
        over = os.path.exists(spool.meta(f"{self._root}/{request.server}", request.stream, "done"))
        if key in self._finished or over or stream is None or path is None:
            done()
            return
        state = self.streams.setdefault(key, StreamState(request.server, request.session, request.pane, stream.name, 0))
        state.session = request.session
        self._ends.setdefault(key, []).append((request.over, done))
        self._pending[key] = Touched(request.server, request.session, stream, path, 0)
        self._work()

    def _complete(self, key: str) -> None:
        """All of a stream is read: finish it if somebody has asked for that."""
        for over, done in self._ends.pop(key, ()):
            state = self.streams.get(key)
            if state and self._owner.wants(state):
                self._tell_missing(state, state.lines.end)
                last = state.lines.flush() if over else state.lines.unfinished()
                if last:
                    self._owner.evaluate(state, last, Times(time.time()))
            if over:
                self.streams.pop(key, None)
                self._finished.add(key)
            done()

    def _watch_quiet(self, state: StreamState) -> None:
        """Look at the unfinished line (a prompt, say) when the stream has been quiet for a moment."""
        key = f"{state.server}/{state.name}"
        if key not in self._quiet_timers:
            self._quiet_timers[key] = self._service.after(self._quiet, lambda: self._quiet_now(key))

    def _quiet_now(self, key: str) -> None:
        del self._quiet_timers[key]
        state = self.streams.get(key)
        if state is None:
            return
        left = self._until_quiet(state)
        if key in self._quiet_timers:  # it has just spoken
            return
        if left > 0:
            self._quiet_timers[key] = self._service.after(left, lambda: self._quiet_now(key))
            return
        block = state.lines.unfinished()
        if block:
            self._owner.evaluate(state, block, Times(time.time()))

    def _until_quiet(self, state: StreamState) -> float:
        """Seconds until the pane itself has been quiet for long enough. Its spool says so, not our own backlog: half a line
        must not be taken for a prompt because we are late."""
        path = spool.find(self._root, state.server, state.name)
        if path is None:
            return 0.0
        self.read(state, path, spool.size(path))
        if state.lines.end < spool.size(path):
            return self._quiet
        try:
            return os.stat(path).st_mtime + self._quiet - time.time()
        except FileNotFoundError:
            return 0.0
