"""Unfinished lines (a prompt, say) of panes that are quiet: when one is to be looked at as it stands."""

import os
import time
from collections.abc import Callable, Mapping

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
        self._wait(f"{state.server}/{state.name}", self._seconds)

    def _wait(self, key: str, seconds: float) -> None:
        if key not in self._timers:
            self._timers[key] = self._service.after(seconds, lambda: self._due(key))

    def _due(self, key: str) -> None:
        del self._timers[key]
        state = self._streams.get(key)
        if state is None:
            return
        left = self._left(state)
        if left > 0:
            self._wait(key, left)
        else:
            self._look(state)

    def _left(self, state: StreamState) -> float:
        """Seconds until the pane itself has been quiet for long enough. Its spool says so, not our own backlog: half a line
        must not be taken for a prompt because we are late."""
        path = spool.find(self._root, state.server, state.name)
        if path is None:
            return 0.0
        self._read(state, path)
        if state.lines.end < spool.size(path):
            return self._seconds
        try:
            return os.stat(path).st_mtime + self._seconds - time.time()
        except FileNotFoundError:
            return 0.0
