"""The spools as they grow: each stream read on from where it is, in turns, and to its end when that is asked."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ...shared import inotify, moves, spool
from ...shared.folders import Folders, Touched
from ...shared.messages import Finish
from ...shared.outbox import Outbox
from ...shared.service import Service
from . import commands, feed
from .aside import Untold
from .feed import Feed
from .progress import Note
from .quiet import Quiet
from .stream import StreamState

_MASK = inotify.CREATE | inotify.MOVED_TO | inotify.MODIFY | inotify.CLOSE_WRITE | inotify.DELETE
_FULL = 5000  # drafts on their way: nothing more is read until the logger has caught up
_SLICE = 0.05  # seconds of reading; then whoever asks something is answered, also when there is more than we can match
Done = Callable[[], None]


class Owner(feed.Owner, Protocol):
    """What the reader needs of who looks at what is read."""

    outbox: Outbox

    def wants(self, state: StreamState) -> bool: ...

    def came(self, state: StreamState) -> None: ...

    @property
    def held(self) -> bool: ...


class Reader:
    """Follows the spools; each block of lines goes to the owner, and unfinished lines of quiet panes."""

    def __init__(self, service: Service, owner: Owner, streams: dict[str, StreamState], root: str, quiet: float):
        self._service, self._owner, self._streams, self._root = service, owner, streams, root
        self._feed = Feed(owner, root, lambda: self._is_full() or self._is_late())
        self._quiet = Quiet(service, root, quiet, streams, self._read_all, self._look_at_unfinished)
        self._folders = Folders(root, _MASK, every=True)
        self._pending: dict[str, Touched] = {}  # streams with something new
        self._finished: set[str] = set()  # streams that are over, while their spools are kept
        self._working = False
        self._until = 0.0  # the end of this slice (monotonic)
        self._held = False  # the logger has to catch up
        self._ends: dict[str, list[tuple[bool, Done]]] = {}  # streams to be finished: over?, and whom to tell
        service.register(self._folders, self.look)

    def behind(self, until: float) -> bool:
        """Whether there is output that is not read yet and may have been there by `until`."""
        return any(self._printed(key) <= until for key in self._pending)

    def unread(self) -> Iterator[Untold]:
        """What is not read yet."""
        for key, touched in self._pending.items():
            state = self._streams.get(key)
            sessions = {touched.session, *(state.route.ahead(state.lines.end) if state else ())}
            yield Untold(self._printed(key), touched.stream.name, touched.server, sessions, touched.stream.pane)

    def unsure(self) -> Iterator[Untold]:
        """Each unfinished line that is still to be looked at."""
        for at, state in self._quiet.waiting():
            yield Untold(at, state.name, state.server, {state.session}, state.pane)

    def _printed(self, key: str) -> float:
        """When the last was printed that is read of a stream: what follows came later."""
        state = self._streams.get(key)
        return state.times.of(state.lines.end) if state else 0.0

    @property
    def held(self) -> bool:
        """Whether nothing may be read now; it goes on by itself."""
        return self._is_full()

    def _add(self, found: spool.Spool, offset: int, fired: Iterable[str] = ()) -> StreamState:
        """Begin with a stream at `offset`, where these subscriptions have fired already."""
        state = StreamState(found.server, found.session, found.stream.pane, found.stream.name, offset, fired)
        self._streams[f"{found.server}/{found.stream.name}"] = state
        self.look_at_moves(state, found.session)
        state.session = state.route.session(offset)
        return state

    def look_at_moves(self, state: StreamState, lies_in: str) -> None:
        """Know whose bytes are whose, of all that is in the spool. `lies_in`: the session in whose folder that is."""
        state.route = moves.look(moves.path(self._root, state.server, state.name), state.route, lies_in)

    def resume(self, found: spool.Spool, offset: int, fired: Iterable[str], noted: Note | None) -> None:
        """Go on with a stream where an earlier matcher was, by what it has noted."""
        state = self._add(found, offset, fired)
        state.commands_end = noted.commands_end if noted else 0
        state.commands = commands.Commands(noted.commands if noted else None)
        for session, end in state.route.parts(state.commands_end, offset):
            state.session = session
            self._feed.pass_by(state, found.path, end)
        state.session = state.route.session(offset)
        self._pending[f"{found.server}/{found.stream.name}"] = Touched(*found, mask=0)
        self._soon()

    def begin(self, found: spool.Spool) -> None:
        """Look at a stream that nobody wanted until now, from the beginning of its last line on."""
        key = f"{found.server}/{found.stream.name}"
        path, size = self._place(found)
        offset = spool.line_start(path, size)
        state = self._streams.get(key) or self._add(found, offset)
        self._pass_over(state, path, offset)
        self._pending[key] = Touched(*found, mask=0)
        self._soon()

    def _place(self, found: spool.Spool) -> tuple[str, int]:
        """Where a spool is just now, and its size; a pane may move at any time. It is empty when it is gone."""
        place = spool.wherever(self._root, found, lambda path: (path, os.path.getsize(path)))
        return place or (found.path, 0)

    def is_unsure(self, until: float) -> bool:
        """Whether an unfinished line that was there by `until` is still to be looked at."""
        return self._quiet.awaits(until)

    # ---- what is new -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Read what is new, for a slice."""
        self._notice()
        self._work()

    def notice(self) -> None:
        """Know where something is new; it is read soon."""
        self._notice()
        if self._pending:
            self._soon()

    def _notice(self) -> None:
        for touched in self._folders.read():
            key = f"{touched.server}/{touched.stream.name}"
            if touched.mask == inotify.DELETE:
                self._finished.discard(key)
                self._pending.pop(key, None)
                self._streams.pop(key, None)
                self._complete(key)
            elif not self._is_over(key, touched):
                self._pending[key] = touched

    def _is_over(self, key: str, touched: Touched) -> bool:
        """Whether all of a stream is matched. Its spool is still touched when the kernel has lost count (an overflow of
        inotify), and a matcher that has just begun knows of it only by the disk."""
        if key not in self._streams and spool.is_over(self._root, touched.server, touched.stream.name):
            self._finished.add(key)
        return key in self._finished

    def _work(self) -> None:
        """Read on where something is new, each pane in its turn, unless the logger has to catch up first."""
        self._begin_slice()
        for key, touched in list(self._pending.items()):
            if self._is_full():
                return
            if self._is_late():
                break
            self._pending.pop(key, None)
            if self._advance(key, touched):
                self._complete(key)
            else:
                self._pending.setdefault(key, touched)  # behind the others
        if self._pending:
            self._soon()

    def _begin_slice(self) -> None:
        self._until = time.monotonic() + _SLICE

    def _is_late(self) -> bool:
        return time.monotonic() > self._until

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
        known = self._streams.get(key)
        state = known or self._add(spool.Spool(*touched[:4]), 0)
        path, end = self._place(spool.Spool(*touched[:4]))
        self.look_at_moves(state, touched.session)  # after its size is taken
        session, moves_on = state.route.part(state.lines.end)
        came = known is None or session != state.session
        state.session = session
        if came:
            self._owner.came(state)
        stop = min(end, moves_on or end)
        if not self._owner.wants(state):
            self._pass_over(state, path, max(state.lines.end, stop))
        else:
            if came and not state.lines.tail and not state.lines.torn:
                # What was passed over in its old session may end in the middle of a line.
                state.lines.skip(spool.line_start(path, state.lines.end))
            self._read(state, path, min(stop, state.lines.end + feed.TURN))
        return state.lines.end >= end and state.route.session(state.lines.end) == state.session

    def _pass_over(self, state: StreamState, path: str, offset: int) -> None:
        """Go on at `offset`: no subscription wants what is before. A missing range that one has wanted is told."""
        self._feed.pass_by(state, path, offset)
        self._feed.tell_missing(state, state.lines.end)
        state.lines.skip(offset)
        state.jump()

    def _read(self, state: StreamState, path: str, end: int) -> None:
        self._feed.read(state, path, end)
        if state.lines.tail:
            self._quiet.watch(state)

    # ---- quiet -----------------------------------------------------------------------------------------------------

    def _read_all(self, state: StreamState, path: str) -> None:
        self._begin_slice()
        end = spool.size(path)
        self.look_at_moves(state, state.route.lies_in)
        session, moves_on = state.route.part(state.lines.end)
        if session == state.session:  # else its turn comes
            self._feed.read(state, path, min(end, moves_on or end))

    def _look_at_unfinished(self, state: StreamState) -> None:
        block = state.lines.unfinished()
        if block:
            self._owner.evaluate(state, block, state.times)

    # ---- ends ------------------------------------------------------------------------------------------------------

    def finish(self, request: Finish, done: Done) -> None:
        """Evaluate a stream to its end, its last line too; forget it if it is over. Then call `done`."""
        key = f"{request.server}/{request.stream}"
        stream = spool.parse_stream(request.stream)
        path = spool.find(self._root, request.server, request.stream)
        over = spool.is_over(self._root, request.server, request.stream)
        if key in self._finished or over or stream is None or path is None:
            done()
            return
        if key not in self._streams:
            self._add(spool.Spool(request.server, request.session, stream._replace(pane=request.pane), path), 0)
        self._ends.setdefault(key, []).append((request.over, done))
        self._pending[key] = Touched(request.server, request.session, stream, path, 0)
        self._soon()  # a fault in reading ends the process: it is no answer

    def _complete(self, key: str) -> None:
        """All of a stream is read: finish it if somebody has asked for that."""
        for over, done in self._ends.pop(key, ()):
            state = self._streams.get(key)
            if state and self._owner.wants(state):
                self._feed.tell_missing(state, state.lines.end)
                last = state.lines.flush() if over else state.lines.unfinished()
                if last:
                    self._owner.evaluate(state, last, state.times)
            if over:
                self._streams.pop(key, None)
                self._finished.add(key)
            done()
