"""Output and the events that end it, in their true order: a pane's exit comes after all of its output.

A position is one flat object: `n`, the next event, and for each stream its next byte. Both are needed: what was printed
by a pane that came and went while nobody followed is known by the event of its end alone.
"""

from itertools import zip_longest

from ..shared import spool, topics
from ..shared.errors import NoTarget, UsageError
from ..shared.messages import Event, Filter
from . import over
from .events import EventFollower
from .gap import Gap
from .requests import check_ids, check_server
from .script import Ask, Receive, Script
from .streams import Given, Streams

_EVENTS = "pane,session.closed,gap"
_ENDS = ("pane.exited", "pane.unobserved")
_TOLD = (*_ENDS, "pane.observed", "pane.moved", "gap")


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
        self._panes = None if panes is None else set(panes)
        self._streams = Streams(root, server, self._panes, session, offsets)
        self._events = EventFollower(Filter(_EVENTS, server), self._n)
        self._due: int | None = None  # an event before the place in the journal that is yet to be given
        self._over = False
        self.live = False

    @property
    def position(self) -> dict[str, int] | None:
        """Where to go on: `n`, the next event, and the next byte of each stream that was followed. As `since` was, until
        something is known."""
        if not self._events.begun:
            return self._since
        return {"n": self._events.position if self._due is None else self._due, **self._streams.offsets}

    def follow(self) -> Script[None]:
        there = yield from self._is_there()
        streams = self._streams
        gone = set(streams.names)
        yield from self._through(self._events.locate())  # first: what happens from here on is told
        kept = spool.walk_server(self._root, self._server)
        wanted = [found for found in kept if streams.wants(found.session, found.stream.pane)]
        for found in kept:
            gone.discard(found.stream.name)
            if self._since is None:
                streams.start(found.stream.name, spool.size(found.path))
        for found in wanted:  # all before the first is given: a position must have them
            streams.take_up(found.stream.name)
        past = yield from self._past(there, [found for found in kept if not self._is_over(found.stream.name)])
        yield from self._give(streams.fill_all(wanted))
        for id in past.unknown:
            yield Gap(0, 0, f"{id} is over, and the journal does not keep how any more")
            self._close(id)
        for event, following in zip_longest(past.last, past.last[1:]):
            yield from self._event(event, following and following.n)
        if self._n is None:  # a position made by hand: no event will tell how these ended
            for stream in sorted(gone):
                yield Gap(streams.take_up(stream), streams.take_up(stream), "its spool is no longer kept", stream)
        yield from self._through(self._events.catch_up())
        if not self._events.behind:  # or events that are yet to come are of these streams
            streams.end(*gone)
        while not self._over:
            streams.pace.waits()
            frames = yield Receive()
            streams.pace.comes()
            if frames is not None and frames[0].startswith(topics.OUT):
                yield from self._give(streams.chunk(frames))
                continue
            if frames is None or (frames[0] == topics.HEAD and streams.pace.beat()):
                # Before the events: the logger may be as silent as the bus.
                yield from self._give(streams.fill_all(spool.walk_server(self._root, self._server)))
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

    def _give(self, output: Given) -> Script[None]:
        for item in output:
            self.live = self._streams.live
            yield item

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
            yield from self._give(self._streams.rest(session, pane, stream, event.data.get("end")))
            self._streams.end(stream)
        elif event.kind == "pane.moved" and stream and self._panes is None and session != self._session:
            yield from self._give(self._streams.rest(str(self._session), pane, stream, event.data["offset"]))
        self._due = following
        yield event
        if event.kind in ("pane.exited", "session.closed"):
            self._close(pane if event.kind == "pane.exited" else session)

    def _concerns(self, event: Event) -> bool:
        if event.kind == "session.closed":
            return self._panes is None and event.session == self._session
        if event.kind == "pane.moved" and self._panes is None and event.data["origin"]["session"] == self._session:
            return True
        return event.kind in _TOLD and self._streams.wants(event.session, event.pane)

    def _close(self, id: str) -> None:
        """After the end of a pane, or of the session: is everything over?"""
        if self._panes is not None:
            self._panes.discard(id)
            self._over = not self._panes
        elif id == self._session:
            self._over = True
