"""Unfinished lines (a prompt, say) of panes that are quiet: when one is to be looked at as it stands."""

import os
import time
from collections.abc import Callable, Iterator, Mapping

from ...shared import spool
from ...shared.service import Service, Timer
from .stream import StreamState


class Quiet:
    """`read` reads all that a stream's spool has, `look` looks at its unfinished line."""

    def __init__(
        self, service: Service, root: str, seconds: float, streams: Mapping[str, StreamState],
        read: Callable[[StreamState, str], None], look: Callable[[StreamState], None],
    ):  # fmt: skip
        self._service, self._root, self._seconds, self._streams = service, root, seconds, streams
        self._read, self._look = read, look
        self._timers: dict[str, Timer] = {}

    def watch(self, state: StreamState) -> None:
        """Look at the stream's unfinished line when it has been quiet for a moment."""
        self._wait(f"{state.server}/{state.name}", self._seconds, -1)

    def awaits(self, until: float) -> bool:
        """Whether an unfinished line that was there by `until` is still to be looked at."""
        return any(at <= until for at, _state in self.waiting())

    def waiting(self) -> Iterator[tuple[float, StreamState]]:
        """The unfinished lines that are still to be looked at, and when they were printed."""
        for state in (self._streams[key] for key in self._timers if key in self._streams):
            if state.lines.tail:
                yield state.times.of(state.lines.end), state

    def _wait(self, key: str, seconds: float, size: int) -> None:
        if key not in self._timers:
            self._timers[key] = self._service.after(seconds, lambda: self._due(key, size))

    def _due(self, key: str, size: int) -> None:
        del self._timers[key]
        state = self._streams.get(key)
        if state is None:
            return
        left = self._left(state, size)
        if left > 0:
            self._wait(key, left, state.lines.end)
        else:
            self._look(state)

    def _left(self, state: StreamState, size: int) -> float:
        """Seconds until the pane itself has been quiet for long enough. Its spool says so, not our own backlog: half a line
        must not be taken for a prompt because we are late. `size`: of the stream when it was asked before."""
        path = spool.find(self._root, state.server, state.name)
        if path is None:
            return 0.0
        self._read(state, path)
        if state.lines.end < spool.size(path):
            return self._seconds
        try:
            left = os.stat(path).st_mtime + self._seconds - time.time()
        except FileNotFoundError:
            return 0.0
        if left > self._seconds:  # the clock was set back
            return 0.0 if size == state.lines.end else self._seconds
        return left
