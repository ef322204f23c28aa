"""Output and the events that end it, in their true order: a pane's exit comes after all of its output.

A position is one flat object: `n`, the next event, and for each stream its next byte. Both are needed: what was printed
by a pane that came and went while nobody followed is known by the event of its end alone.
"""

from ..shared import spool, topics
from ..shared.codec import DecodeError, decode_chunk, parse_event
from ..shared.errors import UsageError
from ..shared.messages import Chunk, Event, Filter, Get, Panes
from .events import EventFollower
from .gap import Gap
from .output import OutputFollower
from .requests import check_ids, check_server
from .script import Ask, Receive, Script

_EVENTS = "pane,session.closed,gap"
_ENDS = ("pane.exited", "pane.unobserved")
_TOLD = (*_ENDS, "pane.observed", "gap")
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
        self._root, self._server, self._session = root, server, session
        self._since = None if since is None else offsets
        self._mine = set(offsets)  # streams of what is followed
        self._ended: dict[str, None] = {}  # those of them that are over, in the order of their ends
        self._all = panes
        self._panes = None if panes is None else set(panes)
        self._output = OutputFollower(root)
        for stream, offset in offsets.items():
            self._output.start(server, stream, offset)
        self._events = EventFollower(Filter(_EVENTS, server), self._n)
        self._due: int | None = None  # the event that is given as soon as the output before it is
        self._over = False
        self.live = False

    @property
    def position(self) -> dict[str, int]:
        """Where to go on: `n`, the next event, and the next byte of each stream that was followed."""
        offsets = {stream: self._output.offsets[f"{self._server}/{stream}"] for stream in self._mine}
        n = self._due or (self._events.position if self._events.begun else self._n)
        return offsets if n is None else {"n": n, **offsets}

    def follow(self) -> Script[None]:
        yield from check_server(self._server)
        gone = set(self._mine)
        yield from self._through(self._events.locate())  # first: what happens from here on is told
        for found in spool.walk_server(self._root, self._server):
            gone.discard(found.stream.name)
            if self._since is None:
                self._output.start(self._server, found.stream.name, spool.size(found.path))
            if self._wanted(found.session, found.stream.pane):
                yield from self._fill(found.session, found.stream.pane, found.stream.name, spool.size(found.path))
        yield from self._through(self._events.catch_up())
        self._end(*gone)
        for pane in sorted(self._panes or ()):
            yield from self._exited(pane)
        if self._session:  # perhaps closed already
            yield from self._last(Filter("session.closed", self._server, self._session))
        while not self._over:
            frames = yield Receive()
            if frames[0].startswith(topics.OUT):
                yield from self._chunk(frames)
            else:
                yield from self._through(self._events.hear(frames))

    def _end(self, *streams: str) -> None:
        """Nothing follows in these; a position need not have them any more once their spools are gone."""
        self._ended |= dict.fromkeys(stream for stream in streams if stream in self._mine)
        if len(self._ended) > _ENDS_KEPT:
            there = {found.stream.name for found in spool.walk_server(self._root, self._server)}
            old = list(self._ended)[: len(self._ended) - _ENDS_KEPT]
            for stream in [stream for stream in old if stream not in there]:
                del self._ended[stream], self._output.offsets[f"{self._server}/{stream}"]
                self._mine.discard(stream)

    def _wanted(self, session: str | None, pane: str | None) -> bool:
        return pane in self._panes if self._panes is not None else session == self._session

    def _fill(self, session: str, pane: str, stream: str, end: int) -> Script[None]:
        like = Chunk(self._server, session, pane, stream, 0, 0.0, False, b"")
        self._output.offsets.setdefault(f"{self._server}/{stream}", 0)
        self._mine.add(stream)
        for item in self._output.fill(like, end):
            self.live = False
            yield item

    def _chunk(self, frames: list[bytes]) -> Script[None]:
        try:
            chunk = decode_chunk(frames[1:])
        except DecodeError:
            return  # a newer version's; what it carried is filled in from the spool
        if self._wanted(chunk.session, chunk.pane):
            self._output.offsets.setdefault(f"{self._server}/{chunk.stream}", 0)
            self._mine.add(chunk.stream)
            for item in self._output.take(chunk):
                self.live = self._output.live
                yield item

    def _exited(self, pane: str) -> Script[None]:
        """The exit of a pane that is over already; nothing while it lives, or is too new to be known."""
        panes = (yield Ask("keeper", Panes()))["panes"]
        if not any(p["server"] == self._server and p["pane"] == pane and not p["exited"] for p in panes):
            yield from self._last(Filter("pane.exited", self._server, None, pane))

    def _last(self, wanted: Filter) -> Script[None]:
        """The newest event in the journal that fits, if there is one; not given again if it was before the position."""
        last: Event | None = None
        since, head = 1, 1
        while since <= head and not self._over:
            page = yield Ask("logger", Get(since, 1000, list(wanted)), 30.0)
            last = parse_event(page["lines"][-1]) if page["lines"] else last
            since, head = page["next"], page["head"]
        if last and self._n is not None and last.n < self._n:
            self._close(last)
        elif last and not self._over:
            yield from self._event(last)

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

    def _event(self, event: Event) -> Script[None]:
        """An event that concerns what is followed, after the output that it ends."""
        if not self._concerns(event):
            return
        self._due = event.n  # until it is given itself
        stream, end = event.data.get("stream"), event.data.get("end")
        if event.kind in _ENDS and stream and end is not None:
            yield from self._fill(str(event.session), str(event.pane), stream, end)
            self._end(stream)
        self._due = None
        yield event
        self._close(event)

    def _concerns(self, event: Event) -> bool:
        if event.kind == "session.closed":
            return self._panes is None and event.session == self._session
        return event.kind in _TOLD and self._wanted(event.session, event.pane)

    def _close(self, event: Event) -> None:
        """After the event of an end: is everything over?"""
        if event.kind == "session.closed":
            self._over = True
        elif event.kind == "pane.exited" and self._panes is not None:
            self._panes.discard(str(event.pane))
            self._over = not self._panes
