"""One stream's spool read on: lines, what a shell says of its commands, and what is missing, for the owner."""

import functools
import os
import time
from collections.abc import Callable
from typing import Protocol

from ...shared import marks, spool
from . import commands, visible
from .lines import Block
from .stream import StreamState
from .times import Times

TURN = 1 << 20  # bytes of one stream before another has its turn
_PIECE, _LEAST = 1 << 16, 1 << 12  # bytes that are read at a time: fewer if what follows from them takes long
_LONG = 0.025  # seconds of the processor: whoever asks something is answered after each piece


class Owner(Protocol):
    """Who looks at what is read."""

    @property
    def remembers(self) -> bool: ...

    def grew(self, state: StreamState, begin: int, times: Times) -> None: ...

    def missed(self, state: StreamState, start: int, end: int) -> None: ...

    def evaluate(self, state: StreamState, block: Block, times: Times) -> None: ...

    def marked(self, state: StreamState, found: list[commands.Fact]) -> None: ...


def first(root: str, server: str, stream: str) -> visible.State:
    """What is to be seen at the beginning of a stream: a prompt, most likely, if the pane was there before, in a line."""
    try:
        with open(spool.meta(f"{root}/{server}", stream, "history"), "rb") as file:
            return visible.State() if file.read()[-1:] in (b"", b"\n") else visible.FIRST
    except FileNotFoundError:
        return visible.State()


def piece(path: str, start: int, end: int, most: int = _PIECE) -> spool.Range:
    """What is between two offsets, a piece of it; nothing from behind `end`, also where a part is missing. Raises
    FileNotFoundError."""
    found = spool.read(path, start, min(most, end - start))
    return found._replace(data=found.data[: max(0, end - found.offset)])


class Feed:
    """`full`: whether nothing more may be read now."""

    def __init__(self, owner: Owner, root: str, full: Callable[[], bool]):
        self._owner, self._root, self._full = owner, root, full
        self._most = _PIECE

    def read(self, state: StreamState, path: str, end: int) -> None:
        """Read a stream up to `end`, or until nothing more may be read. What is no longer in its spool is a gap."""
        while state.lines.end < end and not self._full():
            began = time.thread_time()
            try:
                found = piece(path, state.lines.end, end, self._most)
                state.times = times = self._times(state, path)
                if found.offset > state.lines.end:
                    state.skipped += found.offset - state.lines.end
                    state.missing = state.lines.offset if state.missing is None else state.missing
                    state.lines.tear(found.offset)
                    state.commands = commands.Commands()
                    state.jump()
                begin = state.lines.offset
                blocks = state.lines.feed(found.data)
                if state.visible is None and not state.lines.torn:
                    begin = max(begin, state.lines.whole_from)
                    here = first(self._root, state.server, state.name)
                    # The lines are taken: what is before them is read wherever the spool is by now.
                    look = functools.partial(spool.read_wherever, self._root, state.server, state.name)
                    state.look_back(look, begin, here)
            except FileNotFoundError:
                return
            if not found.data:
                return
            if not state.lines.torn:  # the line that a missing range ends in is missing, too
                self.tell_missing(state, state.lines.whole_from)
            self._mark(state, found, times.latest)
            self._owner.grew(state, found.offset, times)
            for block in blocks:
                self._owner.evaluate(state, block, times)
            fits = int(len(found.data) * _LONG / max(time.thread_time() - began, 1e-6))
            self._most = max(_LEAST, min(_PIECE, 2 * self._most, fits))

    def _times(self, state: StreamState, path: str) -> Times:
        """When what is not read yet was printed."""
        latest = min(time.time(), os.stat(path).st_mtime)
        if not self._owner.remembers:  # the time of a plain event may be a little late
            return Times(latest)
        return self._times_behind(state, state.lines.end, latest)

    def _times_behind(self, state: StreamState, offset: int, latest: float) -> Times:
        """By the spool's own time, and by the watcher's marks if we are late."""
        index = spool.meta(f"{self._root}/{state.server}", state.name, "idx")
        newest = marks.newest(index, 2)
        late = len(newest) == 2 and newest[0].offset > offset
        return Times(latest, [mark for mark in marks.read(index) if mark.offset > offset] if late else ())

    def pass_by(self, state: StreamState, path: str, end: int) -> None:
        """Look for what a shell says of its commands, up to `end`; for nothing else."""
        while state.commands_end < end:
            try:
                found = piece(path, state.commands_end, end, TURN)
                at = min(time.time(), os.stat(path).st_mtime)
            except FileNotFoundError:
                return
            if not found.data:
                return
            if found.offset > state.commands_end:
                state.commands, state.commands_end = commands.Commands(), found.offset
            self._mark(state, found, at)

    def _mark(self, state: StreamState, found: spool.Range, latest: float) -> None:
        """Tell what a shell has said of its commands. Few say anything: only then it is asked when that was."""
        data = found.data[max(0, state.commands_end - found.offset) :]
        times: list[Times] = []

        def at(end: int) -> float:
            if not times:
                times.append(self._times_behind(state, found.offset, latest))
            return times[0].of(end)

        facts = state.commands.feed(data, found.offset + len(found.data) - len(data), at)
        state.commands_end = max(state.commands_end, found.offset + len(found.data))
        if facts:
            self._owner.marked(state, facts)

    def tell_missing(self, state: StreamState, end: int) -> None:
        """A range that could not be read ends here, if there is one."""
        if state.missing is not None:
            self._owner.missed(state, state.missing, end)
            state.missing = None
