"""The client for asyncio: the same scripts as the blocking one's, awaited."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import zmq
import zmq.asyncio

from ..shared import bus, paths, topics
from ..shared.codec import decode_reply, encode_request
from ..shared.errors import CtmuxError, DeadlinePassed, NoDaemon
from ..shared.messages import Filter, Request, Status
from . import requests
from .client import TRY, Deadline, require
from .events import EventFollower
from .joined import JoinedFollower
from .script import SILENCE, Ask, Follower, Receive, Script

R = TypeVar("R")


class AsyncStream(AsyncIterator[Any]):
    """Items as they come; `position` and `live` as in `Stream`. Waiting for the next may be cancelled and begun again."""

    def __init__(self, client: "AsyncClient", follower: Follower, timeout: float | None, *prefixes: bytes):
        self._client = client
        self._follower = follower
        self._script: Script[None] | None = follower.follow()
        self._step: Ask | Receive | None = None  # what the script waits for
        self._question: asyncio.Task[dict[str, Any]] | None = None  # an Ask, which outlives who waits for its answer
        self._answer: Any = None
        self._deadline = Deadline(timeout)
        self._silence = Deadline(SILENCE)  # of the wait for a message, however often that is cancelled
        self._prefixes = prefixes
        self._socket: Any = None

    @property
    def position(self) -> Any:
        return self._follower.position

    @property
    def live(self) -> bool:
        return self._follower.live

    async def __anext__(self) -> Any:
        if self._script is None:
            raise StopAsyncIteration
        if self._socket is None:
            self._socket = self._client.subscriber(*self._prefixes)
        await asyncio.sleep(0)  # a long replay lets others run
        try:
            while True:
                if self._step is None:
                    step = self._script.send(self._answer)
                    self._answer = None
                    if not isinstance(step, Ask | Receive):
                        return step
                    self._step, self._silence = step, Deadline(SILENCE)
                if isinstance(self._step, Ask):
                    self._answer = await self._ask(self._step)
                else:
                    self._answer = await self._receive()
                self._step = None
        except StopIteration:
            await self.aclose()
            raise StopAsyncIteration from None
        except CtmuxError:
            await self.aclose()
            raise

    async def _ask(self, step: Ask) -> dict[str, Any] | None:
        if self._question is None:
            patience = max(TRY, self._deadline.left(step.seconds))
            self._question = asyncio.ensure_future(self._client.ask(step.role, step.request, patience))
        question = self._question
        await asyncio.wait([question])
        self._question = None
        try:
            return question.result()
        except NoDaemon:
            if self._deadline.passed:
                raise DeadlinePassed("nothing came in time") from None
            if step.needed:
                raise
            return None

    async def _receive(self) -> list[bytes] | None:
        patience = self._deadline.left(max(0.0, self._silence.left(SILENCE)))
        if patience >= 0 and await self._socket.poll(int(patience * 1000) + 1):
            frames: list[bytes] = await self._socket.recv_multipart()
            return frames
        if self._deadline.passed:
            raise DeadlinePassed("nothing came in time")
        require(self._client.paths)
        return None

    async def aclose(self) -> None:
        """End the stream; nothing comes any more."""
        self._script = None
        question = self._question
        self._close()
        if question is not None:
            await asyncio.gather(question, return_exceptions=True)

    def __del__(self) -> None:
        self._close()  # `break` in an `async for` closes nothing

    def _close(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None


class AsyncClient:
    """One instance, named by the environment unless `instance` names it; for one event loop. Streams may run side by
    side."""

    def __init__(self, instance: str | None = None):
        self.paths = paths.resolve(instance=instance)
        self._context: Any = zmq.asyncio.Context()
        self._number = 0

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._context.destroy(linger=0)

    # ---- requests --------------------------------------------------------------------------------------------------

    async def ask(self, role: str, request: Request, seconds: float = 5.0) -> dict[str, Any]:
        """The answer of a role, also while supervisord restarts it. Raises NoDaemon, or the error of the answer."""
        deadline = time.monotonic() + seconds
        while True:
            require(self.paths)
            answer = await self._ask_once(role, request, min(TRY, seconds))
            if answer is not None:
                return decode_reply(answer)
            if time.monotonic() >= deadline:
                raise NoDaemon(f"no answer within {seconds:g} s from {self.paths.control(role)}; see: ctmux status")

    async def _ask_once(self, role: str, request: Request, seconds: float) -> bytes | None:
        """One try with a socket of its own, so that no late answer meets another request."""
        self._number += 1
        number = self._number.to_bytes(8, "big")
        socket = self._context.socket(zmq.DEALER)
        try:
            socket.connect(f"ipc://{self.paths.control(role)}")
            await socket.send_multipart([number, encode_request(request)])
            if not await socket.poll(int(seconds * 1000) + 1):
                return None
            frames: list[bytes] = await socket.recv_multipart()
            return frames[1]
        finally:
            socket.close(linger=0)

    async def _result(self, script: Script[R]) -> R:
        answer = None
        while True:
            try:
                step = script.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            assert isinstance(step, Ask)
            answer = await self.ask(step.role, step.request, step.seconds)

    async def status(self, role: str = "logger") -> dict[str, Any]:
        """What a role says of itself."""
        return await self.ask(role, Status())

    async def panes(self) -> list[dict[str, Any]]:
        """The panes that are watched."""
        return await self._result(requests.panes())

    async def subscribe(
        self, kind: str, *patterns: str, server: str | None = None, session: str | None = None, pane: str | None = None,
        **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """As `Client.subscribe`."""
        return await self._result(requests.subscribe(kind, patterns, server, session, pane, options))

    async def subscriptions(self) -> list[dict[str, Any]]:
        return await self._result(requests.subscriptions())

    async def explain(self, subscription: str) -> dict[str, Any]:
        """What a subscription (id or name) waits for, where, and what it has seen."""
        return await self._result(requests.explain(subscription))

    async def unsubscribe(self, subscription: str) -> dict[str, Any]:
        """End a subscription by its id or name."""
        return await self._result(requests.unsubscribe(subscription))

    async def publish(self, name: str, value: Any = None) -> None:
        """An event `user.<name>` of your own, with any value that JSON has; written when this returns."""
        await self._result(requests.publish(name, value))

    async def cancel(self, action: str) -> None:
        """End an action, or have it not begin. Raises NoTarget if it neither runs nor waits."""
        await self._result(requests.cancel(action))

    # ---- streams ---------------------------------------------------------------------------------------------------

    def events(
        self, since: int | None = None, *, kind: str | None = None, server: str | None = None, session: str | None = None,
        pane: str | None = None, subscription: str | None = None, timeout: float | None = None,
    ) -> AsyncStream:  # fmt: skip
        """As `Client.events`."""
        follower = EventFollower(Filter(kind, server, session, pane, subscription), since)
        return AsyncStream(self, follower, timeout, topics.EVENT, topics.HEAD)

    def output(
        self, server: str, panes: list[str] | None = None, session: str | None = None, *,
        since: dict[str, int] | None = None, timeout: float | None = None,
    ) -> AsyncStream:  # fmt: skip
        """As `Client.output`."""
        follower = JoinedFollower(self.paths.spool, server, panes, session, since)
        return AsyncStream(self, follower, timeout, topics.out_prefix(server), topics.EVENT, topics.HEAD)

    def subscriber(self, *prefixes: bytes) -> Any:
        """A socket of the bus."""
        return bus.subscriber(self._context, self.paths.subscribers, *prefixes)
