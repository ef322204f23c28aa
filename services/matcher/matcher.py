"""The matcher's loop: spools in, events out; what is asked of it, and what it is told of panes.

It reads the spools itself instead of the chunks that the watchers publish: it has to be able to anyway, after a restart and
where a chunk was lost, and without the way over the bus an event comes 0.7 ms earlier (docs/architecture.md).
"""

import time
from collections.abc import Callable
from typing import Any

from ...shared import place, spool
from ...shared.config import Config
from ...shared.errors import CtmuxError
from ...shared.messages import Close, Draft, Explain, Finish, Sent, Subscribe, Subscriptions, Unsubscribe
from ...shared.outbox import Outbox
from ...shared.paths import Paths, ensure_private
from ...shared.rpc import Client, Reply
from ...shared.service import Service
from . import arming, commands, drafts, facts
from .context import Context
from .explain import explain
from .governor import Governor
from .history import History
from .lines import Block
from .reader import Note, Reader
from .recovery import Recovery
from .registry import Registry
from .rules import Rules, Told
from .silence import Silence
from .stream import Hit, StreamState
from .subscription import EXIT, OUTPUT, Subscription
from .times import Times

_AGAIN = 1.0  # seconds until what a full disk refused is tried again
_ECHO = 10.0  # seconds in which a pane echoes what was sent to it
_CHECKPOINT = 5.0  # seconds; a restarted matcher need not read again what is older


