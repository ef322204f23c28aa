"""A logger on damaged files, and who follows it: what is lost is told once, in the journal and to each follower."""

import contextlib
import os
import threading

import pytest
from ctmux.client.events import EventFollower
from ctmux.client.script import Ask, Receive
from ctmux.services.logger.logger import Logger
from ctmux.shared import journal, topics
from ctmux.shared.codec import encode_head
from ctmux.shared.config import Config
from ctmux.shared.journal import DAMAGED
from ctmux.shared.messages import Draft, Event, Filter, Get, Head, Put
from ctmux.shared.paths import Paths
from ctmux.shared.service import Service


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setattr(Service, "_watch_parent_and_signals", lambda _self: None)  # these are of the tests' process
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    mask = os.umask(0o077)
    yield Paths("test", f"{tmp_path}/run", f"{tmp_path}/state")
    os.umask(mask)


@contextlib.contextmanager
def running(paths):
    logger = Logger(paths, Config())
    try:
        yield logger
    finally:
        logger.shutdown()
        os.close(logger._lock)


def put(logger, *positions):
    logger._put(Put([list(Draft("p", n, "", "pane.opened", 1.5, pane="%1")) for n in positions]), None)


class Follower:
    """What it was given, by number."""

    def __init__(self, since=1, **wanted):
        self.got, self._script, self._asked = [], EventFollower(Filter(**wanted), since).follow(), None

    def hear(self, logger, frames=None):
        """Until it waits for the bus."""
        step = next(self._script) if self._asked is None else self._script.send(frames)
        while not isinstance(step, Receive):
            if isinstance(step, Ask):
                get = isinstance(step.request, Get)
                step = self._script.send(logger._get(step.request, None) if get else logger.status())
            else:
                self.got.append(step.n if isinstance(step, Event) else (step.start, step.end, step.reason))
                step = next(self._script)
        self._asked = step
        return self

    def heartbeat(self, logger):
        status = logger.status()
        return self.hear(logger, [topics.HEAD, *encode_head(Head(status["log"], status["head"]))])


def damage(paths, change):
    path = journal.segments(paths.journal)[-1].path
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(change(content))


def gaps(paths):
    return [event.data for event in journal.entries(journal.read(paths.journal, 1, 99, Filter("gap")).lines, ())]


def test_whole_files_are_nothing_to_speak_of(paths):
    for _ in range(2):
        with running(paths) as logger:
            put(logger, 1, 2)
            assert (logger.status()["mended"], logger.status()["lost"], gaps(paths)) == ([], [], [])


def test_a_damaged_header_is_noticed_by_no_follower(paths):
    follower = Follower()
    with running(paths) as logger:
        put(logger, *range(1, 11))
        logger._writer._began = 0.0
        logger._writer.rotate_if_due()
        put(logger, *range(11, 16))
        follower.hear(logger)
    damage(paths, lambda content: b"#" + content[1:])
    with running(paths) as logger:
        put(logger, *range(16, 21))
        follower.heartbeat(logger)
        assert gaps(paths) == [] and "no header" in logger.status()["mended"][0]
    assert follower.got == list(range(1, 21))


@pytest.mark.parametrize(
    ("wanted", "before", "after"),
    [({}, [1, 2, 3, 4, 5], [6, 7, 8]), ({"pane": "%1"}, [1, 2, 3, 4, 5], [8]), ({"kind": "gap"}, [], [6, 7])],
)
def test_lost_events_are_told_once_to_each_and_in_the_journal(paths, wanted, before, after):
    connected = Follower(**wanted)
    with running(paths) as logger:
        put(logger, 1, 2, 3, 4, 5)
        connected.hear(logger)
    damage(paths, lambda content: content.replace(b'{"n":3,', b'{"m":3,').replace(b'{"n":5,', b'{"m":5,'))
    with running(paths) as logger:
        assert logger.status()["lost"] == [(3, 3), (5, 5)]
        put(logger, 6)
        connected.heartbeat(logger)
    assert connected.got == before + after  # it had what was lost later
    told = [{"what": "events", "start": n, "end": n, "reason": DAMAGED} for n in (3, 5)]
    for _ in range(2):
        with running(paths) as logger:
            assert (logger.status()["lost"], gaps(paths), logger.status()["head"]) == ([], told, 8)
            late = Follower(**wanted).hear(logger).got
    assert [one for one in late if isinstance(one, int)] == [n for n in before if n not in (3, 5)] + after
    assert [one for one in late if not isinstance(one, int)] == [(3, 3, DAMAGED), (5, 5, DAMAGED)]
    assert late == sorted(late, key=lambda one: one if isinstance(one, int) else one[0])


def test_without_any_header_a_follower_is_told_that_the_log_is_another_one(paths):
    follower = Follower()
    with running(paths) as logger:
        put(logger, 1, 2)
        follower.hear(logger)
    damage(paths, lambda content: content[content.index(b"\n") :])
    with running(paths) as logger:
        follower.heartbeat(logger)
    assert follower.got[2][0] == 3 and "replaced" in follower.got[2][2] and follower.got[3:] == [1, 2]
