"""The matcher's loop: spools in, events out; timers for unfinished lines and timeouts.

It reads the spools itself instead of the chunks that the watchers publish: it has to be able to anyway, after a restart and
where a chunk was lost, and without the way over the bus an event comes 0.7 ms earlier (docs/architecture.md).
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from ...shared import inotify, spool
from ...shared.config import Config
from ...shared.errors import UsageError
from ...shared.folders import Folders, Touched
from ...shared.messages import (
    Close,
    Draft,
    Filter,
    Finish,
    Get,
    Position,
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
from .lines import Block
from .stream import Hit, StreamState
from .subscription import Store, Subscription

_MASK = inotify.CREATE | inotify.MOVED_TO | inotify.MODIFY | inotify.CLOSE_WRITE | inotify.DELETE
_TURN = 1 << 20  # bytes of one stream before another has its turn
_FULL = 5000  # drafts on their way: no more chunks are taken until the logger has caught up
_PIECE = 1 << 18
_TEXT_MAX = 4096  # characters of a line, match or capture in an event; the spool has the rest, from `offset` to `end`
_CAPTURES_MAX = 20
_CHECKPOINT = 5.0  # seconds; a restarted matcher need not read again what is older


class Matcher(Service):
    """Evaluates subscriptions over all streams."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("matcher", paths)
        ensure_private(paths.state)
        self._quiet = config.matcher.quiet_seconds
        self._store = Store(paths.subscriptions)
        self._streams: dict[str, StreamState] = {}
        self._quiet_timers: dict[str, Timer] = {}
        self._timeouts: dict[str, Timer] = {}
        self._folders: Folders | None = None
        self._pending: dict[str, Touched] = {}  # streams with something new
        self._finished: set[str] = set()  # streams that are over, while their spools are kept
        self._working = False
        self._checkpointing = False
        self._progress_path = f"{paths.runtime}/matcher.progress"
        self._outbox = Outbox(self, paths.control("logger"))
        ensure_private(paths.spool)
        for request, handler in (
            (Subscribe, self._subscribe), (Subscriptions, self._list), (Unsubscribe, self._unsubscribe),
            (Finish, self._finish), (Close, self._close),
        ):  # fmt: skip
            self.server.handle(request, handler)
        self._listen(bool(self._store.active))
        if self._store.active:
            self._resume()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "subscriptions": len(self._store.active),
            "streams": len(self._streams),
            "unsent": len(self._outbox),
            "skipped_bytes": sum(state.skipped for state in self._streams.values()),
        }

    # ---- start -----------------------------------------------------------------------------------------------------

    def _listen(self, wanted: bool) -> None:
        """Follow the spools only while there is something to match them with."""
        if wanted and self._folders is None:
            self._folders = Folders(self.paths.spool, _MASK, every=True)
            self.register(self._folders, self._look)
        elif not wanted and self._folders is not None:
            self._pause()
            self._folders.close()
            self._folders = None
            self._streams.clear()
            self._pending.clear()
            self._finished.clear()

    def _pause(self) -> None:
        if self._folders is not None:
            self.unregister(self._folders)

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
            fired = last["keys"] if last["position"] == start else ()
            state = self._add_stream(found, start, fired)
            self._read_spool(state, found.path, None)
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
            del self._store.active[subscription.id]
            self._store.save()
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
        progress = {f"{state.server}/{state.name}": state.lines.offset for state in self._streams.values()}

        def write() -> None:
            with open(f"{self._progress_path}.new", "w") as file:
                json.dump(progress, file)
            os.rename(f"{self._progress_path}.new", self._progress_path)

        self._outbox.put([], write)

    # ---- spools ----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Take what has happened, then read what is new."""
        if self._folders is None:
            return
        for touched in self._folders.read():
            key = f"{touched.server}/{touched.stream.name}"
            if touched.mask == inotify.DELETE:
                self._finished.discard(key)
            elif key not in self._finished:
                self._pending[key] = touched
        self._work()

    def _work(self) -> None:
        """Read on where something is new, each pane in its turn, unless the logger has to catch up first."""
        self._working = False
        for key, touched in list(self._pending.items()):
            if self._advance(key, touched):
                self._pending.pop(key, None)
        if len(self._outbox) > _FULL:
            self._pause()
            self._outbox.put([], self._go_on)
        elif self._pending and not self._working:
            self._working = True
            self.after(0.0, self._work)

    def _go_on(self) -> None:
        if self._folders is not None:
            self.register(self._folders, self._look)
            self._work()

    def _advance(self, key: str, touched: Touched) -> bool:
        """Read one turn of a stream; whether that was all."""
        state = self._streams.get(key)
        if state is None:
            state = StreamState(touched.server, touched.session, touched.stream.pane, touched.stream.name, 0)
            self._streams[key] = state
        state.session = touched.session
        if not self._relevant(state):
            state.lines.skip(max(state.lines.end, spool.size(touched.path)))
            return True
        end = spool.size(touched.path)
        self._read_spool(state, touched.path, min(end, state.lines.end + _TURN))
        return state.lines.end >= end

    def _read_spool(self, state: StreamState, path: str, end: int | None) -> None:
        """Fill a hole up to `end` (None: to the end of the spool)."""
        while end is None or state.lines.end < end:
            want = _PIECE if end is None else min(_PIECE, end - state.lines.end)
            try:
                found = spool.read(path, state.lines.end, want)
            except FileNotFoundError:
                return
            if found.offset > state.lines.end:
                state.skipped += found.offset - state.lines.end
                state.lines.skip(found.offset)
            if not found.data:
                return
            self._consume(state, found.data, time.time())

    def _consume(self, state: StreamState, data: bytes, at: float) -> None:
        blocks = state.lines.feed(data)
        relevant = self._relevant(state)
        for subscription in relevant:
            anything = subscription.kind == "timeout" and not subscription.pattern
            if anything and state.lines.end > subscription.since(state.server, state.name):
                self._end(subscription, "satisfied", state)
        if blocks and relevant:
            for block in blocks:
                self._evaluate(state, block, self._relevant(state), at)
            if not self._checkpointing:
                self._checkpointing = True
                self.after(_CHECKPOINT, self._checkpoint)
        if state.lines.tail and relevant:
            self._watch_quiet(state)

    def _relevant(self, state: StreamState) -> list[Subscription]:
        return [
            subscription
            for subscription in self._store.active.values()
            if subscription.covers(state.server, state.session, state.pane)
        ]

    def _watch_quiet(self, state: StreamState) -> None:
        """Look at the unfinished line (a prompt, say) when the stream has been quiet for a moment."""
        key = f"{state.server}/{state.name}"
        if key not in self._quiet_timers:
            self._quiet_timers[key] = self.after(self._quiet, lambda: self._quiet_now(key))

    def _quiet_now(self, key: str) -> None:
        del self._quiet_timers[key]
        state = self._streams.get(key)
        if state is None:
            return
        left = self._until_quiet(state)
        if key in self._quiet_timers:  # it has just spoken
            return
        if left > 0:
            self._quiet_timers[key] = self.after(left, lambda: self._quiet_now(key))
            return
        block = state.lines.unfinished()
        if block:
            self._evaluate(state, block, self._relevant(state), time.time())

    def _until_quiet(self, state: StreamState) -> float:
        """Seconds until the pane itself has been quiet for long enough. Its spool says so, not our own backlog: half a line
        must not be taken for a prompt because we are late."""
        path = spool.find(self.paths.spool, state.server, state.name)
        if path is None:
            return 0.0
        self._read_spool(state, path, spool.size(path))
        try:
            return os.stat(path).st_mtime + self._quiet - time.time()
        except FileNotFoundError:
            return 0.0

    # ---- events ----------------------------------------------------------------------------------------------------

    def _evaluate(self, state: StreamState, block: Block, relevant: list[Subscription], at: float) -> None:
        drafts: list[Draft] = []
        ended: dict[str, tuple[Subscription, str]] = {}
        for hit in state.hits(block, relevant):
            subscription = hit.subscription
            if subscription.id in ended:
                continue
            if subscription.kind == "timeout":
                ended[subscription.id] = (subscription, "satisfied")
                continue
            drafts.append(_matched(state, hit, at))
            if subscription.once:
                ended[subscription.id] = (subscription, "once")
        self._outbox.put(drafts)
        for subscription, reason in ended.values():
            self._end(subscription, reason, state)

    def _put_created(self, subscription: Subscription, done: Callable[[], None] | None = None) -> None:
        draft = _draft(subscription, 0, "subscription.created", {"subscription": subscription.public()})
        self._outbox.put([draft], done)

    def _end(
        self, subscription: Subscription, reason: str, state: StreamState | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Report the end and its reason; forget the subscription when that is in the journal."""
        timer = self._timeouts.pop(subscription.id, None)
        if timer:
            timer.cancel()
        self._store.active.pop(subscription.id, None)

        def written() -> None:
            self._store.save()
            self._listen(bool(self._store.active))
            if done:
                done()

        data = {"reason": reason, "name": subscription.name, "kind": subscription.kind}
        if state:
            data["by"] = f"{state.server}/{state.pane}"
        self._outbox.put([_draft(subscription, 2, "subscription.ended", data)], written)

    def _arm_timeout(self, subscription: Subscription) -> None:
        if subscription.kind == "timeout" and subscription.seconds is not None:
            left = subscription.created + subscription.seconds - time.time()
            self._timeouts[subscription.id] = self.after(max(0.0, left), lambda: self._expire(subscription))

    def _expire(self, subscription: Subscription) -> None:
        if subscription.id not in self._store.active:
            return
        self._look()  # what has come by now counts
        if subscription.id not in self._store.active:
            return
        data = {"seconds": subscription.seconds, "pattern": subscription.pattern, "name": subscription.name}
        self._outbox.put([_draft(subscription, 1, "timeout.expired", data)])
        self._end(subscription, "expired")

    # ---- requests --------------------------------------------------------------------------------------------------

    def _subscribe(self, request: Subscribe, reply: Reply) -> dict[str, Any] | None:
        known = self._store.by_token(request.token)
        if known:
            return {"subscription": known.public()}
        if request.kind not in ("pattern", "timeout"):
            raise UsageError(f"unknown kind of subscription {request.kind!r}; there are: pattern, timeout")
        if request.kind == "pattern" and not request.pattern:
            raise UsageError("a pattern is needed")
        if request.kind == "timeout" and not (request.seconds and 0 < request.seconds < 10 * 365 * 86400):
            raise UsageError("a timeout needs a number of seconds above 0")
        if request.pattern:
            pattern.check(request.pattern)
        number = self._store.next_number()
        subscription = Subscription(
            f"s{number}", number, request.kind, request.pattern, request.seconds, request.server, request.session,
            request.pane, request.once, request.name, request.token, time.time(),
        )  # fmt: skip
        self._arm(subscription)
        self._store.active[subscription.id] = subscription
        self._store.save()
        self._listen(True)
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
            if key not in self._streams:
                self._add_stream(found, size)

    def _add_stream(self, found: spool.Spool, offset: int, fired: Any = ()) -> StreamState:
        state = StreamState(found.server, found.session, found.stream.pane, found.stream.name, offset, fired)
        self._streams[f"{found.server}/{found.stream.name}"] = state
        return state

    def _list(self, _request: Subscriptions, _reply: Reply) -> dict[str, Any]:
        return {"subscriptions": [found.public() for found in self._store.active.values()]}

    def _unsubscribe(self, request: Unsubscribe, reply: Reply) -> None:
        subscription = self._store.find(request.subscription)
        self._end(subscription, "removed", done=lambda: reply({"subscription": subscription.public()}))

    def _finish(self, request: Finish, reply: Reply) -> None:
        """Evaluate a stream to its end; answer when all of it is in the journal."""
        key = f"{request.server}/{request.stream}"
        path = spool.find(self.paths.spool, request.server, request.stream)
        state = self._streams.get(key)
        if state is None and self._folders is not None and path:
            state = self._streams[key] = StreamState(request.server, request.session, request.pane, request.stream, 0)
        if state and path and self._relevant(state):
            state.session = request.session
            self._read_spool(state, path, request.end)
            last = state.lines.flush() if request.exited else state.lines.unfinished()
            if last:
                self._evaluate(state, last, self._relevant(state), time.time())
        if request.exited:
            self._streams.pop(key, None)
            self._pending.pop(key, None)
            if self._folders is not None:
                self._finished.add(key)
            for subscription in list(self._store.active.values()):
                subscription.armed.pop(key, None)
                if subscription.pane == request.pane and subscription.server in (None, request.server):
                    self._end(subscription, "pane exited")
        self._outbox.put([], lambda: reply({}))

    def _close(self, request: Close, reply: Reply) -> None:
        for subscription in list(self._store.active.values()):
            if subscription.session == request.session and subscription.server in (None, request.server):
                self._end(subscription, "session closed")
        self._outbox.put([], lambda: reply({}))


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