class Matcher(Service):
    """Evaluates subscriptions over all streams."""

    def __init__(self, paths: Paths, config: Config):
        super().__init__("matcher", paths)
        ensure_private(paths.state)
        place.settle(paths)
        self.registry = Registry(self, paths)
        self._store, self._index = self.registry.store, self.registry.index
        self.outbox = Outbox(self, paths.control("logger"))
        self.rules = Rules(self, self, paths.facts, paths.spool)
        self.reader = Reader(self, self, paths.spool, config.matcher.quiet_seconds)
        self.governor = Governor()
        self._silence = Silence(self, self.rules, self.caught_up)
        self._context = Context(self, self.rules)
        self._history = History(self, self, paths.spool)
        self._recovery = Recovery(Client(self.context, paths.control("logger")), f"{paths.runtime}/matcher.progress")
        self._checkpointing = False
        for request, handler in (
            (Subscribe, self._subscribe), (Subscriptions, self._list), (Explain, self._explain),
            (Unsubscribe, self._unsubscribe), (Finish, self._finish), (Close, self._close), (Sent, self._sent),
        ):  # fmt: skip
            self.server.handle(request, handler)
        self._resume()
        self._recovery.close()

    def status(self) -> dict[str, Any]:
        return {
            **super().status(),
            "subscriptions": len(self._store.active),
            "patterns": len(self.registry.engine),
            "merging": self.registry.merging,
            "streams": len(self.reader.streams),
            "unsent": len(self.outbox),
            "skipped_bytes": sum(state.skipped for state in self.reader.streams.values()),
        }

    def _drain_wake(self) -> None:
        super()._drain_wake()
        self.registry.take()

    # ---- start -----------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Go on where the last matcher was; the spools have what has been printed since."""
        reported = {found.id: self._settle(found) for found in list(self._store.active.values())}
        for subscription in self._store.active.values():
            if not subscription.plain:
                self.rules.add(subscription)
        self.rules.resume(self._store.active, reported)
        noted = self._recovery.noted()
        for found in spool.walk(self.paths.spool):
            if not arming.is_done(self.paths.spool, found):
                note = noted.get(f"{found.server}/{found.stream.name}")
                self.reader.resume(found, *self._recovery.start(found, note, self._earliest(found)), note)
        for subscription in list(self._store.active.values()):
            self._begin(subscription)

    def _settle(self, subscription: Subscription) -> int:
        """End a subscription whose last event was written, but whose end was not noted before the matcher was killed. The
        position of that event."""
        last = self._recovery.last_event(subscription)
        if last is None:
            self.outbox.put([drafts.created(subscription)])
            return 0
        if last["kind"] == "subscription.ended":
            self.registry.end(subscription)
            self._forget(subscription)
        elif last["kind"] == "pattern.matched" and subscription.plain and subscription.options.count:
            self._end(subscription, "once")
        return int(last["position"])

    def _earliest(self, found: spool.Spool) -> int:
        """The first offset of a stream that any subscription is interested in; its end if there is none."""
        offsets = [
            subscription.since(found.server, found.stream.name)
            for subscription in self._store.active.values()
            if subscription.covers(found.server, found.session, found.stream.pane) and subscription.options.start == "now"
        ]
        return min(offsets) if offsets else spool.size(found.path)

    def _begin(self, subscription: Subscription) -> None:
        """What is to be done for a subscription that is armed, beside waiting for lines."""
        if subscription.kind == "idle":
            self._silence.begin(subscription, self.reader.streams.values())
        if subscription.options.start != "now":
            for state in self.reader.streams.values():
                if subscription.covers(state.server, state.session, state.pane):
                    self._history.begin(subscription, state, subscription.since(state.server, state.name))
        rule = self.rules.by_id.get(subscription.id)
        if rule and rule.held:
            self._context.begin(rule)

    def _note_soon(self) -> None:
        if not self._checkpointing:
            self._checkpointing = True
            self.after(_CHECKPOINT, self._checkpoint)

    def _checkpoint(self) -> None:
        """Note how far the streams are, once everything found before that is in the journal."""
        self._checkpointing = False
        progress = {
            f"{state.server}/{state.name}": Note(state.lines.offset, state.commands_end, state.commands.dump())
            for state in self.reader.streams.values()
        }
        if not self.rules.stuck:
            self.outbox.put([], lambda: self._recovery.note(progress))

    # ---- what the reader asks and tells ----------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether nothing may be read now, because a full disk takes nothing that follows from it."""
        return self.rules.stuck

    def released(self) -> None:
        """The full disk takes something again."""
        self.reader.look()

    def lives(self, subscription: Subscription) -> bool:
        return subscription.id in self._store.active

    @property
    def remembers(self) -> bool:
        """Whether any subscription counts times."""
        return bool(self.rules.by_id)

    def caught_up(self) -> bool:
        """Read what is there; whether that was all."""
        self.reader.catch_up()
        return not self.reader.behind

    def wants(self, state: StreamState) -> bool:
        """Whether any subscription covers the stream."""
        return self._index.covers(state.server, state.session, state.pane)

    def grew(self, state: StreamState, at: float) -> None:
        """A stream has new output: whoever waits for any is told."""
        told: list[Told] = []
        for subscription in self._index.owners(OUTPUT, state.server, state.session, state.pane):
            if state.lines.end <= subscription.since(state.server, state.name):
                continue
            if subscription.kind == "idle":
                self._silence.spoke(subscription, state, at)
            else:
                key = f"output/{state.server}/{state.name}"
                fact = {"is": "output", "at": at, "key": key, "position": state.lines.end, **facts.of(state)}
                told.append((subscription.id, fact))
        self.rules.tell(told)
        self._note_soon()

    def missed(self, state: StreamState, start: int, end: int) -> None:
        """A range of a stream was given back to the disk before it was matched."""
        gap = drafts.missed(state, start, end)
        self.rules.once_saved(lambda: self.outbox.put([gap]))

    def marked(self, state: StreamState, found: list[commands.Fact]) -> None:
        """A shell has said something of its commands: that is in the journal, whoever waits for it."""
        told: list[Told] = []
        for one in found:
            want, fact = facts.of_shell(state, one)
            owners = self._index.owners(want, state.server, state.session, state.pane) if want else []
            since = (owner.id for owner in owners if one.offset >= owner.since(state.server, state.name))
            told += [(id, fact) for id in since]
        self.rules.tell(told)
        self.outbox.put([drafts.of_shell(state, one) for one in found if not isinstance(one, commands.Prompt)])
        self._note_soon()

    def evaluate(self, state: StreamState, block: Block, times: Times) -> None:
        """Report what fires in a block of lines."""
        hits = state.hits(block, self.registry.engine, self._index, self.governor)
        self.report(state, [hit for hit in hits if not self._history.hides(hit, state)], times)

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None:
        """Events of plain subscriptions; the others are told, and that is kept, before anything goes out."""
        events: list[Draft] = []
        told: list[Told] = []
        ended: dict[str, Subscription] = {}
        for hit in hits:
            subscription = hit.subscription
            if subscription.id in ended:
                continue
            at = times.of(hit.end)
            fact = facts.line(state, hit, at)
            if not subscription.plain:
                fact |= self._context.before(subscription, state, hit)
                told.append((subscription.id, fact))
                continue
            before = state.seen.get(subscription.id, {"times": 0})["times"]
            state.seen[subscription.id] = {"times": before + 1, "at": at, "line": fact["line"], "offset": hit.offset}
            event = drafts.matched(state, hit, fact)
            events.append(event)
            told += self.rules.members(subscription, fact, event.data)
            if subscription.options.count:
                ended[subscription.id] = subscription
        self.rules.tell(told)
        self.rules.once_saved(lambda: self._context.follow(state, hits))
        self.rules.once_saved(lambda: self.outbox.put(events))
        for subscription in ended.values():
            self._end(subscription, "once", f"{state.server}/{state.pane}")
        for burning, reason in self.governor.burning():
            for subscription in self._index.all_owners(burning):
                self._end(subscription, reason, f"{state.server}/{state.pane}")

    # ---- ends ------------------------------------------------------------------------------------------------------

    def ended(self, subscription: Subscription, reason: str, by: str | None) -> None:
        """A rule is over, by what a pane did if it was one."""
        if subscription.id in self._store.active:
            self._end(subscription, reason, by)

    def _end(
        self, subscription: Subscription, reason: str, by: str | None = None,
        done: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Report the end and its reason; forget the subscription when that is in the journal."""
        if subscription.options.after:
            self._context.end(subscription)
        self.registry.end(subscription)
        self._silence.end(subscription)
        self.rules.once_saved(lambda: self._report_end(subscription, reason, by, done))

    def _report_end(
        self, subscription: Subscription, reason: str, by: str | None, done: Callable[[], None] | None
    ) -> None:  # fmt: skip
        self.outbox.put([drafts.ended(subscription, reason, by)], lambda: self._forget(subscription, done))
        self.rules.remove(subscription)

    def _answer(self, reply: Reply) -> None:
        """Say that it is done, when all that follows from it is in the journal."""
        self.rules.once_saved(lambda: self.outbox.put([], lambda: reply({})))

    def _forget(self, subscription: Subscription, done: Callable[[], None] | None = None) -> None:
        try:
            self._store.forget(subscription)
        except OSError as error:
            print(f"subscriptions: {error}; trying again", flush=True)
            self.after(_AGAIN, lambda: self._forget(subscription, done))
            return
        if done:
            done()

    # ---- requests --------------------------------------------------------------------------------------------------

    def _subscribe(self, request: Subscribe, reply: Reply) -> dict[str, Any] | None:
        known = self._store.by_token(request.token)
        if known:  # asked again: the answer is the same, and not sooner
            self.outbox.put([], lambda: reply({"subscription": known.public()}))
            return None
        if self.outbox.trouble:
            raise CtmuxError(f"nothing can be subscribed now: {self.outbox.trouble}")
        subscription = arming.subscription(request, self._store, self.paths.spool)
        self._arm(subscription)
        try:
            self.registry.add(subscription)
        except OSError as error:
            raise CtmuxError(f"the subscription cannot be saved: {error}") from error
        created = drafts.created(subscription)
        self.outbox.put([created], lambda: reply({"subscription": subscription.public()}))
        if not subscription.plain:
            self.rules.add(subscription)
        self._begin(subscription)
        return None

    def _arm(self, subscription: Subscription) -> None:
        """From here on it counts: everything that is in the spools now was there before."""
        for found in spool.walk(self.paths.spool):
            key = f"{found.server}/{found.stream.name}"
            if subscription.pane in (None, found.stream.pane):
                subscription.armed[key] = arming.start(subscription, found)
            covered = subscription.covers(found.server, found.session, found.stream.pane)
            state = self.reader.streams.get(key)
            if covered and not (state and self.wants(state)) and not arming.is_done(self.paths.spool, found):
                self.reader.begin(found)

    def _list(self, _request: Subscriptions, _reply: Reply) -> dict[str, Any]:
        return {"subscriptions": [found.public() for found in self._store.active.values()]}

    def _explain(self, request: Explain, _reply: Reply) -> dict[str, Any]:
        subscription = self._store.find(request.subscription)
        return explain(subscription, self.rules.by_id.get(subscription.id), self.reader.streams.values(), time.time())

    def _unsubscribe(self, request: Unsubscribe, reply: Reply) -> None:
        subscription = self._store.find(request.subscription)
        self._end(subscription, "removed", done=lambda: reply({"subscription": subscription.public()}))

    def _finish(self, request: Finish, reply: Reply) -> None:
        """Evaluate a stream to its end; answer when all of it is in the journal."""

        def finished() -> None:
            if request.over:
                self._context.flush(request.server, request.stream)
                self._silence.over(request.server, request.stream)
            if request.program:
                self._exited(request, request.program)
            for subscription in list(self._store.active.values()):
                if request.over:
                    subscription.armed.pop(f"{request.server}/{request.stream}", None)
                if request.exited and subscription.pane == request.pane and subscription.server in (None, request.server):
                    self._end(subscription, "pane exited")
            self._answer(reply)

        self.reader.finish(request, lambda: self.rules.once_saved(finished))

    def _exited(self, request: Finish, program: dict[str, int | None]) -> None:
        """Tell that a pane's program has ended, before that is in the journal: nothing of a pane comes after its exit."""
        owners = self._index.owners(EXIT, request.server, request.session, request.pane)
        following = [rule.subscription for rule in self.rules.by_id.values() if rule.follows(request.server, request.pane)]
        fact = {
            "is": "exit", "at": time.time(), "key": f"exit/{request.server}/{request.pane}/{program['pid']}", "position": 0,
            "server": request.server, "session": request.session, "pane": request.pane, "stream": request.stream, **program,
        }  # fmt: skip
        self.rules.tell([(subscription.id, fact) for subscription in (*owners, *following)])

    def _sent(self, request: Sent, _reply: Reply) -> dict[str, Any]:
        """Expect the echo of a text behind what the pane has printed by now."""
        for found in spool.walk_server(self.paths.spool, request.server):
            state = self.reader.streams.get(f"{found.server}/{found.stream.name}")
            if state and found.stream.pane == request.pane:
                self.after(_ECHO, state.typed.add(request.text, spool.size(found.path)))
        return {}

    def _close(self, request: Close, reply: Reply) -> None:
        for subscription in list(self._store.active.values()):
            if subscription.session == request.session and subscription.server in (None, request.server):
                self._end(subscription, "session closed")
        self._answer(reply)
