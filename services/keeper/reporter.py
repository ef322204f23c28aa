"""What is reported of one tmux server: noted on the disk together with the state it leads to, then sent to the logger."""

import contextlib
import os
from collections.abc import Callable

from ...shared.messages import Draft
from ...shared.outbox import Outbox
from ...shared.service import Service, Timer
from ...shared.tmux import ServerInfo
from .state import load, save
from .topology import Topology

_AGAIN = 1.0  # seconds until what could not be written (a full disk) is tried again


class Reporter:
    """Holds the reported state, `topology`. A keeper that is killed between note and answer sends the drafts again, and the
    logger knows which it has. `sent` is called with drafts as they are sent."""

    def __init__(self, service: Service, outbox: Outbox, path: str, info: ServerInfo, sent: Callable[[list[Draft]], None]):
        self._service = service
        self._outbox = outbox
        self._path = path
        self._info = info
        self._sent = sent
        self._saving: Timer | None = None
        self._forgotten = False
        self.topology: Topology
        self.topology, self._pending = load(path, info.key)
        self._unsaved = list(self._pending)  # what the keeper before has noted is sent again, first of all

    def report(self, drafts: list[Draft]) -> None:
        """Note the state with the drafts that led to it, then send them. What cannot be noted is not sent before it is."""
        self._pending += drafts
        self._unsaved += drafts
        if self.save():
            self._send()
        elif self._saving is None:
            self._saving = self._service.after(_AGAIN, self._save_again)

    def _save_again(self) -> None:
        self._saving = None
        self.report([])

    def save(self) -> bool:
        """Whether the state is on the disk."""
        if self._forgotten:
            return True
        try:
            save(self._path, self._info, self.topology, self._pending)
        except OSError as error:
            print(f"{self._path}: {error}", flush=True)
            return False
        return True

    def _send(self) -> None:
        drafts, self._unsaved = self._unsaved, []
        if not drafts:
            return
        mine = {id(draft) for draft in drafts}

        def written() -> None:
            self._pending = [draft for draft in self._pending if id(draft) not in mine]

        self._sent(drafts)
        self._outbox.put(drafts, written)

    def forget(self) -> None:
        """Remove the state when everything in it is heard."""
        if self._unsaved:
            self._service.after(_AGAIN, self.forget)
        else:
            self._outbox.put([], self._remove)

    def _remove(self) -> None:
        self._forgotten = True
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
