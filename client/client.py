"""The client: asks the services of an instance, and follows its bus."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import zmq

from ..shared import bus, paths, spool, supervised, topics
from ..shared.codec import DecodeError, decode_chunk, decode_event, decode_head, parse_event
from ..shared.errors import DeadlinePassed, NoDaemon, NoTarget
from ..shared.messages import (
    Chunk,
    Event,
    Filter,
    Get,
    Panes,
    Request,
    Status,
    Subscribe,
    Subscriptions,
    Unsubscribe,
)  # fmt: skip
from ..shared.rpc import Client as Asker
from .events import EventFollower
from .gap import Gap
from .output import OutputFollower

_SILENCE = 3.0  # seconds without a heartbeat (one comes each second) before it is asked whether the daemon still runs


class Client:
    """One instance, named by the environment unless `instance` names it. Not to be shared between threads."""

    def __init__(self, instance: str | None = None):
        self.paths = paths.resolve(instance=instance)
        self._context = bus.context()
        self._askers: dict[str, Asker] = {}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._context.destroy(linger=0)
        self._askers.clear()

    # ---- requests --------------------------------------------------------------------------------------------------

    def ask(self, role: str, request: Request, seconds: float = 5.0) -> dict[str, Any]:
        """The answer of a role, also while supervisord restarts it. Raises NoDaemon, or the error of the answer."""
        asker = self._askers.get(role)
        if asker is None:
            asker = self._askers[role] = Asker(self._context, self.paths.control(role))
        deadline = time.monotonic() + seconds
        while True:
            self.require()
            try:
                return asker.ask(request, min(1.0, seconds))
            except NoDaemon:
                if time.monotonic() >= deadline:
                    raise

    def require(self) -> supervised.Record:
        """The supervisord of the instance. Raises NoDaemon if none runs."""
        record = supervised.running(self.paths)
        if record is None:
            raise NoDaemon(f"no ctmux daemon runs (instance {self.paths.instance!r}); start it: ctmux daemon start")
        return record

    def status(self, role: str = "logger") -> dict[str, Any]:
        """What a role says of itself."""
        return self.ask(role, Status())

    def panes(self) -> list[dict[str, Any]]:
        """The panes that are watched."""
        found: list[dict[str, Any]] = self.ask("keeper", Panes())["panes"]
        return found

    def subscribe_pattern(
        self, pattern: str, *, server: str | None = None, session: str | None = None, pane: str | None = None,
        once: bool = False, name: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Have each line that matches become an event. `session` is `$3`, `pane` is `%12`; none means all."""
        return self._subscribe(Subscribe(_token(), "pattern", pattern, None, server, session, pane, once, name))

    def subscribe_timeout(
        self, seconds: float, pattern: str | None = None, *, server: str | None = None, session: str | None = None,
        pane: str | None = None, name: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Have an event when the pattern (or any output) has not come within `seconds`."""
        return self._subscribe(Subscribe(_token(), "timeout", pattern, seconds, server, session, pane, True, name))

    def check_server(self, server: str) -> None:
        """Raise NoTarget if the daemon does not watch this tmux server."""
        if all(known["server"] != server for known in self.ask("keeper", Status())["servers"]):
            raise NoTarget("the daemon does not watch this tmux server; see: ctmux status")

    def _subscribe(self, request: Subscribe) -> dict[str, Any]:
        if request.server:
            self.check_server(request.server)
        made: dict[str, Any] = self.ask("matcher", request)["subscription"]
        return made

    def subscriptions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("matcher", Subscriptions())["subscriptions"]
        return found

    def unsubscribe(self, subscription: str) -> dict[str, Any]:
        """End a subscription by its id or name."""
        ended: dict[str, Any] = self.ask("matcher", Unsubscribe(subscription))["subscription"]
        return ended

    # ---- streams ---------------------------------------------------------------------------------------------------

    def events(
        self, since: int | None = None, *, kind: str | None = None, server: str | None = None, session: str | None = None,
        pane: str | None = None, subscription: str | None = None, timeout: float | None = None,
    ) -> Iterator[Event | Gap]:  # fmt: skip
        """Every event from number `since` on (None: those that come), then as they come, without end.

        Raises NoDaemon when the daemon is stopped, DeadlinePassed after `timeout` seconds.
        """
        wanted = Filter(kind, server, session, pane, subscription)
        deadline = None if timeout is None else time.monotonic() + timeout
        socket = bus.subscriber(self._context, self.paths.subscribers, topics.EVENT, topics.HEAD)
        try:
            status = self.status()
            position = status["head"] if since is None else max(0, since - 1)
            follower = EventFollower(lambda request: self.ask("logger", request, 30.0), wanted, position, status["log"])
            yield from follower.catch_up()
            while True:
                frames = self._next(socket, deadline)
                yield from _events(follower, frames)
        finally:
            socket.close(linger=0)

    def output(
        self, server: str, panes: list[str] | None = None, session: str | None = None, *,
        offsets: dict[str, int] | None = None, timeout: float | None = None,
    ) -> Iterator[Chunk | Event | Gap]:  # fmt: skip
        """The output of `panes`, or of every pane that is or comes into `session`; and the events that end it.

        `offsets` (stream -> offset, as an earlier one had them) says where to go on; streams that are not in it are given
        from their first byte. Without it, output begins now. Ends after
        the `pane.exited` of the last of `panes`, or the `session.closed` of the session. Raises as `events` does.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        output = OutputFollower(self.paths.spool)
        socket = bus.subscriber(self._context, self.paths.subscribers, topics.out_prefix(server), topics.EVENT, topics.HEAD)
        try:
            status = self.status()
            for found in spool.walk_server(self.paths.spool, server):
                start = spool.size(found.path) if offsets is None else offsets.get(found.stream.name, 0)
                output.start(server, found.stream.name, start)
            events = EventFollower(
                lambda request: self.ask("logger", request, 30.0), Filter(server=server), status["head"], status["log"]
            )
            follower = _Joined(output, events, server, panes, session)
            yield from follower.begin(self.paths.spool)
            ends = [self._exited(server, pane) for pane in panes or ()] + [self._closed(server, session)]
            yield from follower.through(filter(None, ends))
            while not follower.over:
                yield from follower.take(self._next(socket, deadline))
        finally:
            socket.close(linger=0)

    def _closed(self, server: str, session: str | None) -> Event | None:
        """The end of a session that is closed already."""
        return self._last(Filter("session.closed", server, session)) if session else None

    def _exited(self, server: str, pane: str) -> Event | None:
        """The exit of a pane that is over already; None while it lives, or is too new to be known."""
        if any(p["server"] == server and p["pane"] == pane and not p["exited"] for p in self.panes()):
            return None
        return self._last(Filter("pane.exited", server, None, pane))

    def _last(self, wanted: Filter) -> Event | None:
        """The newest event in the journal that fits."""
        last: Event | None = None
        since = 1
        while True:
            page = self.ask("logger", Get(since, 1000, list(wanted)), 30.0)
            for text in page["lines"]:
                last = parse_event(text)
            since = page["next"]
            if since > page["head"]:
                return last

    def _next(self, socket: "zmq.Socket[bytes]", deadline: float | None) -> list[bytes]:
        """The next message of the bus; the heartbeat sees to it that there is one each second."""
        while True:
            patience = _SILENCE if deadline is None else min(_SILENCE, deadline - time.monotonic())
            if patience <= 0:
                raise DeadlinePassed("nothing came in time")
            if socket.poll(int(patience * 1000) + 1):
                return socket.recv_multipart()
            self.require()


class _Joined:
    """Output and the events that end it, in their true order: a pane's exit comes after all of its output."""

    def __init__(
        self, output: OutputFollower, events: EventFollower, server: str, panes: list[str] | None, session: str | None
    ):
        self._output, self._events = output, events
        self._server, self._session = server, session
        self._panes = None if panes is None else set(panes)
        self.over = False

    def begin(self, root: str) -> Iterator[Chunk | Event | Gap]:
        """What was there before the bus told anything."""
        for found in spool.walk_server(root, self._server):
            if self._wanted(found.session, found.stream.pane):
                like = Chunk(self._server, found.session, found.stream.pane, found.stream.name, 0, 0.0, False, b"")
                yield from self._output.fill(like, spool.size(found.path))
        yield from self.through(self._events.catch_up())

    def _wanted(self, session: str | None, pane: str | None) -> bool:
        return pane in self._panes if self._panes is not None else session == self._session

    def take(self, frames: list[bytes]) -> Iterator[Chunk | Event | Gap]:
        if not frames[0].startswith(topics.OUT):
            yield from self.through(_events(self._events, frames))
            return
        try:
            chunk = decode_chunk(frames[1:])
        except DecodeError:
            return  # a newer version's; what it carried is filled in from the spool
        if self._wanted(chunk.session, chunk.pane):
            yield from self._output.take(chunk)

    def through(self, events: Iterator[Event | Gap]) -> Iterator[Chunk | Event | Gap]:
        """The events that concern what is followed, each after the output that it comes after."""
        for event in events:
            if isinstance(event, Gap):
                yield event
                continue
            if event.kind == "pane.exited" and self._wanted(event.session, event.pane):
                if event.data.get("stream") and event.data.get("end"):
                    like = Chunk(
                        self._server, str(event.session), str(event.pane), event.data["stream"], 0, 0.0, False, b""
                    )  # fmt: skip
                    yield from self._output.fill(like, event.data["end"])
                yield event
                if self._panes is not None:
                    self._panes.discard(str(event.pane))
                    self.over = not self._panes
            elif event.kind == "session.closed" and self._panes is None and event.session == self._session:
                yield event
                self.over = True
            elif event.kind == "pane.unobserved" and self._wanted(event.session, event.pane):
                yield event
            if self.over:
                return


def _events(follower: EventFollower, frames: list[bytes]) -> Iterator[Event | Gap]:
    try:
        if frames[0] == topics.HEAD:
            yield from follower.heard(decode_head(frames[1:]))
        else:
            yield from follower.take(decode_event(frames[1:]))
    except DecodeError:
        return  # a newer version's; its number is missing then, and asked for


def _token() -> str:
    return uuid.uuid4().hex
