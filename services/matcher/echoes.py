"""What was sent to panes through us, for the seconds in which they echo it; kept, so that a restarted matcher knows it."""

import contextlib
import functools
import json
import os
import time
from collections.abc import Mapping
from typing import NamedTuple

from ...shared import spool
from ...shared.service import Service
from . import feed, visible
from .stream import StreamState

_SECONDS = 10.0  # in which a pane echoes what was sent to it
_REACH = 1 << 17  # bytes: what is echoed behind them is not looked for


class _Sent(NamedTuple):
    """A text that was sent to a stream's pane when that had printed `since` bytes."""

    at: float
    server: str
    stream: str
    since: int
    text: str


class Echoes:
    """The file has texts of the last seconds, and is empty when they are over: nobody wants his typing kept."""

    def __init__(self, service: Service, root: str, path: str, streams: Mapping[str, StreamState]):
        self._service, self._root, self._path, self._streams = service, root, path, streams
        self._sent: list[_Sent] = []

    def sent(self, server: str, pane: str, text: str) -> None:
        """Expect the echo of a text behind what the pane has printed by now."""
        for found in spool.walk_server(self._root, server):
            state = self._streams.get(f"{server}/{found.stream.name}")
            if state and found.stream.pane == pane:
                self._expect(state, _Sent(time.time(), server, state.name, spool.size(found.path), text), _SECONDS)
        self._keep()

    def _expect(self, state: StreamState, sent: _Sent, seconds: float) -> None:
        give_up = state.typed.add(sent.text, sent.since)

        def over() -> None:
            give_up()
            self._sent.remove(sent)
            self._keep()

        self._sent.append(sent)
        self._service.after(seconds, over)

    def _keep(self) -> None:
        with contextlib.suppress(OSError):  # a full disk: then it is known as long as we live
            with open(f"{self._path}.new", "w") as file:
                json.dump(self._sent, file)
            os.rename(f"{self._path}.new", self._path)

    # ---- after a kill ----------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Expect what an earlier matcher expected, as far as it has not come before the place where a stream goes on."""
        now = time.time()
        try:
            with open(self._path) as file:
                kept = [_Sent(*sent) for sent in json.load(file)]
        except (OSError, ValueError, TypeError):
            return
        for sent in kept:
            state = self._streams.get(f"{sent.server}/{sent.stream}")
            left = min(sent.at + _SECONDS - now, _SECONDS)
            if state and left > 0:
                self._expect(state, sent, left)
        for key in {f"{sent.server}/{sent.stream}" for sent in self._sent}:
            with contextlib.suppress(FileNotFoundError):
                self._pass_by(self._streams[key], min(sent.since for sent in self._sent if key.endswith(sent.stream)))
        self._keep()

    def _pass_by(self, state: StreamState, since: int) -> None:
        """What has been echoed before the place where a stream goes on is not expected any more."""
        path = spool.find(self._root, state.server, state.name)
        begin = spool.line_start(path, since) if path else state.lines.offset
        if path is None or begin >= state.lines.offset:
            return
        raw = spool.read(path, begin, min(state.lines.offset - begin, _REACH)).data
        seen = visible.at(functools.partial(spool.read, path), begin, feed.first(self._root, state.server, state.name))
        state.typed.hide(raw, begin, True, lambda at: visible.parts(raw[:at], seen)[2].echo)
