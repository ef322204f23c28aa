"""How far the streams are, noted now and then: a hint that saves a restarted matcher reading, not a truth."""

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...shared.outbox import Outbox
from ...shared.service import Service
from .rules import Rules
from .stream import StreamState

_EVERY = 5.0  # seconds; a restarted matcher need not read again what is older


class Note(NamedTuple):
    """How far a matcher was in a stream."""

    offset: int
    commands_end: int
    commands: dict[str, Any]


class Progress:
    """A file of notes, replaced as a whole."""

    def __init__(self, service: Service, outbox: Outbox, rules: Rules, streams: Mapping[str, StreamState], path: str):
        self._service, self._outbox, self._rules, self._streams = service, outbox, rules, streams
        self._path = path
        self._coming = False

    def noted(self) -> dict[str, Note]:
        """How far each stream was."""
        try:
            with open(self._path) as file:
                return {stream: Note(*note) for stream, note in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def soon(self) -> None:
        """Something has come that is worth a note."""
        if not self._coming:
            self._coming = True
            self._service.after(_EVERY, self._take)

    def _take(self) -> None:
        """Note how far the streams are, once everything found before that is in the journal."""
        self._coming = False
        notes = {
            stream: Note(state.lines.offset, state.commands_end, state.commands.dump())
            for stream, state in self._streams.items()
        }
        if not self._rules.stuck:
            self._outbox.put([], lambda: self._write(notes))

    def _write(self, notes: dict[str, Note]) -> None:
        with contextlib.suppress(OSError):  # a full disk: the journal says it, too
            with open(f"{self._path}.new", "w") as file:
                json.dump(notes, file)
            os.rename(f"{self._path}.new", self._path)
