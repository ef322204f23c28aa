"""A matcher that starts: where the last one was, by the journal and by its notes."""

import contextlib
import json
import os
from typing import Any

from ...shared import spool
from ...shared.errors import CtmuxError
from ...shared.messages import Filter, Get, Position, Tip
from ...shared.rpc import Client, wait_answer
from . import drafts
from .reader import Note
from .subscription import Subscription

_PATIENCE = 30.0  # seconds


class Recovery:
    """Asks the logger, and keeps a note of how far the streams are: a hint that saves reading, not a truth."""

    def __init__(self, logger: Client, path: str):
        self._logger = logger
        self._path = path

    def last_event(self, subscription: Subscription) -> dict[str, Any] | None:
        """The newest event of a subscription; of one that is no longer kept only its position, and None as `kind`."""
        tip = wait_answer(self._logger, Tip(subscription.id), _PATIENCE)["n"]
        lines = wait_answer(self._logger, Get(tip, 1, list(Filter())), _PATIENCE)["lines"] if tip else []
        if lines:
            return dict(json.loads(lines[0]))
        position = wait_answer(self._logger, Position(drafts.producer(subscription)), _PATIENCE)["position"]
        return {"kind": None, "position": position} if position >= 0 else None

    def start(self, found: spool.Spool, noted: Note | None, since: int) -> tuple[int, list[str]]:
        """Where to go on in a stream, of which nothing before `since` is wanted, and who has fired on the line there."""
        last = wait_answer(self._logger, Position(f"match/{found.server}/{found.stream.name}"), _PATIENCE)
        start = max(noted.offset if noted else 0, last["position"], since)
        start = max(last["position"], spool.line_start(found.path, start))
        return start, last["keys"] if last["position"] == start else []

    def noted(self) -> dict[str, Note]:
        """How far each stream was."""
        try:
            with open(self._path) as file:
                return {stream: Note(*note) for stream, note in json.load(file).items()}
        except (OSError, ValueError, TypeError):
            return {}

    def note(self, progress: dict[str, Note]) -> None:
        with contextlib.suppress(OSError):  # a full disk: the journal says it, too
            with open(f"{self._path}.new", "w") as file:
                json.dump(progress, file)
            os.rename(f"{self._path}.new", self._path)

    def close(self) -> None:
        with contextlib.suppress(CtmuxError):
            self._logger.close()
