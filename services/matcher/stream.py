"""One stream as the matcher goes through it: how far it is, and what has fired on the line it stands in. Pure."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from ...shared import terminal
from . import pattern, screen
from .engine import Engine
from .governor import Governor
from .index import Index
from .lines import Block, Lines
from .subscription import Subscription
from .text import Text, valid


class Hit(NamedTuple):
    """A subscription's pattern in one line: `offset`..`end` are the line's bytes in the stream."""

    subscription: Subscription
    offset: int
    end: int
    line: str
    match: pattern.Match
    partial: bool
    truncated: bool


class StreamState:
    """Position and unfinished line of one stream."""

    def __init__(self, server: str, session: str, pane: str, name: str, offset: int, fired: Iterable[str] = ()):
        self.server, self.session, self.pane, self.name = server, session, pane, name
        self.lines = Lines(offset)
        self.skipped = 0  # bytes that were reclaimed before they were read
        self.alternate: bool | None = None  # whether the alternate screen is on where the stream stands; None: not known
        self._cut = b""  # the part of a switch at the end of a piece of a long line
        self.missing: int | None = None  # where a range that cannot be read begins, as long as its end is not known
        self._fired_line = offset  # the line that `_fired` is of
        self._fired = set(fired)

    @property
    def producer(self) -> str:
        return f"match/{self.server}/{self.name}"

    def hits(self, block: Block, engine: Engine, index: Index, governor: Governor) -> list[Hit]:
        """What fires in a block, in the order of lines, then of subscriptions. One line fires a subscription once."""
        shown, alternate = self._shown(block)
        text = Text(terminal.clean(shown))
        matches: list[tuple[pattern.Match, list[Subscription]]] = []
        for wanted, where in engine.candidates(text.cleaned):
            owners = index.owners(wanted, self.server, self.session, self.pane)
            if owners:
                began = time.thread_time()
                found_here, size, searches = text.search(wanted, where)
                governor.charge(wanted, time.thread_time() - began, size, max(searches - 1, len(found_here)))
                matches += [(match, owners) for match in found_here]
        if not matches:  # most blocks
            self._remember([], block, alternate)
            return []
        spans = terminal.line_spans(block.raw, {match.line for match, _owners in matches})
        found: list[Hit] = []
        for match, owners in matches:
            start, end = spans[match.line]
            line = text.line(match.start)
            for owner in owners:
                hit = self._armed(owner, block.offset + start, block.offset + end, match, line, block)
                if hit:
                    found.append(hit)
        found.sort(key=lambda hit: (hit.offset, hit.subscription.number))
        fresh = [hit for hit in found if not (hit.offset == self._fired_line and hit.subscription.id in self._fired)]
        self._remember(fresh, block, alternate)
        return fresh

    def _shown(self, block: Block) -> tuple[bytes, bool]:
        """What of a block is not on the alternate screen, and whether that is on behind it."""
        shown, alternate = screen.hide(self._cut + block.raw, bool(self.alternate))
        shown = shown.removeprefix(self._cut)
        if not block.partial:
            self._cut = screen.cut(block.raw) if block.truncated else b""
        return shown, alternate

    def _armed(
        self, owner: Subscription, offset: int, end: int, match: pattern.Match, text: bytes, block: Block
    ) -> Hit | None:
        since = owner.since(self.server, self.name)
        if end <= since:
            return None
        if offset < since:
            # Armed in the middle of this line: only what came after that counts.
            _before, alternate = screen.hide(block.raw[: since - block.offset], bool(self.alternate))
            late, _alternate = screen.hide(block.raw[since - block.offset : end - block.offset], alternate)
            text = valid(terminal.clean(late)).strip(b"\n")
            found = next(iter(pattern.search(owner.pattern or "", text)), None)
            if found is None:
                return None
            match = found
        truncated = block.truncated and end == block.offset + len(block.raw)
        line = text.decode(errors="replace")
        return Hit(owner, offset, end, line, match, block.partial, truncated)

    def _remember(self, hits: list[Hit], block: Block, alternate: bool) -> None:
        for hit in hits:
            if hit.offset != self._fired_line:
                self._fired_line, self._fired = hit.offset, set()
            self._fired.add(hit.subscription.id)
        if not block.partial:
            self.alternate = alternate
        if not block.partial and self._fired_line < self.lines.offset:
            self._fired_line, self._fired = self.lines.offset, set()
