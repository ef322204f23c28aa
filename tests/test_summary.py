"""What is told of an action: what it does, and where it is not as all others."""

import pytest
from ctmux.shared.config import RunnerConfig
from ctmux.shared.specs import read
from ctmux.shared.summary import bounds, summary, terms

RUN = {"do": "run", "argv": ["/bin/ls"]}


@pytest.mark.parametrize(
    ("given", "told", "said"),
    [
        ({}, {}, "at-most-once"),
        ({"timeout": 60.0, "queue": 100, "rate": [10, 60.0], "loop": 3}, {}, "at-most-once"),  # as without
        ({"timeout": 1.5, "grace": 9.0}, {"timeout": 1.5, "grace": 9.0}, "at-most-once, timeout 1.5 s, grace 9 s"),
        ({"rate": []}, {"rate": []}, "at-most-once, rate none"),
        ({"rate": [10, 5.0], "deliver": "at-least-once"}, {"rate": [10, 5.0]}, "at-least-once, rate 10/5 s"),
        ({"concurrency": 1, "queue": 9, "output": 0, "max_age": 5.0, "loop": 9, "dry": True},
         {"concurrency": 1, "queue": 9, "output": 0, "max_age": 5.0, "loop": 9},
         "at-most-once, concurrency 1, queue 9, output 0, max_age 5 s, loop 9, dry run"),
    ],
)  # fmt: skip
def test_bounds_that_are_not_the_default_are_told(given, told, said):
    action = read({**RUN, **given})
    assert (bounds(action, RunnerConfig()), terms(action, RunnerConfig())) == (told, said)


def test_the_defaults_are_those_of_the_settings():
    hook = read({"do": "webhook", "url": "https://h.example/", "tries": 5, "timeout": 7.0})
    assert bounds(hook, RunnerConfig(timeout=7.0)) == {"tries": 5}


def test_what_is_armed_is_told_with_all_that_it_sets_off():
    last = {"kind": "exit", "pane": "%3", "actions": [{"do": "kill"}, {"do": "notify", "text": "a\nb"}]}
    first = {"kind": "pattern", "patterns": ["a b", "c"], "actions": [{"do": "arm", "subscription": last}]}
    assert summary(read({"do": "arm", "subscription": first})) == (
        "arm a subscription: pattern 'a b' c in all (arm a subscription: exit in %3 (kill the pane of the event; "
        "notify: a\\nb))"
    )
    assert summary(read({"do": "arm", "subscription": {"kind": "exit"}})) == "arm a subscription: exit in all"
