"""When a tmux server is looked at, without one."""

import subprocess

import pytest
from ctmux.services.keeper.lookout import Lookout
from ctmux.shared.service import Timer
from ctmux.shared.tmux import ServerGone, ServerInfo


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


def test_nothing_is_looked_at_after_a_stop(watch):
    watch.lookout.open()
    watch.lookout.stop()
    watch.child.kill()
    watch.child.wait(5)
    watch.lookout.look()
    assert watch.shown == []
