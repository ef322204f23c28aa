"""What `ctmux health` calls a trouble."""

import pytest
from ctmux.cli.troubles import find

WELL = {"name": "logger", "state": "RUNNING"}
ROLES = {
    "logger": {"trouble": None},
    "keeper": {"refused": {}, "bounded": True},
    "matcher": {},
}


def test_all_is_well():
    programs = [WELL, {"name": "broker", "state": "STARTING"}, {"name": "watcher-x-1", "state": "EXITED"}]
    assert find(programs, {**ROLES, "watcher-x-1": {}}) == []


@pytest.mark.parametrize(
    ("programs", "roles", "told"),
    [
        ([{"name": "broker", "state": "BACKOFF"}], {}, "broker is backoff; see: ctmux daemon logs broker"),
        ([{"name": "matcher", "state": "EXITED"}], {}, "matcher is exited"),
        ([], {"matcher": None}, "matcher does not answer"),
        ([], {"logger": {"trouble": {"since": "10:00", "reason": "no space"}}}, "cannot be written since 10:00: no space"),
        ([], {"logger": {"lost": [[4, 7], [9, 9]]}}, "events 4-7, 9-9 were damaged in the journal when it was opened"),
        ([], {"keeper": {"refused": {"/s": "watched by /other"}}}, "tmux server /s is not watched: watched by /other"),
        ([], {"keeper": {"bounded": False}}, "spools grow without bound"),
    ],
)
def test_each_trouble_is_a_sentence(programs, roles, told):
    [trouble] = find([WELL, *programs], {**ROLES, **roles})
    assert told in trouble
