"""The logger's loop: log, then publish, then answer; replay on request; a heartbeat with the newest number."""

from typing import Any

import zmq

from ...shared import bus, journal, topics
from ...shared.codec import DecodeError, build, encode_event, encode_head, event_line
from ...shared.config import Config
from ...shared.errors import CtmuxError, UsageError
from ...shared.messages import Draft, Event, Filter, Get, Head, Position, Put, Tip
from ...shared.paths import Paths, ensure_private
from ...shared.service import Service
from .writer import Writer

HEARTBEAT = 1.0  # seconds; how late a subscriber at most learns that it missed the newest event


class Logger(Service):
    """Takes drafts, gives numbers, writes, publishes, replays."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("logger", paths)
        ensure_private(paths.state)
        self._config = config.logger
        self._writer = Writer(paths.journal, config.logger)
        self._ledger = self._writer.ledger
        self._publisher = bus.announcer(self.context, paths.publishers)
        self.register(self._publisher, self._subscribed)
        self._syncing = False
        self.server.handle(Put, self._put)
        self.server.handle(Get, self._get)
        self.server.handle(Position, self._position)
        self.server.handle(Tip, self._tip)
        self._beat()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "log": self._ledger.log,
            "head": self._ledger.head,
            "first": self._writer.oldest(),
            "mended": self._writer.mended,
        }

    def _put(self, request: Put, _reply: Any) -> dict[str, Any]:
        try:
            drafts = [build(Draft, dict(zip(Draft._fields, fields, strict=True)), []) for fields in request.drafts]
            if not all(isinstance(producer, str) for draft in drafts for producer in draft.ends):
                raise ValueError("ends must be names of producers")
            events = self._ledger.accept(drafts)
            lines = [event_line(event) for event in events]
        except (DecodeError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UsageError(f"not a draft: {error}") from error
        if events:
            try:
                self._writer.append(lines)
            except OSError as error:
                raise CtmuxError(f"journal cannot be written: {error}") from error
            self._ledger.commit(events)
            self._writer.rotate_if_due()
            for event in events:
                self._publish(event)
            self._sync_soon()
        return {"head": self._ledger.head}

    def _publish(self, event: Event) -> None:
        frames = encode_event(event)
        self._publisher.send_multipart(
            [topics.event(event.server, event.session, event.pane, event.kind), *frames], zmq.NOBLOCK
        )
        if event.subscription:
            self._publisher.send_multipart([topics.subscription(event.subscription), *frames], zmq.NOBLOCK)

    def _sync_soon(self) -> None:
        """fdatasync a second from now, once for all that is written until then."""
        if self._writer.dirty and not self._syncing:
            self._syncing = True
            self.after(1.0, self._sync)

    def _sync(self) -> None:
        self._syncing = False
        self._writer.sync()

    def _get(self, request: Get, _reply: Any) -> dict[str, Any]:
        wanted = build(Filter, dict(zip(Filter._fields, request.filter, strict=False)), [])
        page = journal.read(self.paths.journal, max(1, request.since), max(1, request.limit), wanted)
        return {
            "lines": page.lines,
            "next": page.next,
            "head": self._ledger.head,
            "first": self._writer.oldest(),
            "log": self._ledger.log,
        }

    def _position(self, request: Position, _reply: Any) -> dict[str, Any]:
        position, keys = self._ledger.position(request.producer)
        return {"position": position, "keys": keys}

    def _tip(self, request: Tip, _reply: Any) -> dict[str, Any]:
        return {"n": self._ledger.chains.get(f"subscription:{request.subscription}", 0)}

    def _subscribed(self) -> None:
        """Tell whoever subscribes at once where the journal is: he is connected now."""
        while self._publisher.poll(0):
            self._publisher.recv()
        self._say_head()

    def _beat(self) -> None:
        self._say_head()
        self.after(HEARTBEAT, self._beat)

    def _say_head(self) -> None:
        head = Head(self._ledger.log, self._ledger.head)
        self._publisher.send_multipart([topics.HEAD, *encode_head(head)], zmq.NOBLOCK)

    def shutdown(self) -> None:
        self._writer.close()
        super().shutdown()
