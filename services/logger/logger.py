"""The logger's loop: log, then publish, then answer; replay on request; a heartbeat with the newest number."""

import contextlib
import time
from typing import Any, NamedTuple

import zmq

from ...shared import bus, journal, topics
from ...shared.codec import DecodeError, build, encode_event, encode_head, event_line, timestamp
from ...shared.config import Config
from ...shared.errors import CtmuxError, UsageError
from ...shared.messages import Draft, Event, Filter, Get, Head, Positions, Put, Tip
from ...shared.paths import Paths, ensure_private
from ...shared.service import Service
from .writer import Writer

_ANSWER_MAX = 1 << 18  # bytes: far below what fits a frame
HEARTBEAT = 1.0  # seconds; how late a subscriber at most learns that it missed the newest event


class Stall(NamedTuple):
    """The journal cannot be written: since when (seconds since the epoch), and why."""

    since: float
    reason: str


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
        self._stalled: Stall | None = None
        self.server.handle(Put, self._put)
        self.server.handle(Get, self._get)
        self.server.handle(Positions, self._positions)
        self.server.handle(Tip, self._tip)
        self._lost: list[journal.Range] = []
        self._tell_lost()
        self._beat()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "log": self._ledger.log,
            "head": self._ledger.head,
            "first": self._writer.oldest(),
            "mended": self._writer.mended,
            "lost": self._lost,
            "trouble": self._stalled and {"since": timestamp(self._stalled.since), "reason": self._stalled.reason},
        }

    def _put(self, request: Put, _reply: Any) -> dict[str, Any]:
        try:
            drafts = [build(Draft, dict(zip(Draft._fields, fields, strict=True)), []) for fields in request.drafts]
            if not all(isinstance(producer, str) for draft in drafts for producer in draft.ends):
                raise ValueError("ends must be names of producers")
            events = self._ledger.accept(drafts)
            lines = [event_line(event) for event in events]
            if any(len(line) > journal.LINE_MAX for line in lines):
                raise ValueError(f"an event has at most {journal.LINE_MAX >> 10} KiB in the journal")
        except (DecodeError, TypeError, ValueError, OverflowError, OSError, RecursionError) as error:  # OSError: of a time
            raise UsageError(f"not a draft: {error}") from error
        if events:
            self._write(events, lines)
            if self._stalled:
                self._go_on()
        return {"head": self._ledger.head}

    def _write(self, events: list[Event], lines: list[bytes]) -> None:
        """Raises CtmuxError when they cannot be written; then nothing was, and they will be sent again."""
        try:
            self._writer.append(lines)
        except OSError as error:
            if self._stalled is None:
                print(f"journal: {error}; nothing is acknowledged until it can be written", flush=True)
            self._stalled = self._stalled or Stall(time.time(), str(error))
            raise CtmuxError(f"journal cannot be written: {error}") from error
        self._ledger.commit(events)
        self._writer.rotate_if_due()
        for event in events:
            self._publish(event)
        self._sync_soon()

    def _go_on(self) -> None:
        """The journal can be written again: say so in it."""
        stall, now = self._stalled, time.time()
        assert stall
        data = {"since": timestamp(stall.since), "seconds": round(now - stall.since, 3), "reason": stall.reason}
        position = max(int(now * 1e6), self._ledger.position("journal")[0] + 1)  # the clock may have been set back
        events = self._ledger.accept([Draft("journal", position, "", "journal.stalled", now, data=data)])
        with contextlib.suppress(CtmuxError):  # full again: said with the next
            self._write(events, [event_line(event) for event in events])
            self._stalled = None

    def _tell_lost(self) -> None:
        """What was damaged while nobody wrote: each range once, by its position, however often the files are read."""
        now, told = time.time(), []
        for first, last in self._writer.lost:
            data = {"what": "events", "start": first, "end": last, "reason": journal.DAMAGED}
            told.append(Draft("journal/lost", first, "", "gap", now, data=data))
        events = self._ledger.accept(told)
        self._lost = [(event.data["start"], event.data["end"]) for event in events]
        for sentence in self._writer.mended:
            print(f"journal: {sentence}", flush=True)
        if events:
            with contextlib.suppress(CtmuxError):  # the disk is full: said of the same files by the next logger
                self._write(events, [event_line(event) for event in events])

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
        try:
            self._writer.sync()
        except OSError as error:  # delayed allocation finds out only now that the disk is full
            self._stalled = self._stalled or Stall(time.time(), str(error))
            print(f"journal: {error}", flush=True)
            self._sync_soon()

    def _get(self, request: Get, _reply: Any) -> dict[str, Any]:
        wanted = build(Filter, dict(zip(Filter._fields, request.filter, strict=False)), [])
        page = journal.read(self.paths.journal, max(1, request.since), max(1, request.limit), wanted)
        return {
            "lines": page.lines,
            "next": page.next,
            "damaged": page.damaged,
            "head": self._ledger.head,
            "first": self._writer.oldest(),
            "log": self._ledger.log,
        }

    def _positions(self, request: Positions, _reply: Any) -> dict[str, Any]:
        return {"positions": self._ledger.positions(request.producers, _ANSWER_MAX)}

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
