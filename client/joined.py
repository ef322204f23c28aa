"""Output and the events that end it, in their true order: a pane's exit comes after all of its output.

A position is one flat object: `n`, the next event, and for each stream its next byte. Both are needed: what was printed
by a pane that came and went while nobody followed is known by the event of its end alone.
"""

from itertools import zip_longest

from ..shared import moves, spool, topics
from ..shared.codec import DecodeError, decode_chunk
from ..shared.errors import NoTarget, UsageError
from ..shared.messages import Chunk, Event, Filter
from . import over
from .events import EventFollower
from .gap import Gap
from .output import OutputFollower
from .pace import Pace
from .requests import check_ids, check_server
from .script import Ask, Receive, Script

_EVENTS = "pane,session.closed,gap"
_ENDS = ("pane.exited", "pane.unobserved")
_TOLD = (*_ENDS, "pane.observed", "pane.moved", "gap")
_ENDS_KEPT = 100  # streams that are over and dropped: a watcher that was stopped may still publish their last chunk


class JoinedFollower:
    """Follows `panes`, or every pane that is or comes into `session`."""

    def __init__(self, root: str, server: str, panes: list[str] | None, session: str | None, since: dict[str, int] | None):
        if (panes is None) == (session is None) or isinstance(panes, str):
            raise UsageError("name a list of panes (['%12']), or one session ('$3')")
        if not (since is None or (isinstance(since, dict) and all(type(at) is int and at >= 0 for at in since.values()))):
            raise UsageError("since: a stream's position is expected, as an earlier stream of output had it")
        check_ids(session, *(panes or ()))
        offsets = dict(since or {})
        self._n = offsets.pop("n", None)
        self._root, self._server, self._session, self._since = root, server, session, since
        self._mine = set(offsets)  # streams of what is followed
        self._ended: dict[str, None] = {}  # those of them that are over, in the order of their ends
        self._panes = None if panes is None else set(panes)
        self._output = OutputFollower(root)
        for stream, offset in offsets.items():
            self._output.start(server, stream, offset)
        self._events = EventFollower(Filter(_EVENTS, server), self._n)
        self._due: int | None = None  # an event before the place in the journal that is yet to be given
        self._routes: dict[str, moves.Route] = {}  # of streams, where a session is followed
        self._pace = Pace()
        self._over = False
        self.live = False

    @property
    def position(self) -> dict[str, int] | None:
        """Where to go on: `n`, the next event, and the next byte of each stream that was followed. As `since` was, until
        something is known."""
        if not self._events.begun:
            return self._since
        offsets = {stream: self._output.offsets[f"{self._server}/{stream}"] for stream in self._mine}
        return {"n": self._events.position if self._due is None else self._due, **offsets}

    def follow(self) -> Script[None]:
        there = yield from self._is_there()
        gone = set(self._mine)
        yield from self._through(self._events.locate())  # first: what happens from here on is told
        kept = spool.walk_server(self._root, self._server)
        wanted = [found for found in kept if self._wanted(found.session, found.stream.pane)]
        for found in kept:
            gone.discard(found.stream.name)
            if self._since is None:
                self._output.start(self._server, found.stream.name, spool.size(found.path))
        for found in wanted:  # all before the first is given: a position must have them
            self._take_up(found.stream.name)
        past = yield from self._past(there, [found for found in kept if not self._is_over(found.stream.name)])
        yield from self._fill_all(wanted)
        for id in past.unknown:
            yield Gap(0, 0, f"{id} is over, and the journal does not keep how any more")
            self._close(id)
        for event, following in zip_longest(past.last, past.last[1:]):
            yield from self._event(event, following and following.n)
        if self._n is None:  # a position made by hand: no event will tell how these ended
            for stream in sorted(gone):
                yield Gap(self._take_up(stream), self._take_up(stream), "its spool is no longer kept", stream)
        yield from self._through(self._events.catch_up())
        if not self._events.behind:  # or events that are yet to come are of these streams
            self._end(*gone)
        while not self._over:
            self._pace.waits()
            frames = yield Receive()
            self._pace.comes()
            if frames is not None and frames[0].startswith(topics.OUT):
                yield from self._chunk(frames)
                continue
            if frames is None or (frames[0] == topics.HEAD and self._pace.beat()):
                # Before the events: the logger may be as silent as the bus.
                yield from self._fill_all(spool.walk_server(self._root, self._server))
            yield from self._through(self._events.hear(frames))

    def _is_there(self) -> Script[bool]:
        """Whether the tmux server runs. Raises NoTarget if it is not watched, or has ended and nothing is kept of it."""
        try:
            yield from check_server(self._server)
        except NoTarget:
            kept = self._since or spool.walk_server(self._root, self._server)
            if not kept or not (yield from over.lost(self._server)):
                raise
            return False
        return True

    def _is_over(self, stream: str) -> bool:
        return spool.is_over(self._root, self._server, stream)

    # ---- output ----------------------------------------------------------------------------------------------------

    def _wanted(self, session: str | None, pane: str | None) -> bool:
        return pane in self._panes if self._panes is not None else session == self._session

    def _take_up(self, stream: str) -> int:
        """A stream of what is followed: its next byte."""
        self._mine.add(stream)
        return self._output.offsets.setdefault(f"{self._server}/{stream}", 0)

    def _fill(self, session: str, pane: str, stream: str, end: int) -> Script[None]:
        like = Chunk(self._server, session, pane, stream, 0, 0.0, False, b"")
        for printed_in, until in self._parts(session, stream, self._take_up(stream), end):
            if not self._wanted(printed_in, pane):
                self._output.start(self._server, stream, until)
                continue
            for item in self._output.fill(like, until):
                self.live = False
                yield item

    def _parts(self, session: str, stream: str, start: int, end: int) -> list[tuple[str, int]]:
        """What is between two offsets, in one part, unless a session is followed and the pane has moved."""
        if self._panes is not None:
            return [(session, end)] if start < end else []
        notes = moves.path(self._root, self._server, stream)
        self._routes[stream] = route = moves.look(notes, self._routes.get(stream, moves.Route(session)), session)
        return route.parts(start, end)

    def _fill_all(self, kept: list[spool.Spool]) -> Script[None]:
        """What is in those spools that are of what is followed."""
        for found in kept:
            if self._wanted(found.session, found.stream.pane):
                yield from self._fill(found.session, found.stream.pane, found.stream.name, spool.size(found.path))

    def _chunk(self, frames: list[bytes]) -> Script[None]:
        if not self._wanted(*topics.place(frames[0])):  # most, beside a pane that floods: not worth a decoding
            return
        try:
            chunk = decode_chunk(frames[1:])
        except DecodeError:
            return  # a newer version's; what it carried is filled in from the spool
        self._pace.chunk(chunk.time)
        end = chunk.offset + len(chunk.data)
        parts = self._parts(chunk.session, chunk.stream, self._take_up(chunk.stream), end)
        if not all(self._wanted(printed_in, chunk.pane) for printed_in, _until in parts):
            yield from self._fill(chunk.session, chunk.pane, chunk.stream, end)  # its watcher has some of before or after
            return
        for item in self._output.take(chunk):
            self.live = self._output.live
            yield item

    def _rest(self, session: str, pane: str, stream: str, end: int | None) -> Script[None]:
        """What is left of a stream, up to its end if that is known."""
        if end is None:
            path = spool.find(self._root, self._server, stream)
            end = spool.size(path) if path else None
        if end is not None:
            yield from self._fill(session, pane, stream, end)
        else:
            at = self._take_up(stream)
            yield Gap(at, at, "its spool is gone, and nobody knows how long it was", stream)

    def _end(self, *streams: str) -> None:
        """Nothing follows in these; a position need not have them any more once their spools are gone."""
        self._ended |= dict.fromkeys(stream for stream in streams if stream in self._mine)
        if len(self._ended) > _ENDS_KEPT:
            there = {found.stream.name for found in spool.walk_server(self._root, self._server)}
            old = list(self._ended)[: len(self._ended) - _ENDS_KEPT]
            for stream in [stream for stream in old if stream not in there]:
                del self._ended[stream], self._output.offsets[f"{self._server}/{stream}"]
                self._routes.pop(stream, None)
                self._mine.discard(stream)

    # ---- events ----------------------------------------------------------------------------------------------------

    def _past(self, there: bool, printing: list[spool.Spool]) -> Script[over.Over]:
        """What was over before the place in the journal: its end is due, unless it was given before the position."""
        if self._panes is not None:
            living = {found.stream.pane for found in printing}
            past = yield from over.panes(self._server, there, self._panes, living)
        else:
            living = {found.session for found in printing}
            past = yield from over.session(self._server, there, str(self._session), living)
        last = [event for event in past.last if event.n < self._events.position]  # others come by themselves
        if self._n is not None:
            for event in last:
                self._close(str(event.pane or event.session))
            last = []
        self._due = last[0].n if last else None
        return past._replace(last=last)

    def _through(self, events: Script[None]) -> Script[None]:
        """Of the events, those that concern what is followed, each after the output that it comes after."""
        answer = None
        while not self._over:
            try:
                step = events.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(step, Ask | Receive):
                answer = yield step
            elif isinstance(step, Gap):
                self.live = False
                yield step
            elif isinstance(step, Event):
                self.live = self._events.live
                yield from self._event(step)

    def _event(self, event: Event, following: int | None = None) -> Script[None]:
        """An event that concerns what is followed, after the output that it ends. `following`: what is due next."""
        if not self._concerns(event):
            return
        self._due = event.n  # until it is given itself
        session, pane = str(event.session), str(event.pane)
        stream = event.data.get("stream")
        if event.kind in _ENDS and stream:
            yield from self._rest(session, pane, stream, event.data.get("end"))
            self._end(stream)
        elif event.kind == "pane.moved" and stream and self._panes is None and session != self._session:
            yield from self._rest(str(self._session), pane, stream, event.data["offset"])
        self._due = following
        yield event
        if event.kind in ("pane.exited", "session.closed"):
            self._close(pane if event.kind == "pane.exited" else session)

    def _concerns(self, event: Event) -> bool:
        if event.kind == "session.closed":
            return self._panes is None and event.session == self._session
        if event.kind == "pane.moved" and self._panes is None and event.data["origin"]["session"] == self._session:
            return True
        return event.kind in _TOLD and self._wanted(event.session, event.pane)

    def _close(self, id: str) -> None:
        """After the end of a pane, or of the session: is everything over?"""
        if self._panes is not None:
            self._panes.discard(id)
            self._over = not self._panes
        elif id == self._session:
            self._over = True
