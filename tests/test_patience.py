"""A tmux server that hangs takes little time from the others."""

import socket
from types import SimpleNamespace

import pytest
from ctmux.services.keeper import patience
from ctmux.services.keeper.discovery import Discovery
from ctmux.services.keeper.nudge import Nudge
from ctmux.shared import tmux


class Service:
    """Timers that run when the test says so."""

    def __init__(self):
        self.timers = []

    def register(self, readable, action):
        pass

    def after(self, seconds, action):
        self.timers.append((seconds, action))

    def turn(self):
        """Run what waits for the longest time; how long that was."""
        seconds, action = self.timers.pop(0)
        action()
        return seconds


def test_it_is_left_alone_for_longer_and_longer_and_for_ever():
    assert [patience.pause(failures) for failures in (1, 2, 3, 4, 5, 10_000)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert patience.limit(0) == tmux.TIMEOUT and patience.limit(1) == patience.limit(10_000) == 1.0


@pytest.fixture
def path(tmp_path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"{tmp_path}/t")
        yield f"{tmp_path}/t"


def test_one_that_is_not_known_yet(path):
    """Until it answers: then it is asked with all patience again."""
    service, limits, found = Service(), [], []
    info = tmux.ServerInfo(path, 1, 1, "3.5a")

    def identify(socket, seconds):
        limits.append(seconds)
        if len(limits) < 6:
            raise tmux.TmuxError("it hangs")
        return info

    discovery = Discovery(service, [path], found.append, identify)
    assert [service.turn() for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 8.0]
    discovery.attempt(path)
    assert limits == [5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0] and found == [info, info] and not service.timers


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (tmux.TmuxError("tmux is not installed"), "tmux is not installed"),
        (tmux.Untrusted("not yours alone"), "not yours alone"),
        (tmux.ServerInfo("", 1, 1, "3.1c"), "tmux 3.1c is too old: ctmux needs 3.2 or later"),
    ],
)
def test_why_one_is_not_watched_is_known_until_it_is(path, answer, reason, capsys):
    service, found, answers = Service(), [], [answer, answer, tmux.ServerInfo(path, 1, 1, "3.3a")]

    def identify(socket, seconds):
        now = answers.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    discovery = Discovery(service, [path], found.append, identify)
    discovery.attempt(path)
    assert discovery.refused == {path: reason} and not found
    assert capsys.readouterr().out == f"tmux server {path}: {reason}\n"  # once
    discovery.attempt(path)
    assert not discovery.refused and found


def test_a_directory_that_cannot_be_made_is_tried_again(tmp_path):
    service, found = Service(), []
    path = f"{tmp_path}/none/deeper/x"
    discovery = Discovery(service, [path], found.append, lambda socket, seconds: None)
    assert not (tmp_path / "none").exists() and service.timers
    assert not discovery.refused


def test_one_whose_programs_end(tmp_path):
    """It is nudged when it answers again."""
    service, looks = Service(), []
    lookout = SimpleNamespace(gone=False, hangs=True, look_soon=looks.append)
    Nudge(service, f"{tmp_path}/none", lookout, lambda pid: True).ended(7)
    assert [service.turn() for _ in range(4)] == [0.1, 2.0, 2.0, 2.0] and not looks
    lookout.hangs = False
    assert service.turn() == 2.0 and len(looks) == 1 and not service.timers
