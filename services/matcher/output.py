"""What the reader has read: told to whoever waits for it, and in the journal as events."""

from ...shared.messages import Draft
from ...shared.outbox import Outbox
from . import commands, drafts, facts
from .context import Context
from .history import History
from .life import Life
from .lines import Block
from .members import Told
from .progress import Progress
from .registry import Registry
from .rules import Rules
from .silence import Silence
from .stream import Hit, StreamState
from .subscription import OUTPUT
from .times import Times


class Output:
    """The owner of the reader."""

    def __init__(
        self, registry: Registry, rules: Rules, outbox: Outbox, progress: Progress, life: Life,
        silence: Silence, context: Context, history: History,
    ):  # fmt: skip
        self.outbox, self._rules, self._progress, self._life = outbox, rules, progress, life
        self._engine, self._index, self._governor = registry.engine, registry.index, registry.governor
        self._silence, self._context, self._history = silence, context, history

    @property
    def held(self) -> bool:
        """Whether nothing may be read now, because a full disk takes nothing that follows from it."""
        return self._rules.stuck

    @property
    def remembers(self) -> bool:
        """Whether any subscription counts times."""
        return bool(self._rules.by_id)

    def wants(self, state: StreamState) -> bool:
        """Whether any subscription covers the stream."""
        return self._index.covers(state.server, state.session, state.pane)

    def came(self, state: StreamState) -> None:
        """A stream has begun, or its pane has come from another session: from now on it may be silent."""
        for subscription in self._index.owners(OUTPUT, state.server, state.session, state.pane):
            if subscription.kind == "idle":
                self._silence.begin(subscription, [state])

    def grew(self, state: StreamState, begin: int, times: Times) -> None:
        """A stream has new output from `begin` on: who waits for any has its first byte, who waits for silence its last."""
        told: list[Told] = []
        for subscription in self._index.owners(OUTPUT, state.server, state.session, state.pane):
            since = subscription.since(state.server, state.name)
            if state.lines.end <= since:
                continue
            if subscription.kind == "idle":
                self._silence.spoke(subscription, state, times.latest)
            else:
                key = f"output/{state.server}/{state.name}"
                at = times.of(max(begin, since) + 1)
                fact = {"is": "output", "at": at, "key": key, "position": state.lines.end, **facts.of(state)}
                told.append((subscription.id, fact))
        self._rules.tell(told)
        self._progress.soon()

    def missed(self, state: StreamState, start: int, end: int) -> None:
        """A range of a stream was given back to the disk before it was matched."""
        gap = drafts.missed(state, start, end)
        self._rules.once_saved(lambda: self.outbox.put([gap]))

    def marked(self, state: StreamState, found: list[commands.Fact]) -> None:
        """A shell has said something of its commands: that is in the journal, whoever waits for it."""
        told: list[Told] = []
        for one in found:
            want, fact = facts.of_shell(state, one)
            owners = self._index.owners(want, state.server, state.session, state.pane) if want else []
            since = (owner.id for owner in owners if one.offset >= owner.since(state.server, state.name))
            told += [(id, fact) for id in since]
        self._rules.tell(told)
        events = [drafts.of_shell(state, one) for one in found if not isinstance(one, commands.Prompt)]
        self._rules.once_saved(lambda: self.outbox.put(events))
        self._progress.soon()

    def evaluate(self, state: StreamState, block: Block, times: Times) -> None:
        """Report what fires in a block of lines."""
        hits = state.hits(block, self._engine, self._index, self._governor)
        self.report(state, [hit for hit in hits if not self._history.hides(hit, state)], times)

    def report(self, state: StreamState, hits: list[Hit], times: Times) -> None:
        """Events of plain subscriptions; the others are told, and that is kept, before anything goes out."""
        events: list[Draft] = []
        told: list[Told] = []
        around = self._context.around(state.server, state.name, hits[-1].offset if hits else 0)
        for hit in hits:
            subscription = hit.subscription
            rule = self._rules.by_id.get(subscription.id)
            if not subscription.plain and (rule is None or rule.closing):
                continue  # over, by a line before this one
            at = times.of(hit.came)
            fact = facts.line(state, hit, at)
            if not subscription.plain:
                told.append((subscription.id, fact | self._context.before(around, hit)))
                if subscription.options.count:  # at once: this line may be its last
                    self._rules.tell(told)
                    told = []
                continue
            before = state.seen.get(subscription.id, {"times": 0})["times"]
            state.seen[subscription.id] = {"times": before + 1, "at": at, "line": fact["line"], "offset": hit.offset}
            event = drafts.matched(state, hit, fact)
            events.append(event)
            told += self._rules.members.matched(subscription.id, fact, event.data)
        self._rules.tell(told)
        self._rules.once_saved(lambda: self._context.follow(state, hits))
        self._rules.once_saved(lambda: self.outbox.put(events))
        for burning, reason in self._governor.burning():
            for subscription in self._index.all_owners(burning):
                self._life.end(subscription, reason, f"{state.server}/{state.pane}")
