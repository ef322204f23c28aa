"""The matcher's loop: spools in, events out; timers for unfinished lines and timeouts.

It reads the spools itself instead of the chunks that the watchers publish: it has to be able to anyway, after a restart and
where a chunk was lost, and without the way over the bus an event comes 0.7 ms earlier (docs/architecture.md).
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from typing import Any

from ...shared import place, spool
from ...shared.config import Config
from ...shared.errors import CtmuxError, NoTarget, UsageError
from ...shared.messages import (
    Close,
    Draft,
    Filter,
    Finish,
    Get,
    Position,
    Sent,
    Subscribe,
    Subscriptions,
    Tip,
    Unsubscribe,
)  # fmt: skip
from ...shared.outbox import Outbox
from ...shared.paths import Paths, ensure_private
from ...shared.rpc import Client, Reply, wait_answer
from ...shared.service import Service, Timer
from . import pattern
from .governor import Governor
from .lines import Block
from .reader import Reader
from .registry import Registry
from .stream import Hit, StreamState
from .subscription import Subscription

_TEXT_MAX = 4096  # characters of a line, match or capture in an event; the spool has the rest, from `offset` to `end`
_CAPTURES_MAX = 20
_BEHIND = 0.05  # seconds until a timeout is looked at again, when what has come by then is not read yet
_AGAIN = 1.0  # seconds until what a full disk refused is tried again
_RECLAIMED = "reclaimed before it was matched: the matcher was behind, or did not run; see [watcher] keep_bytes"
_ECHO = 10.0  # seconds in which a pane echoes what was sent to it
_CHECKPOINT = 5.0  # seconds; a restarted matcher need not read again what is older


class Matcher(Service):
    """Evaluates subscriptions over all streams."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("matcher", paths)
        ensure_private(paths.state)
        place.settle(paths)
        self._registry = Registry(self, paths)
        self._store, self._index = self._registry.store, self._registry.index
        self._governor = Governor()
        self._timeouts: dict[str, Timer] = {}
        self._checkpointing = False
        self._progress_path = f"{paths.runtime}/matcher.progress"
        self.outbox = Outbox(self, paths.control("logger"))
        self._reader = Reader(self, self, paths.spool, config.matcher.quiet_seconds)
        for request, handler in (
            (Subscribe, self._subscribe), (Subscriptions, self._list), (Unsubscribe, self._unsubscribe),
            (Finish, self._finish), (Close, self._close), (Sent, self._sent),
        ):  # fmt: skip
            self.server.handle(request, handler)
        if self._store.active:
            self._reader.listen(True)
            self._resume()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "subscriptions": len(self._store.active),
            "patterns": len(self._registry.engine),
            "merging": self._registry.merging,
            "streams": len(self._reader.streams),
            "unsent": len(self.outbox),
            "skipped_bytes": sum(state.skipped for state in self._reader.streams.values()),
        }

    def _drain_wake(self) -> None:
        super()._drain_wake()
        self._registry.take()

    # ---- start -----------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Go on where the journal says that the last matcher was; the spools have what has been printed since."""
        logger = Client(self.context, self.paths.control("logger"))
        for subscription in list(self._store.active.values()):
            self._settle(subscription, logger)
        progress = self._load_progress()
        for found in spool.walk(self.paths.spool):
            if os.path.exists(spool.meta(f"{self.paths.spool}/{found.server}", found.stream.name, "done")):
                continue
            since = self._earliest(found)
            last = wait_answer(logger, Position(f"match/{found.server}/{found.stream.name}"), 30.0)
            start = max(progress.get(f"{found.server}/{found.stream.name}", 0), last["position"], since)
            start = max(last["position"], spool.line_start(found.path, start))
            fired = last["keys"] if last["position"] == start else ()
            self._reader.resume(found, start, fired)
        logger.close()
        for subscription in self._store.active.values():
            self._arm_timeout(subscription)

    def _settle(self, subscription: Subscription, logger: Client) -> None:
        """End a subscription whose last event was written, but whose end was not noted before the matcher was killed."""
        tip = wait_answer(logger, Tip(subscription.id), 30.0)["n"]
        if not tip:
            self._put_created(subscription)
            return
        page = self._ask_events(logger, tip)
        kind = page.get("kind")
        if kind == "subscription.ended":
            self._registry.end(subscription)
            self._store.forget(subscription)
        elif kind == "timeout.expired":
            self._end(subscription, "expired")
        elif kind == "pattern.matched" and subscription.once:
            self._end(subscription, "once")

    def _ask_events(self, logger: Client, n: int) -> dict[str, Any]:
        lines = wait_answer(logger, Get(n, 1, list(Filter())), 30.0)["lines"]
        return json.loads(lines[0]) if lines else {}

    def _earliest(self, found: spool.Spool) -> int:
        """The first offset of a stream that any subscription is interested in; its end if there is none."""
        offsets = [
            subscription.since(found.server, found.stream.name)
            for subscription in self._store.active.values()
            if subscription.covers(found.server, found.session, found.stream.pane)
        ]
        return min(offsets) if offsets else os.path.getsize(found.path)

    def _load_progress(self) -> dict[str, int]:
        try:
            with open(self._progress_path) as file:
                loaded: dict[str, int] = json.load(file)
        except (OSError, ValueError):
            return {}
        return loaded

    def _checkpoint(self) -> None:
        """Note how far the streams are, once everything found before that is in the journal. A hint, not a truth."""
        self._checkpointing = False
        progress = {f"{state.server}/{state.name}": state.lines.offset for state in self._reader.streams.values()}

        def write() -> None:
            with contextlib.suppress(OSError):  # a full disk: the journal says it, too
                with open(f"{self._progress_path}.new", "w") as file:
                    json.dump(progress, file)
                os.rename(f"{self._progress_path}.new", self._progress_path)

        self.outbox.put([], write)

    # ---- what the reader asks and tells ----------------------------------------------------------------------------

    def wants(self, state: StreamState) -> bool:
        """Whether any subscription covers the stream."""
        return self._index.covers(state.server, state.session, state.pane)

    def grew(self, state: StreamState) -> None:
        """A stream has new output: whoever waits for any is satisfied."""
        for subscription in self._index.owners(None, state.server, state.session, state.pane):
            if state.lines.end > subscription.since(state.server, state.name):
                self._end(subscription, "satisfied", state)
        if not self._checkpointing:
            self._checkpointing = True
            self.after(_CHECKPOINT, self._checkpoint)

    def missed(self, state: StreamState, start: int, end: int) -> None:
        """A range of a stream was given back to the disk before it was matched."""
        data = {"what": "output", "stream": state.name, "start": start, "end": end, "reason": _RECLAIMED}
        self.outbox.put(
            [
                Draft(
                    state.producer, start, f"gap-{end}", "gap", time.time(), state.server, state.session, None, state.pane,
                    data=data,
                )
            ]
        )  # fmt: skip

    # ---- events ----------------------------------------------------------------------------------------------------

    def evaluate(self, state: StreamState, block: Block, at: float) -> None:
        """Report what fires in a block of lines."""
        drafts: list[Draft] = []
        ended: dict[str, tuple[Subscription, str]] = {}
        for hit in state.hits(block, self._registry.engine, self._index, self._governor):
            subscription = hit.subscription
            if subscription.id in ended:
                continue
            if subscription.kind == "timeout":
                ended[subscription.id] = (subscription, "satisfied")
                continue
            drafts.append(_matched(state, hit, at))
            if subscription.once:
                ended[subscription.id] = (subscription, "once")
        self.outbox.put(drafts)
        for subscription, reason in ended.values():
            self._end(subscription, reason, state)
        for burning, reason in self._governor.burning():
            for subscription in self._index.all_owners(burning):
                self._end(subscription, reason, state)

    def _put_created(self, subscription: Subscription, done: Callable[[], None] | None = None) -> None:
        draft = _draft(subscription, 0, "subscription.created", {"subscription": subscription.public()})
        self.outbox.put([draft], done)

    def _end(
        self, subscription: Subscription, reason: str, state: StreamState | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Report the end and its reason; forget the subscription when that is in the journal."""
        timer = self._timeouts.pop(subscription.id, None)
        if timer:
            timer.cancel()
        self._registry.end(subscription)

        def written() -> None:
            try:
                self._store.forget(subscription)
            except OSError as error:
                print(f"subscriptions: {error}; trying again", flush=True)
                self.after(_AGAIN, written)
                return
            self._reader.listen(bool(self._store.active))
            if done:
                done()

        data = {"reason": reason, "name": subscription.name, "kind": subscription.kind}
        if state:
            data["by"] = f"{state.server}/{state.pane}"
        self.outbox.put([_draft(subscription, 2, "subscription.ended", data)], written)

    def _arm_timeout(self, subscription: Subscription) -> None:
        if subscription.kind == "timeout" and subscription.seconds is not None:
            left = subscription.created + subscription.seconds - time.time()
            self._timeouts[subscription.id] = self.after(max(0.0, left), lambda: self._expire(subscription))

    def _expire(self, subscription: Subscription) -> None:
        if subscription.id not in self._store.active:
            return
        self._reader.catch_up()  # what has come by now counts
        if subscription.id not in self._store.active:
            return
        if self._reader.behind:
            self._timeouts[subscription.id] = self.after(_BEHIND, lambda: self._expire(subscription))
            return
        data = {"seconds": subscription.seconds, "pattern": subscription.pattern, "name": subscription.name}
        self.outbox.put([_draft(subscription, 1, "timeout.expired", data)])
        self._end(subscription, "expired")

    # ---- requests --------------------------------------------------------------------------------------------------

    def _subscribe(self, request: Subscribe, reply: Reply) -> dict[str, Any] | None:
        known = self._store.by_token(request.token)
        if known:  # asked again: the answer is the same, and not sooner
            self.outbox.put([], lambda: reply({"subscription": known.public()}))
            return None
        if self.outbox.trouble:
            raise CtmuxError(f"nothing can be subscribed now: {self.outbox.trouble}")
        if request.kind not in ("pattern", "timeout"):
            raise UsageError(f"unknown kind of subscription {request.kind!r}; there are: pattern, timeout")
        if request.kind == "pattern" and not request.pattern:
            raise UsageError("a pattern is needed")
        if request.kind == "timeout" and not (request.seconds and 0 < request.seconds < 10 * 365 * 86400):
            raise UsageError("a timeout needs a number of seconds above 0")
        if request.pattern:
            pattern.check(request.pattern)
        if request.pane and request.server:
            streams = [s for s in spool.walk_server(self.paths.spool, request.server) if s.stream.pane == request.pane]
            done = [spool.meta(f"{self.paths.spool}/{request.server}", s.stream.name, "done") for s in streams]
            if done and all(map(os.path.exists, done)):
                raise NoTarget(f"{request.pane} has exited")
        number = self._store.next_number()
        subscription = Subscription(
            f"s{number}", number, request.kind, request.pattern, request.seconds, request.server, request.session,
            request.pane, request.once, request.name, request.token, time.time(),
        )  # fmt: skip
        self._reader.listen(True)  # before it is armed: what comes from then on is seen
        self._arm(subscription)
        try:
            self._registry.add(subscription)
        except OSError as error:
            raise CtmuxError(f"the subscription cannot be saved: {error}") from error
        self._arm_timeout(subscription)
        self._put_created(subscription, lambda: reply({"subscription": subscription.public()}))
        return None

    def _arm(self, subscription: Subscription) -> None:
        """From here on it counts: everything that is in the spools now was there before."""
        for found in spool.walk(self.paths.spool):
            key = f"{found.server}/{found.stream.name}"
            size = spool.size(found.path)
            if subscription.pane in (None, found.stream.pane):
                subscription.armed[key] = size
            over = os.path.exists(spool.meta(f"{self.paths.spool}/{found.server}", found.stream.name, "done"))
            if key not in self._reader.streams and not over:
                self._reader.add(found, spool.line_start(found.path, size))

    def _list(self, _request: Subscriptions, _reply: Reply) -> dict[str, Any]:
        return {"subscriptions": [found.public() for found in self._store.active.values()]}

    def _unsubscribe(self, request: Unsubscribe, reply: Reply) -> None:
        subscription = self._store.find(request.subscription)
        self._end(subscription, "removed", done=lambda: reply({"subscription": subscription.public()}))

    def _finish(self, request: Finish, reply: Reply) -> None:
        """Evaluate a stream to its end; answer when all of it is in the journal."""

        def finished() -> None:
            for subscription in list(self._store.active.values()):
                if request.over:
                    subscription.armed.pop(f"{request.server}/{request.stream}", None)
                if request.exited and subscription.pane == request.pane and subscription.server in (None, request.server):
                    self._end(subscription, "pane exited")
            self.outbox.put([], lambda: reply({}))

        self._reader.finish(request, finished)

    def _close(self, request: Close, reply: Reply) -> None:
        for subscription in list(self._store.active.values()):
            if subscription.session == request.session and subscription.server in (None, request.server):
                self._end(subscription, "session closed")
        self.outbox.put([], lambda: reply({}))

    def _sent(self, request: Sent, _reply: Reply) -> dict[str, Any]:
        """Expect the echo of a text behind what the pane has printed by now."""
        for found in spool.walk_server(self.paths.spool, request.server):
            state = self._reader.streams.get(f"{found.server}/{found.stream.name}")
            if state and found.stream.pane == request.pane:
                self.after(_ECHO, state.typed.add(request.text, spool.size(found.path)))
        return {}


def _draft(subscription: Subscription, position: int, kind: str, data: dict[str, Any]) -> Draft:
    producer = f"subscription/{subscription.id}"
    return Draft(
        producer, position, "", kind, time.time(), subscription.server, subscription.session, None, subscription.pane,
        subscription.id, data, [producer] if kind == "subscription.ended" else [],
    )  # fmt: skip


def _matched(state: StreamState, hit: Hit, at: float) -> Draft:
    data = {
        "name": hit.subscription.name,
        "pattern": hit.subscription.pattern,
        "line": hit.line[:_TEXT_MAX],
        "match": hit.match.text[:_TEXT_MAX],
        "captures": [text and text[:_TEXT_MAX] for text in hit.match.captures[:_CAPTURES_MAX]],
        "named": {name: text and text[:_TEXT_MAX] for name, text in hit.match.named.items()},
        "stream": state.name,
        "offset": hit.offset,
        "end": hit.end,
        "partial": hit.partial,
        "truncated": hit.truncated,
    }
    return Draft(
        state.producer, hit.offset, hit.subscription.id, "pattern.matched", at, state.server, state.session, None,
        state.pane, hit.subscription.id, data,
    )  # fmt: skip
