"""One stream as the matcher goes through it: how far it is, and what has fired on the line it stands in. Pure."""

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ...shared import terminal
from ...shared.moves import Route
from . import cuts, pattern, visible
from .commands import Commands
from .engine import Engine
from .governor import Governor
from .index import Index
from .lines import Block, Lines
from .subscription import Subscription
from .text import Text, valid
from .times import Times
from .typed import Typed


class Hit(NamedTuple):
    """A line that a subscription looks for: `offset`..`end` are its bytes in the stream; it matches by those before `came`.
    `matches`: those of its patterns that match, by their index, the lowest first."""

    subscription: Subscription
    offset: int
    end: int
    came: int
    line: str
    matches: list[tuple[int, pattern.Match]]
    partial: bool
    truncated: bool

    @property
    def match(self) -> pattern.Match:
        return self.matches[0][1]


class _View(NamedTuple):
    """A block as some subscriptions see it. `of`: only those with (without) `include_echo`; None: all."""

    raw: bytes
    text: Text
    of: bool | None


class _Found(NamedTuple):
    """A match in a view, and who looks for it."""

    pattern: str
    match: pattern.Match
    owners: list[Subscription]
    view: _View


Mark = str | tuple[str, int]


class StreamState:
    """Position and unfinished line of one stream. `session`: the one that what is looked at now was printed in."""

    def __init__(self, server: str, session: str, pane: str, name: str, offset: int, fired: Iterable[str] = ()):
        self.server, self.session, self.pane, self.name = server, session, pane, name
        self.route = Route(session)
        self.lines = Lines(offset)
        self.skipped = 0  # bytes that were reclaimed before they were read
        self.visible: visible.State | None = None  # what is to be seen where the stream stands; None: not known
        self.typed = Typed()
        self.commands = Commands()
        self.commands_end = offset  # how far `commands` has come: it sees bytes, not lines
        self.times = Times(0.0)  # when what was read last was printed: the unfinished line, too
        self._cut = b""  # the sequence that is unfinished at the end of a piece of a long line
        self.missing: int | None = None  # where a range that cannot be read begins, as long as its end is not known
        self._fired_line = offset  # the line that `_fired` is of
        self._fired: set[Mark] = set(fired)
        self.seen: dict[str, dict[str, Any]] = {}  # plain subscription -> the last line that fired it here, and how many

    @property
    def producer(self) -> str:
        return f"match/{self.server}/{self.name}"

    def jump(self) -> None:
        """Bytes were passed over: what is to be seen behind them is not known."""
        self.visible, self._cut = None, b""

    def look_back(self, read: visible.Read, offset: int, first: visible.State) -> None:
        """Begin at `offset`, whatever is printed before: as `visible.at`."""
        self.visible, self._cut = visible.at(read, offset, first), cuts.before(read, offset)

    def hits(self, block: Block, engine: Engine, index: Index, governor: Governor) -> list[Hit]:
        """What fires in a block, in the order of lines, then of subscriptions. One line fires a subscription once; one that
        remembers is told again of a line whose rest matches more."""
        views, after = self._views(block, index.echoes > 0)
        matches = [one for view in views for one in self._search(view, engine, index, governor)]
        if not matches:  # most blocks
            self._remember([], block, after)
            return []
        spans = terminal.line_spans(block.raw, {one.match.line for one in matches})
        found: list[Hit] = []
        for one in matches:
            start, end = spans[one.match.line]
            for owner in one.owners:
                hit = self._armed(owner, one, block.offset + start, block.offset + end, block)
                if hit:
                    found.append(hit)
        found.sort(key=lambda hit: (hit.offset, hit.subscription.number, hit.matches[0][0]))
        fresh = [hit for hit in _joined(found) if not self._has_fired(hit)]
        self._remember(fresh, block, after)
        return fresh

    def _views(self, block: Block, echoes: bool) -> tuple[list[_View], visible.State]:
        """A block as those see it who look for output; as those do who want echo, too, if `echoes`; the state behind it."""
        state = self.visible or visible.State()
        shown, with_echo, after = visible.parts(self._cut + block.raw, state)
        raw = block.raw
        if self.typed:
            raw = self.typed.hide(raw, block.offset, not block.partial, lambda at: self._state(block, at).echo)
            if raw != block.raw:
                shown = visible.parts(self._cut + raw, state)[0]
        text = Text(terminal.clean(shown))
        if not echoes or shown is with_echo:
            return [_View(raw, text, None)], after
        return [_View(raw, text, False), _View(block.raw, Text(terminal.clean(with_echo)), True)], after

    def _state(self, block: Block, at: int) -> visible.State:
        """What is to be seen at a place of a block."""
        return visible.parts(self._cut + block.raw[:at], self.visible or visible.State())[2]

    def _search(self, view: _View, engine: Engine, index: Index, governor: Governor) -> Iterator[_Found]:
        for wanted, where in engine.candidates(view.text.cleaned):
            owners = index.owners(wanted, self.server, self.session, self.pane)
            if view.of is not None:
                owners = [owner for owner in owners if owner.options.include_echo == view.of]
            if owners:
                began = time.thread_time()
                matches, size = view.text.search(wanted, where)
                governor.charge(wanted, time.thread_time() - began, size, len(matches))
                yield from (_Found(wanted, match, owners, view) for match in matches)

    def _armed(self, owner: Subscription, found: _Found, offset: int, end: int, block: Block) -> Hit | None:
        """The hit of a line, unless it was there before the owner was armed."""
        _pattern, match, _owners, view = found
        text = view.text.line(match.start)
        since = owner.since(self.server, self.name)
        if end <= since:
            return None

        def seen(stop: int) -> bytes:
            """What counts for the owner of the line up to there."""
            at = max(offset, since) - block.offset
            part = cuts.unfinished(self._cut + view.raw[:at]) + view.raw[at : stop - block.offset]
            shown, with_echo, _after = visible.parts(part, self._state(block, at))
            return valid(terminal.clean(with_echo if owner.options.include_echo else shown)).strip(b"\n")

        if offset < since:  # armed in the middle of this line: only what came after that counts
            text = seen(end)
            again = next(iter(pattern.search(found.pattern, text)), None)
            if again is None:
                return None
            match = again
        parts = self.times.inside(max(offset, since), end)  # a question may have been there long before its line was whole
        first = bisect_left(parts, True, key=lambda stop: any(pattern.search(found.pattern, seen(stop))))
        came = parts[first] if first < len(parts) else end
        truncated = block.truncated and end == block.offset + len(block.raw)
        line = text.decode(errors="replace")
        matches = [(index, match) for index, own in enumerate(owner.texts) if own == found.pattern]
        return Hit(owner, offset, end, came, line, matches, block.partial, truncated)

    def _has_fired(self, hit: Hit) -> bool:
        return hit.offset == self._fired_line and _marks(hit) <= self._fired

    def _remember(self, hits: list[Hit], block: Block, after: visible.State) -> None:
        for hit in hits:
            if hit.offset != self._fired_line:
                self._fired_line, self._fired = hit.offset, set()
            self._fired |= _marks(hit)
        if block.partial:
            return
        self.visible = after
        self._cut = cuts.unfinished(self._cut + block.raw) if block.truncated else b""
        if self._fired_line < self.lines.offset:
            self._fired_line, self._fired = self.lines.offset, set()


def _marks(hit: Hit) -> set[Mark]:
    """What does not fire again on the line of a hit: a plain subscription; of one that remembers, a pattern."""
    id = hit.subscription.id
    return {id} if hit.subscription.plain else {(id, index) for index, _match in hit.matches}


def _joined(hits: list[Hit]) -> list[Hit]:
    """One hit for each line and subscription, of all its patterns; `hits` are sorted."""
    joined: list[Hit] = []
    for hit in hits:
        if joined and (joined[-1].offset, joined[-1].subscription.id) == (hit.offset, hit.subscription.id):
            joined[-1].matches.extend(hit.matches)
            joined[-1] = joined[-1]._replace(came=min(joined[-1].came, hit.came))
        else:
            joined.append(hit)
    return joined
