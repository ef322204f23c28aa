"""What the runner asks after a gap: it knows what is armed when all pages of the answer have come."""

import shutil
import tempfile

import pytest
from ctmux.client.gap import Gap
from ctmux.services.logger.ledger import Ledger
from ctmux.services.runner.recovery import Recovery
from ctmux.services.runner.registry import Registry
from ctmux.shared import bus
from ctmux.shared.messages import Status, Subscriptions
from ctmux.shared.paths import Paths
from ctmux.shared.rpc import Server
from loop import Loop


def armed(number):
    return {"id": f"s{number}", "name": None, "actions": [{"do": "kill"}]}


@pytest.fixture
def loop():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    context = bus.context()
    made = Loop(context, Paths("default", directory, directory))
    matcher, keeper = (Server(context, made.paths.control(role)) for role in ("matcher", "keeper"))
    after = {0: 1, 1: 2, 2: None}
    matcher.handle(Subscriptions, lambda r, _: {"subscriptions": [armed(r.after + 1)], "next": after[r.after]})
    keeper.handle(Status, lambda _r, _: {"servers": []})
    for server in (matcher, keeper):
        made.register(server.socket, server.receive)
    yield made
    context.destroy(linger=0)
    shutil.rmtree(directory)


def test_all_pages_are_asked_for_before_it_is_done(loop):
    registry, done = Registry(), []
    recovery = Recovery(loop, registry, lambda: done.append(recovery.busy))
    recovery.missed(Gap(1, 5, "they are gone"))
    loop.run(lambda: not recovery.busy)
    assert list(registry.armed) == ["s1", "s2", "s3"]
    assert done == [True, True, True, False]


def test_each_gap_is_written_whatever_the_clock_does(loop, monkeypatch):
    recovery, ledger = Recovery(loop, Registry(), lambda: None), Ledger("0f")
    for now in (200.0, 100.0, 100.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        events = ledger.accept([recovery.missed(Gap(1, 5, "they are gone"))])
        ledger.commit(events)
    assert ledger.head == 3
