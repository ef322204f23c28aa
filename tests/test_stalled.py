"""The logger behind a full disk says so when there is space again, whatever the clock does meanwhile."""

import errno
from types import SimpleNamespace

import pytest
from ctmux.services.logger.ledger import Ledger
from ctmux.services.logger.logger import Logger
from ctmux.shared.errors import CtmuxError
from ctmux.shared.messages import Draft, Put


class Stalling(Logger):
    """A logger without a loop, whose disk is full when the test says so; `kinds` has what is in its journal."""

    def __init__(self):
        self._ledger, self._stalled, self._syncing = Ledger("0f"), None, True
        self.full, self.kinds = False, []
        self._writer = SimpleNamespace(append=self._append, rotate_if_due=lambda: None, dirty=False)
        self._publisher = SimpleNamespace(send_multipart=lambda _frames, _flags: None)

    def _append(self, _lines):
        if self.full:
            raise OSError(errno.ENOSPC, "no space left on device")

    def _publish(self, event):
        self.kinds.append(event.kind)

    def put(self, number):
        self._put(Put([list(Draft("keeper", number, "", "pane.opened", 1.0))]), None)


def test_each_stall_is_told_also_where_the_clock_was_set_back(monkeypatch):
    logger = Stalling()
    for number, now in enumerate((200.0, 100.0, 100.0)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        logger.full = True
        with pytest.raises(CtmuxError):
            logger.put(number)
        logger.full = False
        logger.put(number)
    assert logger.kinds == ["pane.opened", "journal.stalled"] * 3
