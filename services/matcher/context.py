"""The lines around a line that has fired: those before it at once, those after it when they have come, or nothing does."""

import functools
import time
from collections.abc import Iterator
from typing import Any

from ...shared import spool, terminal
from ...shared.service import Service
from . import visible
from .facts import TEXT_MAX, Fact
from .rule import Rule
from .rules import Rules
from .sights import Sights
from .stream import Hit, StreamState
from .subscription import Subscription

_REACH = 1 << 16  # bytes that are looked through
_LINE = 256  # bytes: most lines are shorter
_QUIET = 0.2  # seconds without output: nothing more will come now


class Context:
    """Reads the spools, where all of it is."""

    def __init__(self, service: Service, rules: Rules):
        self._service, self._rules = service, rules
        self._waiting: dict[str, dict[tuple[str, int], int]] = {}  # stream -> (subscription, line) -> the line's end
        self._sights = Sights()

    def before(self, subscription: Subscription, state: StreamState, hit: Hit) -> dict[str, Any]:
        """What a fact about a line has of it."""
        if not subscription.options.before:
            return {}
        wanted = subscription.options.before
        lines: list[str] = []
        for reach in _reaches(wanted):
            lines = self._lines(state.server, state.name, max(0, hit.offset - reach), hit.offset, begun=False)
            if len(lines) >= wanted or reach >= hit.offset:
                break
        return {"before": lines[-wanted:]}

    def _after(self, server: str, stream: str, start: int, end: int, wanted: int) -> list[str]:
        """The lines from `start` on: no more is read than so many need."""
        lines: list[str] = []
        for reach in _reaches(wanted):
            stop = min(end, start + reach)
            lines = self._lines(server, stream, start, stop, ended=stop == end or reach == _REACH)
            if len(lines) >= wanted or stop == end:
                break
        return lines[:wanted]

    def _lines(self, server: str, stream: str, start: int, end: int, begun: bool = True, ended: bool = True) -> list[str]:
        """`begun`: with the line that `start` is in, also if it does not begin there; `ended`: with what follows the last
        whole one."""
        path = spool.find(self._rules.root, server, stream)
        if path is None or end <= start:
            return []
        try:
            found = spool.read(path, start, end - start)
            raw, start = found.data[: max(0, end - found.offset)], found.offset
            if not ended:
                raw = raw[: terminal.cut(raw)]
            if not begun and start:
                cut = raw.find(b"\n") + 1
                raw, start = raw[cut:], start + cut
            raw = raw.replace(b"\r\n", b"\n")
            state = self._sights.at(f"{server}/{stream}", functools.partial(spool.read, path), start)
        except FileNotFoundError:  # it has just gone
            return []
        shown = visible.parts(raw, state)[0]
        lines = []
        for text, printed in zip(shown.split(b"\n"), raw.split(b"\n"), strict=True):
            cleaned = terminal.clean(text).strip(b"\n")
            if cleaned or not printed.strip(b"\r"):  # else all of it was a prompt, or typed
                lines += [line.decode(errors="replace")[:TEXT_MAX] for line in cleaned.split(b"\n")]
        return lines[raw.startswith(b"\n") : len(lines) - raw.endswith(b"\n")]

    # ---- lines that are to come ------------------------------------------------------------------------------------

    def begin(self, rule: Rule) -> None:
        """A matcher before this one has left firings that wait."""
        for held in rule.held.values():
            stream = f"{held['place'][0]}/{held['data']['stream']}"
            self._wait(stream, rule.subscription, held["data"]["offset"], held["data"]["end"])

    def follow(self, state: StreamState, hits: list[Hit]) -> None:
        """A block of lines has been told: some may be waited for, some may be what was waited for."""
        stream = f"{state.server}/{state.name}"
        for hit in hits:
            rule = self._rules.by_id.get(hit.subscription.id)
            if rule and f"{state.name}/{hit.offset}" in rule.held:
                self._wait(stream, hit.subscription, hit.offset, hit.end)
        if stream in self._waiting:
            self._look(stream, state.lines.offset, flush=False)

    def _wait(self, stream: str, subscription: Subscription, offset: int, end: int) -> None:
        if stream not in self._waiting:
            self._waiting[stream] = {}
            self._service.after(_QUIET, lambda: self._when_quiet(stream, end))
        self._waiting[stream][subscription.id, offset] = end

    def _when_quiet(self, stream: str, size: int) -> None:
        if stream not in self._waiting:
            return
        server, _, name = stream.partition("/")
        path = spool.find(self._rules.root, server, name)
        now = spool.size(path) if path else size
        if now > size:
            self._service.after(_QUIET, lambda: self._when_quiet(stream, now))
        else:
            self.flush(server, name)

    def flush(self, server: str, stream: str) -> None:
        """Nothing more comes: what waits goes with what there is."""
        key = f"{server}/{stream}"
        if key in self._waiting:
            path = spool.find(self._rules.root, server, stream)
            self._look(key, spool.size(path) if path else 0, flush=True)

    def over(self, server: str, stream: str) -> None:
        """The stream has ended."""
        self.flush(server, stream)
        self._sights.forget(f"{server}/{stream}")

    def end(self, subscription: Subscription) -> None:
        """It is over before they have come: what waits goes with what there is."""
        for stream in list(self._waiting):
            server, _, name = stream.partition("/")
            path = spool.find(self._rules.root, server, name)
            self._look(stream, spool.size(path) if path else 0, flush=True, of=subscription.id)

    def _look(self, stream: str, end: int, flush: bool, of: str | None = None) -> None:
        server, _, name = stream.partition("/")
        told: list[tuple[str, Fact]] = []
        waiting = self._waiting[stream]
        for (id, offset), begin in list(waiting.items()):
            if of not in (None, id):
                continue
            rule = self._rules.by_id.get(id)
            wanted = rule.subscription.options.after if rule else 0
            lines = self._after(server, name, begin, min(end, begin + _REACH), wanted)
            if rule and len(lines) < wanted and not flush and end < begin + _REACH:
                continue
            del waiting[id, offset]
            fact = {"is": "after", "at": time.time(), "key": f"after/{stream}", "position": offset, "server": server}
            told.append((id, {**fact, "stream": name, "offset": offset, "lines": lines}))
        if not waiting:
            del self._waiting[stream]
        self._rules.tell(told)


def _reaches(lines: int) -> Iterator[int]:
    """How many bytes are looked through for so many lines: few at first, as most lines are short."""
    reach = _LINE * (lines + 1)
    while reach < _REACH:
        yield reach
        reach *= 4
    yield _REACH
