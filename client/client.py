"""The client for programs that block: asks the services of an instance, and follows its bus."""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

import zmq

from ..shared import bus, paths, supervised, topics
from ..shared.errors import DeadlinePassed, NoDaemon
from ..shared.messages import Filter, Request, Status
from ..shared.rpc import Client as Asker
from . import requests
from .events import EventFollower
from .joined import JoinedFollower
from .script import SILENCE, Ask, Follower, Item, Receive, Script

R = TypeVar("R")
TRY = 1.0  # seconds until a request is sent again: its service may have been restarted


def require(where: paths.Paths) -> supervised.Record:
    """The supervisord of an instance. Raises NoDaemon if none runs."""
    record = supervised.running(where)
    if record is None:
        raise NoDaemon(f"no ctmux daemon runs (instance {where.instance!r}); start it: ctmux daemon start")
    return record


class Deadline:
    """The end of a stream's patience, `timeout` seconds from now; None: it has no end."""

    def __init__(self, timeout: float | None):
        self._at = None if timeout is None else time.monotonic() + timeout

    def left(self, seconds: float) -> float:
        """Of so many seconds, those that may be waited; not above 0 when it has passed."""
        return seconds if self._at is None else min(seconds, self._at - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left(1.0) <= 0


class Stream(Iterator[Any]):
    """Items as they come, without end unless what is followed ends.

    `position`: give it as `since=` to go on behind the item that was given last. `live`: that item was given as it
    happened; else it is replayed from what is stored.
    """

    def __init__(self, items: Iterator[Item], follower: Follower):
        self._items = items
        self._follower = follower

    def __next__(self) -> Any:
        return next(self._items)

    @property
    def position(self) -> Any:
        return self._follower.position

    @property
    def live(self) -> bool:
        return self._follower.live


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
                return asker.ask(request, min(TRY, seconds))
            except NoDaemon:
                if time.monotonic() >= deadline:
                    raise

    def _result(self, script: Script[R]) -> R:
        """Run a script that gives no items."""
        answer = None
        while True:
            try:
                step = script.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            assert isinstance(step, Ask)
            answer = self.ask(step.role, step.request, step.seconds)

    def require(self) -> supervised.Record:
        """The supervisord of the instance. Raises NoDaemon if none runs."""
        return require(self.paths)

    def status(self, role: str = "logger") -> dict[str, Any]:
        """What a role says of itself."""
        return self.ask(role, Status())

    def panes(self) -> list[dict[str, Any]]:
        """The panes that are watched."""
        return self._result(requests.panes())

    def check_server(self, server: str) -> None:
        """Raise NoTarget if the daemon does not watch this tmux server."""
        self._result(requests.check_server(server))

    def subscribe(
        self, kind: str, *patterns: str, server: str | None = None, session: str | None = None, pane: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Arm a subscription; what was made. `session` is `$3`, `pane` is `%12`; none means all.

        `kind`: pattern, timeout, absence, idle, exit, command, prompt, sequence, not-then, threshold, any or all; `options`
        as in docs/wire.md (`seconds=30.0`, `count=1`, `name="ready"`, `actions=[{"do": "run", "argv": [...]}]` ...).
        Raises UsageError, NoTarget, Refused.
        """
        return self._result(requests.subscribe(kind, patterns, server, session, pane, options))

    def subscriptions(self) -> list[dict[str, Any]]:
        return self._result(requests.subscriptions())

    def explain(self, subscription: str) -> dict[str, Any]:
        """What a subscription (id or name) waits for, where, and what it has seen."""
        return self._result(requests.explain(subscription))

    def unsubscribe(self, subscription: str) -> dict[str, Any]:
        """End a subscription by its id or name."""
        return self._result(requests.unsubscribe(subscription))

    def publish(self, name: str, value: Any = None) -> None:
        """An event `user.<name>` of your own, with any value that JSON has; written when this returns."""
        self._result(requests.publish(name, value))

    def cancel(self, action: str) -> None:
        """End an action, or have it not begin. Raises NoTarget if it neither runs nor waits."""
        self._result(requests.cancel(action))

    # ---- streams ---------------------------------------------------------------------------------------------------

    def events(
        self, since: int | None = None, *, kind: str | None = None, server: str | None = None, session: str | None = None,
        pane: str | None = None, subscription: str | None = None, timeout: float | None = None,
    ) -> Stream:  # fmt: skip
        """Every `Event` from number `since` on (None: those that come), then as they come, without end; a `Gap` where
        the journal has no longer what was missed.

        Raises NoDaemon when the daemon is stopped, DeadlinePassed after `timeout` seconds.
        """
        follower = EventFollower(Filter(kind, server, session, pane, subscription), since)
        return Stream(self._follow(follower, timeout, topics.EVENT, topics.HEAD), follower)

    def output(
        self, server: str, panes: list[str] | None = None, session: str | None = None, *,
        since: dict[str, int] | None = None, timeout: float | None = None,
    ) -> Stream:  # fmt: skip
        """The output of `panes`, or of every pane that is or comes into `session`, as a `Chunk` each; a `Gap` where the
        spool has no longer what was missed; and the events that end it.

        `since` (an earlier stream's `position`: `n`, the next event, and stream -> next byte) says where to go on; streams
        that are not in it are given from their first byte. Without it, output begins now. Ends after the `pane.exited` of
        the last of `panes`, or the `session.closed` of the session. Raises as `events` does.
        """
        follower = JoinedFollower(self.paths.spool, server, panes, session, since)
        return Stream(self._follow(follower, timeout, topics.out_prefix(server), topics.EVENT, topics.HEAD), follower)

    def _follow(self, follower: Follower, timeout: float | None, *prefixes: bytes) -> Iterator[Item]:
        deadline = Deadline(timeout)
        socket = bus.subscriber(self._context, self.paths.subscribers, *prefixes)
        try:
            script = follower.follow()
            answer: Any = None
            while True:
                try:
                    step = script.send(answer)
                except StopIteration:
                    return
                answer = None
                if isinstance(step, Ask):
                    answer = self._answer(step, deadline)
                elif isinstance(step, Receive):
                    answer = self._receive(socket, deadline)
                else:
                    yield step
        finally:
            socket.close(linger=0)

    def _answer(self, step: Ask, deadline: Deadline) -> dict[str, Any] | None:
        """What a stream asks; one try is made whatever its deadline."""
        try:
            return self.ask(step.role, step.request, max(TRY, deadline.left(step.seconds)))
        except NoDaemon:
            if deadline.passed:
                raise DeadlinePassed("nothing came in time") from None
            if step.needed:
                raise
            return None

    def _receive(self, socket: "zmq.Socket[bytes]", deadline: Deadline) -> list[bytes] | None:
        """The next message of the bus: the heartbeat sees to it that there is one each second. None if there is not."""
        patience = deadline.left(SILENCE)
        if patience > 0 and socket.poll(int(patience * 1000) + 1):
            return socket.recv_multipart()
        if deadline.passed:
            raise DeadlinePassed("nothing came in time")
        self.require()
        return None
