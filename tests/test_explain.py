"""What is told of why a subscription has not fired: how far it is, where, and how long that counts."""

import pytest
from ctmux.services.matcher.explain import explain
from ctmux.services.matcher.options import read
from ctmux.services.matcher.rule import Rule
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription


def subscription(kind, *patterns, **options):
    return Subscription(
        "s1", 1, kind, list(patterns), None, None, None, "", 0.0, options=read(kind, list(patterns), options)
    )  # fmt: skip


def line(at, index, pane="%1"):
    place = {"server": "x", "session": "$1", "pane": pane, "stream": f"p{pane[1:]}"}
    hit = {"index": index, "pattern": "ABC"[index], "match": "", "captures": [], "named": {}}
    return {
        "is": "line", "at": at, "key": f"line/x/{pane}", "position": round(at * 10), **place, "line": "text", "hits": [hit],
        "offset": round(at * 10), "end": 1, "partial": False, "truncated": False,
    }  # fmt: skip


def member(at, which):
    place = {"server": "x", "session": "$1", "pane": "%1"}
    return {"is": "member", "at": at, "key": which, "position": 1, **place, "member": which, "event": {}, "over": False}


def why(wanted, *facts, now, pane="%1", printed=b""):
    rule = Rule(wanted)
    for fact in facts:
        rule.take(fact)
        rule.take({"is": "tick", "at": fact["at"], "position": 0})
    state = StreamState("x", "$1", pane, "p1", 0)
    state.commands.feed(printed, 0, lambda _end: 0.0)
    list(state.lines.feed(b"text\n"))
    return explain(wanted, rule, [state], now)["why"]


NOT_YET = "what it was told of last did not make it fire"


@pytest.mark.parametrize(
    ("facts", "now", "told"),
    [
        ([], 3.0, ["no whole line since it was armed matches; try: ctmux subscription test",
                   "no line that still counts has come"]),
        ([line(1.0, 0)], 3.0, [NOT_YET, "%1: 1 of 3 steps has come, 8.0 s are left; it waits for 'B'"]),
        ([line(1.0, 0), line(2.0, 1), line(3.0, 0)], 4.5,
         [NOT_YET, "%1: 2 of 3 steps have come, 6.5 s are left; it waits for 'C'"]),
        ([line(1.0, 0), line(2.0, 1), line(3.0, 0)], 12.0,  # the earlier first step is too long ago
         [NOT_YET, "%1: 1 of 3 steps has come, 1.0 s are left; it waits for 'B'"]),
        ([line(1.0, 0)], 12.0, [NOT_YET, "no line that still counts has come"]),
        ([line(1.0, 0, "%1"), line(1.0, 0, "%2"), line(2.0, 1, "%2")], 3.0,
         [NOT_YET, "%1: 1 of 3 steps has come, 8.0 s are left; it waits for 'B'",
          "%2: 2 of 3 steps have come, 8.0 s are left; it waits for 'C'"]),
    ],
)  # fmt: skip
def test_sequence(facts, now, told):
    assert why(subscription("sequence", "A", "B", "C", seconds=10.0), *facts, now=now) == told


def test_many_panes_are_not_all_told():
    facts = [line(1.0, 0, f"%{number}") for number in range(25)]
    told = why(subscription("sequence", "A", "B", seconds=10.0), *facts, now=2.0)
    assert len(told) == 22 and told[-1] == "and so on, in 5 more panes"


def test_threshold():
    wanted = subscription("threshold", "A", times=4, seconds=10.0)
    facts = [line(1.0, 0), line(5.0, 0)]
    assert why(wanted, *facts, now=6.0)[1:] == ["%1: 2 of 4 lines have come in the last 10 s"]
    assert why(wanted, *facts, now=12.0)[1:] == ["%1: 1 of 4 lines has come in the last 10 s"]
    assert why(wanted, *facts, now=16.0)[1:] == ["no line that still counts has come"]
    wanted = subscription("threshold", "A", times=4, seconds=10.0, across=True)
    assert why(wanted, line(1.0, 0), line(2.0, 0, "%2"), now=3.0)[1:] == ["2 of 4 lines have come in the last 10 s"]


def test_not_then():
    wanted = subscription("not-then", "A", "B", seconds=10.0)
    assert why(wanted, line(1.0, 0), now=4.0)[1:] == ["%1: 'A' has come, 7.0 s are left for 'B'"]
    assert why(wanted, line(1.0, 0), line(2.0, 1), now=4.0)[1:] == ["no line that still counts has come"]


def test_what_waits_for_other_panes():
    rule = Rule(subscription("threshold", "A", times=4, seconds=10.0, across=True))
    rule.take(line(1.0, 0))
    told = explain(rule.subscription, rule, [], 2.0)["why"][-1]
    assert told == "1 line waits until all is read that other panes had printed before"


def test_all():
    wanted = subscription("all", members=["s2", "s3"], seconds=10.0)
    assert why(wanted, member(1.0, "s3"), now=2.0)[-1].startswith("s3 of its members have fired")
    assert why(wanted, member(1.0, "s3"), now=2.0)[-1].endswith("missing: s2")
    assert why(wanted, member(1.0, "s3"), now=12.0)[-1].endswith("missing: s2, s3")


def test_numbers_have_their_words():
    wanted = subscription("pattern", "A", ttl=900.0, cooldown=1.5)
    assert why(wanted, line(1.0, 0), line(2.0, 0), now=3.0)[-2:] == [
        "it has fired 1 time",
        "1 was held back by its limit, cooldown or dedupe since the last event",
    ]
    assert why(wanted, *[line(at, 0) for at in (1.0, 2.0, 2.2, 3.0)], now=3.0)[-1] == "it has fired 2 times"
    facts = [line(1.0, 0, f"%{number}") for number in range(21)]
    wanted = subscription("sequence", "A", "B", seconds=10.0)
    assert why(wanted, *facts, now=2.0)[-1] == "and so on, in 1 more pane"


@pytest.mark.parametrize("kind", ["command", "prompt"])
def test_a_shell_that_marks_nothing(kind):
    told = "%1: no shell there has marked a prompt or a command yet; see: ctmux shell-init --help"
    assert told in why(subscription(kind), now=1.0)
    assert told in why(subscription(kind), now=1.0, printed=b"\x1b]7;file:///\x07$ ")
    assert told not in why(subscription(kind), now=1.0, printed=b"\x1b]133;A\x07$ ")
    assert told not in why(subscription("exit"), now=1.0)
