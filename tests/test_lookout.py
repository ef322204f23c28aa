"""When a tmux server is looked at, without one."""

import os
import resource
import subprocess

import pytest
from ctmux.services.keeper.lookout import Lookout
from ctmux.services.keeper.waiter import Waiter
from ctmux.shared.service import Timer
from ctmux.shared.tmux import ServerGone, ServerInfo, TmuxError


class Watch:
    """A lookout on a server that never answers, whose timers run when the test says so."""

    def __init__(self, tmp_path, pid):
        self.timers = []
        self.shown = []
        self.lookout = Lookout(self, ServerInfo(f"{tmp_path}/none", pid, 1, "3.5a"), None, self.shown.append)

    def after(self, seconds, action):
        self.timers.append((seconds, Timer(action)))
        return self.timers[-1][1]

    def waiting(self):
        return [seconds for seconds, timer in self.timers if timer.action]


@pytest.fixture
def watch(tmp_path):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    made = Watch(tmp_path, child.pid)
    made.child = child
    yield made
    made.lookout.close()
    child.communicate(timeout=5)


@pytest.fixture
def crowded():
    """A keeper of many panes, each of which takes a descriptor: the next ones are above all that select(2) knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < 1024:
        taken.append(os.dup(taken[0]))
    yield
    for fd in taken:
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_whose_process_is_not_there_is_gone(tmp_path):
    """It has answered, but has ended since, or it lives in another pid namespace."""
    child = subprocess.Popen(["true"])
    child.wait(5)
    with pytest.raises(ServerGone, match=f"no process {child.pid}"):
        Watch(tmp_path, child.pid).lookout.open()


def test_wishes_are_one_look(watch):
    watch.lookout.look_soon(1.0)
    watch.lookout.look_soon(0.5)
    assert watch.waiting() == [1.0]
    watch.lookout.look_soon(0.0)
    assert watch.waiting() == [0.0]


def test_a_server_that_does_not_answer_is_gone_only_with_its_process(watch):
    watch.lookout.open()
    watch.lookout.look()
    assert watch.shown == [] and not watch.lookout.gone and watch.waiting() == [1.0]
    watch.child.kill()
    watch.child.wait(5)
    watch.lookout.look()
    assert watch.shown == [b""] and watch.lookout.gone and watch.waiting() == []


def test_a_server_that_hangs_for_hours_is_asked_on(watch):
    watch.lookout.open()
    watch.lookout._failures = 2000
    watch.lookout.look()
    assert watch.waiting() == [8.0] and watch.lookout.hangs


def test_nothing_is_looked_at_after_a_stop(watch):
    watch.lookout.open()
    watch.lookout.stop()
    watch.child.kill()
    watch.child.wait(5)
    watch.lookout.look()
    assert watch.shown == []


@pytest.mark.usefixtures("crowded")
def test_a_server_beside_a_thousand_panes_is_looked_at(watch, tmp_path):
    watch.lookout.open()
    assert not watch.lookout.ended()
    watch.child.kill()
    watch.child.wait(5)
    assert watch.lookout.ended()
    waiter = Waiter(f"{tmp_path}/none", ["list-sessions"], ["wait-for", "x"])
    with pytest.raises(TmuxError, match="could not list"):
        waiter.listing(5.0)
    waiter.close()
