"""Output and the events that end it, in their true order: a pane's exit comes after all of its output."""

from ..shared import spool, topics
from ..shared.codec import DecodeError, decode_chunk, parse_event
from ..shared.errors import UsageError
from ..shared.messages import Chunk, Event, Filter, Get, Panes
from .events import EventFollower
from .gap import Gap
from .output import OutputFollower
from .requests import check_ids, check_server
from .script import Ask, Receive, Script

_TOLD = ("pane.unobserved", "pane.observed", "gap")


class JoinedFollower:
    """Follows `panes`, or every pane that is or comes into `session`."""

    def __init__(self, root: str, server: str, panes: list[str] | None, session: str | None, since: dict[str, int] | None):
        if (panes is None) == (session is None) or isinstance(panes, str):
            raise UsageError("name a list of panes (['%12']), or one session ('$3')")
        if not isinstance(since, dict | None):
            raise UsageError("since: a stream's position is expected, as an earlier stream of output had it")
        check_ids(session, *(panes or ()))
        self._root, self._server, self._session, self._since = root, server, session, since
        self._mine: set[str] = set()  # streams of what is followed
        self._all = panes
        self._panes = None if panes is None else set(panes)
        self._output = OutputFollower(root)
        self._events = EventFollower(Filter(server=server), None)
        self._over = False
        self.live = False

    @property
    def position(self) -> dict[str, int]:
        """Where to go on: the next byte of each stream that was followed."""
        return {stream: self._output.offsets[f"{self._server}/{stream}"] for stream in sorted(self._mine)}

    def follow(self) -> Script[None]:
        yield from check_server(self._server)
        for found in spool.walk_server(self._root, self._server):
            start = spool.size(found.path) if self._since is None else self._since.get(found.stream.name, 0)
            self._output.start(self._server, found.stream.name, start)
        yield from self._dropped()
        for found in spool.walk_server(self._root, self._server):
            if self._wanted(found.session, found.stream.pane):
                yield from self._fill(found.session, found.stream.pane, found.stream.name, spool.size(found.path))
        yield from self._through(self._events.begin())
        for pane in self._all or ():
            yield from self._exited(pane)
        if self._session:  # perhaps closed already
            yield from self._last(Filter("session.closed", self._server, self._session))
        while not self._over:
            frames = yield Receive()
            if frames[0].startswith(topics.OUT):
                yield from self._chunk(frames)
            else:
                yield from self._through(self._events.hear(frames))

    def _dropped(self) -> Script[None]:
        """Of the streams to go on with, those whose spool is gone: how much of each was not given."""
        there = {found.stream.name for found in spool.walk_server(self._root, self._server)}
        gone = {name: offset for name, offset in (self._since or {}).items() if name not in there}
        ends = (yield from self._ends()) if gone else {}
        for name, offset in gone.items():
            if ends.get(name, 0) > offset:
                yield Gap(offset, ends[name], "its spool is no longer kept", name)

    def _ends(self) -> Script[dict[str, int]]:
        """Where streams ended, as the journal has it. Asked once for all: a follower of a day has seen thousands."""
        ends: dict[str, int] = {}
        since, head = 1, 1
        while since <= head:
            page = yield Ask("logger", Get(since, 1000, list(Filter("pane", self._server))), 30.0)
            for event in map(parse_event, page["lines"]):
                if event.data.get("stream") and event.data.get("end") is not None:
                    ends[event.data["stream"]] = event.data["end"]
            since, head = page["next"], page["head"]
        return ends

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
        """The newest event in the journal that fits, if there is one."""
        last: Event | None = None
        since, head = 1, 1
        while since <= head and not self._over:
            page = yield Ask("logger", Get(since, 1000, list(wanted)), 30.0)
            last = parse_event(page["lines"][-1]) if page["lines"] else last
            since, head = page["next"], page["head"]
        if last and not self._over:
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
        if event.kind == "pane.exited" and self._wanted(event.session, event.pane):
            if event.data.get("stream") and event.data.get("end"):
                yield from self._fill(str(event.session), str(event.pane), event.data["stream"], event.data["end"])
            yield event
            if self._panes is not None:
                self._panes.discard(str(event.pane))
                self._over = not self._panes
        elif event.kind == "session.closed" and self._panes is None and event.session == self._session:
            yield event
            self._over = True
        elif event.kind in _TOLD and self._wanted(event.session, event.pane):
            yield event
