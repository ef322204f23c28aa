"""The streams of what is followed, each byte of them once: from the bus, or from their spools. No socket in here."""

from collections.abc import Collection, Iterator, Mapping

from ..shared import moves, spool, topics
from ..shared.codec import DecodeError, decode_chunk
from ..shared.messages import Chunk
from .gap import Gap
from .output import OutputFollower
from .pace import Pace

_ENDS_KEPT = 100  # streams that are over and dropped: a watcher that was stopped may still publish their last chunk
Given = Iterator[Chunk | Gap]


class Streams:
    """Of one tmux server: those of `panes`, or what is printed in `session`. They go on at these `offsets`, others
    begin with their first byte."""

    def __init__(
        self, root: str, server: str, panes: Collection[str] | None, session: str | None, offsets: Mapping[str, int]
    ):  # fmt: skip
        self._root, self._server, self._panes, self._session = root, server, panes, session
        self.names = set(offsets)
        self._ended: dict[str, None] = {}  # those of them that are over, in the order of their ends
        self._output = OutputFollower(root)
        self._routes: dict[str, moves.Route] = {}  # where a session is followed
        self.pace = Pace()
        for stream, offset in offsets.items():
            self.start(stream, offset)

    @property
    def live(self) -> bool:
        """Whether what was given last was given as it came."""
        return self._output.live

    @property
    def offsets(self) -> dict[str, int]:
        """The next byte of each."""
        return {stream: self._output.offsets[f"{self._server}/{stream}"] for stream in self.names}

    def start(self, stream: str, offset: int) -> None:
        """Should it be one of what is followed, it is from here on."""
        self._output.start(self._server, stream, offset)

    def wants(self, session: str | None, pane: str | None) -> bool:
        return pane in self._panes if self._panes is not None else session == self._session

    def take_up(self, stream: str) -> int:
        """A stream of what is followed: its next byte."""
        self.names.add(stream)
        return self._output.offsets.setdefault(f"{self._server}/{stream}", 0)

    def fill(self, session: str, pane: str, stream: str, end: int) -> Given:
        """What is in a spool up to `end`; what was printed in other sessions is passed over."""
        like = Chunk(self._server, session, pane, stream, 0, 0.0, False, b"")
        for printed_in, until in self._parts(session, stream, self.take_up(stream), end):
            if self.wants(printed_in, pane):
                yield from self._output.fill(like, until)
            else:
                self.start(stream, until)

    def _parts(self, session: str, stream: str, start: int, end: int) -> list[tuple[str, int]]:
        """What is between two offsets, in one part, unless a session is followed and the pane has moved."""
        if self._panes is not None:
            return [(session, end)] if start < end else []
        notes = moves.path(self._root, self._server, stream)
        self._routes[stream] = route = moves.look(notes, self._routes.get(stream, moves.Route(session)), session)
        return route.parts(start, end)

    def fill_all(self, kept: list[spool.Spool]) -> Given:
        """What is in those spools that are of what is followed."""
        for found in kept:
            if self.wants(found.session, found.stream.pane):
                yield from self.fill(found.session, found.stream.pane, found.stream.name, spool.size(found.path))

    def chunk(self, frames: list[bytes]) -> Given:
        """A message of the bus."""
        if not self.wants(*topics.place(frames[0])):  # most, beside a pane that floods: not worth a decoding
            return
        try:
            chunk = decode_chunk(frames[1:])
        except DecodeError:
            return  # a newer version's; what it carried is filled in from the spool
        self.pace.chunk(chunk.time)
        end = chunk.offset + len(chunk.data)
        parts = self._parts(chunk.session, chunk.stream, self.take_up(chunk.stream), end)
        if all(self.wants(printed_in, chunk.pane) for printed_in, _until in parts):
            yield from self._output.take(chunk)
        else:  # its watcher has some of what was printed before the pane came, or after it went
            yield from self.fill(chunk.session, chunk.pane, chunk.stream, end)

    def rest(self, session: str, pane: str, stream: str, end: int | None) -> Given:
        """What is left of a stream, up to its end if that is known."""
        if end is None:
            path = spool.find(self._root, self._server, stream)
            end = spool.size(path) if path else None
        if end is not None:
            yield from self.fill(session, pane, stream, end)
        else:
            at = self.take_up(stream)
            yield Gap(at, at, "its spool is gone, and nobody knows how long it was", stream)

    def end(self, *streams: str) -> None:
        """Nothing follows in these; a position need not have them any more once their spools are gone."""
        self._ended |= dict.fromkeys(stream for stream in streams if stream in self.names)
        if len(self._ended) > _ENDS_KEPT:
            there = {found.stream.name for found in spool.walk_server(self._root, self._server)}
            old = list(self._ended)[: len(self._ended) - _ENDS_KEPT]
            for stream in [stream for stream in old if stream not in there]:
                del self._ended[stream], self._output.offsets[f"{self._server}/{stream}"]
                self._routes.pop(stream, None)
                self.names.discard(stream)
