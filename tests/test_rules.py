"""Subscriptions that remember: each kind by its facts, each policy, and that a restart anywhere changes nothing."""

import json

import pytest
from ctmux.services.matcher.options import read
from ctmux.services.matcher.rule import KINDS, Rule
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared.codec import FRAME_MAX, pack
from ctmux.shared.errors import UsageError
from hypothesis import given
from hypothesis import strategies as st


def subscription(kind, *patterns, pane=None, **options):
    return Subscription(
        "s1", 1, kind, list(patterns), pane and "x", None, pane, "", 0.0, options=read(kind, list(patterns), options)
    )  # fmt: skip


def line(at, *indexes, text="text", pane="%1", offset=None, texts="ABCDE"):
    """A line with the patterns of these indexes, at byte `offset`: one for each tenth of a second if not told."""
    hits = [{"index": index, "pattern": texts[index], "match": text, "captures": [], "named": {}} for index in indexes]
    place = {"server": "x", "session": "$1", "pane": pane, "stream": f"p{pane[1:]}"}
    offset = round(at * 10) if offset is None else offset
    return {
        "is": "line", "at": at, "key": f"line/x/p{pane[1:]}", "position": offset, **place, "line": text, "hits": hits,
        "offset": offset, "end": offset + 1, "partial": False, "truncated": False,
    }  # fmt: skip


def tick(at):
    return {"is": "tick", "at": at, "key": "tick", "position": 0}


def exited(at, status=0, pane="%1", pid=7):
    place = {"server": "x", "session": "$1", "pane": pane, "stream": f"p{pane[1:]}"}
    ended = {"exit_status": status, "signal": None, "pid": pid}
    return {"is": "exit", "at": at, "key": f"exit/x/{pane}/{pid}", "position": 0, **place, **ended}


def finished(at, code=0, text="make", duration=1.0):
    place = {"server": "x", "session": "$1", "pane": "%1", "stream": "p1"}
    ended = {"text": text, "exit_code": code, "duration": duration, "cwd": "/", "start": 0, "end": 1}
    return {"is": "command", "at": at, "key": "command/x/p1", "position": round(at * 10), **place, **ended}


def member(at, which, n=1, over=False):
    event = None if over else {"line": f"{which} {n}"}
    place = {"server": "x", "session": "$1", "pane": "%1"}
    key = f"member/{which}/over" if over else f"member/{which}"
    return {"is": "member", "at": at, "key": key, "position": n, **place, "member": which, "event": event, "over": over}


def tell(rule, fact):
    """What follows from a fact, when all is read that was printed by then."""
    return rule.take(fact) + (rule.take(tick(fact["at"])) if rule.aside.ordered else [])


def play(rule, *facts):
    """When it fired."""
    return [fired.at for fact in facts for fired in tell(rule, fact)]


# ---- kinds ---------------------------------------------------------------------------------------------------------


def test_pattern_says_which_of_several_matched():
    rule = Rule(subscription("pattern", "A", "B", count=3))
    [first] = rule.take(line(1.0, 1, text="b"))
    [second] = rule.take(line(2.0, 0, 1, text="ab"))
    assert [(f.data["index"], f.data["pattern"], f.data["line"]) for f in (first, second)] == [
        (1, "B", "b"),
        (0, "A", "ab"),
    ]
    assert (first.n, second.n) == (1, 2)


def test_timeout_expires_once_and_is_satisfied_by_what_comes_before():
    rule = Rule(subscription("timeout", "A", seconds=5.0))
    assert rule.deadline == 5.0
    assert play(rule, tick(5.0)) == [5.0] and rule.over == "expired"
    rule = Rule(subscription("timeout", "A", seconds=5.0))
    assert play(rule, line(4.9, 0), tick(5.0)) == [] and rule.over == "satisfied"


def test_timeout_is_over_when_what_comes_is_late():
    rule = Rule(subscription("timeout", "A", seconds=5.0))
    assert play(rule, line(5.1, 0)) == [] and rule.deadline == 5.0  # of another pane there may be one in time
    assert play(rule, tick(5.0)) == [5.0] and rule.over == "expired"
    rule = Rule(subscription("timeout", "A", pane="%1", seconds=5.0))
    assert play(rule, line(5.1, 0)) == [5.0] and rule.over == "expired"


def test_a_flood_of_late_lines_is_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr("ctmux.services.matcher.aside._MOST", 3)
    rule = Rule(subscription("absence", "A", seconds=5.0))
    fired = [play(rule, line(at, 0)) for at in (10.0, 11.0, 20.0, 21.0, 30.0, 31.0)]
    assert fired == [[], [], [], [5.0], [], [16.0]] and len(rule.aside) == 2


def test_what_is_put_aside_waits_for_an_exit_too():
    rule = Rule(subscription("not-then", "A", "B", seconds=10.0))
    assert play(rule, line(1.0, 0), line(20.0, 0, pane="%2")) == [] and rule.panes == {"x/%1", "x/%2"}
    assert play(rule, exited(21.0, pane="%2"), tick(11.0)) == [11.0, 21.0]


def test_absence_arms_again_at_the_next_match():
    rule = Rule(subscription("absence", "A", seconds=5.0))
    assert play(rule, line(4.0, 0), tick(9.0)) == [9.0]
    assert rule.deadline is None and play(rule, tick(100.0)) == []
    assert play(rule, line(100.0, 0), line(104.0, 0), tick(109.0)) == [109.0] and rule.over is None


def test_absence_counts_from_the_last_match_of_all_panes_read_one_after_the_other():
    rule = Rule(subscription("absence", "A", seconds=30.0))
    play(rule, line(20.0, 0), line(5.0, 0, pane="%2"), line(12.0, 0, pane="%2"))
    assert rule.deadline == 50.0
    play(rule, line(10.0, 0, offset=999))  # the clock was set back
    assert rule.deadline == 40.0


def test_exit_by_status():
    facts = [exited(1.0, 0, "%1"), exited(2.0, 3, "%2"), exited(3.0, None, "%3")]
    assert play(Rule(subscription("exit")), *facts) == [1.0, 2.0, 3.0]
    assert play(Rule(subscription("exit", status=[3])), *facts) == [2.0]
    assert play(Rule(subscription("exit", fail=True)), *facts) == [2.0, 3.0]


def test_command_by_status_text_and_time():
    facts = [
        finished(1.0),
        finished(2.0, 2, "make test"),
        finished(3.0, 0, "make all", 60.0),
        finished(4.0, None, "x", None),
    ]
    assert play(Rule(subscription("command")), *facts) == [1.0, 2.0, 3.0, 4.0]
    assert play(Rule(subscription("command", fail=True)), *facts) == [2.0]
    assert play(Rule(subscription("command", text="^make ")), *facts) == [2.0, 3.0]
    assert play(Rule(subscription("command", slower=30.0)), *facts) == [3.0]


def test_sequence_in_each_pane_by_itself():
    rule = Rule(subscription("sequence", "A", "B", "C", seconds=10.0))
    facts = [line(1.0, 0), line(2.0, 1), line(2.5, 1, pane="%2"), line(3.0, 2, pane="%2"), line(4.0, 2), line(5.0, 2)]
    assert play(rule, *facts) == [4.0]
    assert play(rule, line(6.0, 0), line(7.0, 1), line(17.0, 2)) == []  # too late
    assert play(rule, line(20.0, 0), line(21.0, 0), line(22.0, 1), line(30.5, 2)) == [30.5]  # counted from the second A


def test_a_sequence_is_not_forgotten_when_it_begins_again():
    rule = Rule(subscription("sequence", "A", "B", "C", seconds=10.0))
    assert play(rule, line(1.0, 0), line(2.0, 1), line(3.0, 0), line(4.0, 2)) == [4.0]
    assert play(rule, line(21.0, 0), line(22.0, 1), line(30.0, 0), line(30.5, 1), line(35.0, 2)) == [35.0]  # the latest way


def test_sequence_across_panes():
    rule = Rule(subscription("sequence", "A", "B", seconds=10.0, across=True))
    [fired] = [*tell(rule, line(1.0, 0, text="a")), *tell(rule, line(2.0, 1, text="b", pane="%2"))]
    assert [(step["pane"], step["line"]) for step in fired.data["steps"]] == [("%1", "a"), ("%2", "b")]
    assert fired.place.pane == "%2" and fired.data["seconds"] == 1.0


def test_one_line_is_one_step():
    rule = Rule(subscription("sequence", "A", "B", seconds=10.0))
    assert play(rule, line(1.0, 0, 1)) == [] and play(rule, line(2.0, 0, 1)) == [2.0]


def test_a_without_b():
    rule = Rule(subscription("not-then", "A", "B", seconds=10.0))
    assert play(rule, line(1.0, 0), line(5.0, 1), tick(11.0)) == []
    assert play(rule, line(20.0, 0), line(25.0, 0), tick(30.0)) == [30.0]
    assert rule.deadline is None
    assert play(rule, line(40.0, 0), line(51.0, 1), tick(50.0)) == [50.0]  # B came too late
    assert play(rule, line(60.0, 0), exited(61.0)) == [61.0]  # B cannot come any more


def test_threshold_counts_anew_after_each_event():
    rule = Rule(subscription("threshold", "A", seconds=10.0, times=3))
    assert play(rule, *(line(at, 0) for at in (1.0, 2.0, 11.5, 11.8, 12.0, 13.0, 14.0, 15.0))) == [11.8, 14.0]


def test_any_and_all():
    of_any = Rule(subscription("any", members=["s2", "s3"]))
    assert play(of_any, member(1.0, "s2"), member(2.0, "s3"), member(3.0, "s2", 2)) == [1.0, 2.0, 3.0]
    play(of_any, member(4.0, "s2", over=True))
    assert of_any.over is None and play(of_any, member(5.0, "s3", over=True)) == [] and of_any.over == "members ended"
    of_all = Rule(subscription("all", members=["s2", "s3"]))
    assert play(of_all, member(1.0, "s2"), member(2.0, "s2", 2), member(3.0, "s3"), member(4.0, "s3", 2)) == [3.0]
    assert play(of_all, member(5.0, "s3", over=True)) == []  # it has fired: enough
    assert play(of_all, member(6.0, "s2", over=True)) == [] and of_all.over == "s2 ended"
    soon = Rule(subscription("all", members=["s2", "s3"], seconds=5.0))
    assert play(soon, member(1.0, "s2"), member(7.0, "s3"), member(8.0, "s2", 2)) == [8.0]


def test_all_is_over_when_it_can_never_fire_again():
    of_all = Rule(subscription("all", members=["s2", "s3"]))
    assert play(of_all, member(1.0, "s2"), member(2.0, "s2", over=True)) == [] and of_all.over is None
    assert play(of_all, member(3.0, "s3")) == [3.0] and of_all.over == "s2 ended"
    soon = Rule(subscription("all", members=["s2", "s3"], seconds=5.0))
    assert play(soon, member(1.0, "s2"), member(2.0, "s2", over=True), member(9.0, "s3")) == []
    assert soon.over == "s2 ended"


# ---- policies ------------------------------------------------------------------------------------------------------


def test_count_ttl_and_until():
    rule = Rule(subscription("pattern", "A", count=2))
    assert play(rule, line(1.0, 0), line(2.0, 0), line(3.0, 0)) == [1.0, 2.0] and rule.over == "count"
    rule = Rule(subscription("pattern", "A", ttl=2.5))
    assert play(rule, line(1.0, 0), line(3.0, 0), tick(2.5)) == [1.0] and rule.over == "ttl"
    rule = Rule(subscription("pattern", "A", until="B"))
    assert play(rule, line(1.0, 0), line(2.0, 1), line(3.0, 0)) == [1.0] and rule.over == "until"
    rule = Rule(subscription("pattern", "A", until="B"))
    assert play(rule, line(1.0, 0, 1)) == [1.0] and rule.over == "until"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("exit", {}), ("command", {}), ("prompt", {}), ("idle", {"seconds": 1.0}), ("any", {"members": ["s2"]}),
        ("all", {"members": ["s2"]}), ("timeout", {"seconds": 5.0}),
    ],
)  # fmt: skip
def test_a_line_ends_what_looks_for_no_lines(kind, options):
    rule = Rule(subscription(kind, until="A", **options))
    assert play(rule, line(1.0, 0)) == [] and rule.over == "until"


def test_what_a_limit_holds_back_is_counted_in_the_next_event():
    rule = Rule(subscription("pattern", "A", limit=[2, 10.0]))
    fired = [f for at in (1.0, 2.0, 3.0, 4.0, 11.5) for f in rule.take(line(at, 0))]
    assert [(f.at, f.data["suppressed"]) for f in fired] == [(1.0, 0), (2.0, 0), (11.5, 2)]


def test_a_limit_counts_what_is_read_out_of_order():
    rule = Rule(subscription("pattern", "A", limit=[2, 10.0]))
    facts = [line(100.0, 0), line(101.0, 0), line(102.0, 0), line(5.0, 0, pane="%2"), line(6.0, 0, pane="%2"),
             line(7.0, 0, pane="%2"), line(103.0, 0), line(111.5, 0)]  # fmt: skip
    assert play(rule, *facts) == [100.0, 101.0, 5.0, 6.0, 111.5]


@pytest.mark.parametrize(("options", "most"), [({"limit": [3, 60.0]}, 3), ({"cooldown": 60.0}, 1), ({"dedupe": 60.0}, 1)])
def test_panes_that_are_read_by_turns_are_held_back(options, most):
    rule = Rule(subscription("pattern", "A", **options))
    facts = [line((100.0, 300.0)[n % 2], 0, pane=f"%{n % 2}", offset=n, text="x") for n in range(200)]
    fired = play(rule, *facts[:100])
    rule = Rule(rule.subscription, json.loads(json.dumps(rule.dump())))
    assert sorted(fired + play(rule, *facts[100:])) == [100.0] * most + [300.0] * most


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=99),
    st.integers(1, 4),
    st.sampled_from(["limit", "cooldown"]),
)
def test_no_window_has_more_than_its_limit_whichever_pane_is_read_when(steps, most, option):
    rule = Rule(subscription("pattern", "A", **({"limit": [most, 20.0]} if option == "limit" else {"cooldown": 20.0})))
    at, facts = {False: 1.0, True: 400.0}, []
    for n, (pane, wait) in enumerate(steps):
        at[pane] += wait * (1 if pane else 9)  # one catches up with the other
        facts.append(line(at[pane], 0, pane=f"%{pane:d}", offset=n))
    fired = sorted(play(rule, *facts))
    most = most if option == "limit" else 1
    assert all(last - first >= 20 for first, last in zip(fired, fired[most:], strict=False))


def test_what_an_older_ctmux_kept_holds_back_too():
    kept = {"last": 9.0, "times": [8.0, 9.0], "texts": {"x": 9.0}, "suppressed": 4}
    for options in ({"limit": [2, 10.0]}, {"cooldown": 10.0}, {"dedupe": 10.0}):
        for policy in (kept, {**kept, "times": []})[: 1 if "limit" in options else 2]:
            rule = Rule(subscription("pattern", "A", **options))
            rule = Rule(rule.subscription, {**rule.dump(), "policy": json.loads(json.dumps(policy))})
            [fired] = [f for n, at in enumerate((10.0, 30.0)) for f in rule.take(line(at, 0, offset=n, text="x"))]
            assert (fired.at, fired.data["suppressed"]) == (30.0, 5)


def test_cooldown_and_dedupe():
    assert play(Rule(subscription("pattern", "A", cooldown=5.0)), *(line(at, 0) for at in (1.0, 3.0, 5.9, 6.0))) == [
        1.0,
        6.0,
    ]
    rule = Rule(subscription("pattern", "A", dedupe=5.0))
    facts = [line(1.0, 0, text="x"), line(2.0, 0, text="y"), line(3.0, 0, text="x"), line(7.0, 0, text="x")]
    assert play(rule, *facts) == [1.0, 2.0, 7.0]


def test_lines_after_are_waited_for():
    rule = Rule(subscription("pattern", "A", after=2))
    assert rule.take(line(1.0, 0, offset=50)) == []
    after = {"is": "after", "at": 1.3, "key": "after/x/p1", "position": 50, "server": "x", "stream": "p1", "offset": 50}
    [fired] = rule.take({**after, "lines": ["next"]})
    assert (fired.at, fired.data["after"], fired.data["offset"]) == (1.0, ["next"], 50)
    assert rule.take({**after, "lines": ["next"]}) == []


def test_no_more_lines_wait_for_those_after_them_than_are_wanted():
    rule = Rule(subscription("pattern", "A", after=2, count=2))
    assert play(rule, *(line(float(number), 0, offset=number) for number in range(1, 9))) == []
    assert list(rule.held) == ["p1/1", "p1/2"] and rule.over is None and rule.deadline is None
    after = {"is": "after", "at": 9.0, "server": "x", "stream": "p1", "key": "after/x/p1", "lines": []}
    rule = Rule(rule.subscription, rule.dump())
    assert play(rule, *({**after, "position": offset, "offset": offset} for offset in (1, 2))) == [1.0, 2.0]
    assert rule.over == "count"


def test_an_event_is_never_larger_than_a_frame():
    rule = Rule(subscription("pattern", "A", before=50))
    [fired] = rule.take({**line(1.0, 0, text="\u4e2d" * 4096), "before": ["\u4e2d" * 4096] * 50})
    assert len(pack(fired.data)) < FRAME_MAX / 2 and fired.data["before"][0].startswith("\u4e2d" * 256)
    both = Rule(subscription("all", members=["s2"]))
    events = {"steps": [{f"g{n}": "x" * 4096 for n in range(900)}] * 99}
    [fired] = tell(both, {**member(1.0, "s2"), "event": events})
    assert len(pack(fired.data)) < FRAME_MAX / 2


@pytest.mark.parametrize("last", ["until", "ttl"])
def test_lines_after_are_waited_for_beyond_the_end(last):
    rule = Rule(subscription("pattern", "A", after=2, until="B", ttl=2.0))
    ending = [line(1.1, 1, offset=60), line(1.2, 0, offset=70)] if last == "until" else [tick(2.0), line(2.1, 0, offset=70)]
    assert play(rule, line(1.0, 0, offset=50), *ending) == [] and rule.over is None and rule.deadline is None
    rule = Rule(rule.subscription, rule.dump())
    after = {"is": "after", "at": 2.3, "key": "after/x/p1", "position": 50, "server": "x", "stream": "p1", "offset": 50}
    assert play(rule, {**after, "lines": []}) == [1.0] and rule.over == last


@pytest.mark.parametrize(
    ("kind", "patterns", "options"),
    [
        ("nonsense", [], {}), ("pattern", [], {}), ("pattern", [""], {}), ("timeout", ["A"], {}), ("all", [], {}),
        ("idle", ["A"], {"seconds": 1.0}), ("not-then", ["A"], {"seconds": 1.0}), ("threshold", ["A"], {"seconds": 1.0}),
        ("pattern", ["A"], {"seconds": 1.0}), ("pattern", ["A"], {"times": 3}), ("pattern", ["A"], {"count": 0}),
        ("pattern", ["A"], {"ttl": -1.0}), ("pattern", ["A"], {"x": 1}), ("pattern", ["A"], {"limit": [1.0]}),
        ("pattern", ["A"], {"start": "yesterday"}), ("pattern", ["A"], {"before": 1000}),
        ("pattern", ["A"], {"count": "3"}), ("pattern", ["A"], {"limit": ["a", 2]}), ("any", [], {"members": [{}]}),
        ("pattern", ["A"], {"limit": [2, float("inf")]}), ("exit", [], {"status": [None]}),
        ("timeout", [], {"seconds": float("nan")}), ("exit", [], {"status": ["x"]}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(kind, patterns, options):
    with pytest.raises(UsageError):
        read(kind, patterns, options)


def test_a_number_that_is_none_is_refused_by_its_name():
    for options in ({"ttl": float("nan")}, {"cooldown": float("inf")}, {"seconds": float("nan")}):
        with pytest.raises(UsageError, match=f"^{next(iter(options))} (nan|inf): a number of seconds above 0"):
            read("timeout", ["A"], {"seconds": 1.0, **options})


def test_a_clock_that_is_set_back_lengthens_no_window():
    for options in ({"limit": [1, 10.0]}, {"cooldown": 10.0}, {"dedupe": 10.0}):
        assert play(Rule(subscription("pattern", "A", **options)), line(9999.0, 0), line(1.0, 0, offset=10**6)) == [
            9999.0,
            1.0,
        ]
    rule = Rule(subscription("threshold", "A", seconds=10.0, times=2))
    assert play(rule, line(9999.0, 0), line(1.0, 0, offset=10**6), line(2.0, 0, offset=10**6 + 1)) == [2.0]


# ---- lines that are told before they are whole ---------------------------------------------------------------------


def begun(at, *indexes, **more):
    return {**line(at, *indexes, **more), "partial": True}


def test_the_rest_of_a_line_is_of_that_line():
    steps = begun(1.0, 0, offset=9), line(2.0, 0, 1, offset=9)
    assert play(Rule(subscription("sequence", "A", "B", seconds=10.0)), *steps) == []  # one line is one step
    rule = Rule(subscription("not-then", "A", "B", seconds=10.0))
    assert play(rule, *steps, tick(20.0)) == []
    assert play(rule, begun(21.0, 1, offset=300), line(22.0, 0, 1, offset=300), tick(40.0)) == []
    rule = Rule(subscription("pattern", "A", until="B"))
    assert play(rule, *steps) == [1.0] and rule.over == "until"
    rule = Rule(subscription("timeout", "A", until="B", seconds=9.0))
    assert play(rule, begun(1.0, 1, offset=9)) == [] and rule.over == "until"


@pytest.mark.parametrize(("kind", "options"), [("pattern", {}), ("threshold", {"seconds": 9.0, "times": 1})])
def test_a_line_counts_once_whichever_pattern_its_rest_matches(kind, options):
    rule = Rule(subscription(kind, "A", "B", **options))
    rest = [begun(1.5, 0, offset=9), line(2.0, 0, 1, offset=9), line(2.5, 0, 1, offset=9), line(3.0, 1)]
    assert play(rule, begun(1.0, 0, offset=9), *rest) == [1.0, 3.0]


def test_the_rest_is_known_after_a_restart():
    rule = Rule(subscription("sequence", "A", "B", "C", seconds=10.0))
    steps = begun(1.0, 0, offset=9), line(2.0, 0, 1, offset=9)
    assert play(rule, line(0.5, 0), *steps) == []
    rule = Rule(rule.subscription, json.loads(json.dumps(rule.dump())))
    assert play(rule, *steps) == [] and all(map(rule.knows, steps))
    assert play(rule, line(3.0, 2)) == [3.0]  # the A of 0.5, the B of 2.0


def test_a_line_that_fired_as_it_paused_is_no_step_whatever_comes_in_between():
    rule = Rule(subscription("sequence", "A", "B", seconds=10.0, across=True))
    facts = [line(0.0, 0, pane="%3"), begun(1.0, 1, pane="%1", offset=9), line(2.0, 1, pane="%2"),
             line(3.0, 0, 1, pane="%1", offset=9), line(4.0, 1, pane="%2")]  # fmt: skip
    assert play(rule, *facts) == [1.0]


@given(st.sampled_from(["sequence", "not-then", "threshold", "pattern", "absence"]), st.booleans(), st.data())
def test_a_line_that_pauses_is_as_one_that_does_not(kind, across, data):
    """What is told of its beginning, of its rest, or of all at once comes to the same."""
    seconds = {} if kind == "pattern" else {"seconds": 3.0}
    more = {"times": 3} if kind == "threshold" else {}
    more |= {"across": across} if kind in ("sequence", "threshold", "not-then") else {}
    patterns = "AB" if kind == "not-then" else "ABC"
    hits = st.lists(st.integers(0, len(patterns) - 1), min_size=1, unique=True)
    lines = data.draw(st.lists(st.tuples(hits, st.integers(0, 8), st.sampled_from(["%1", "%2"])), max_size=20))
    whole, split, at = Rule(subscription(kind, *patterns, **seconds, **more)), [], 0.0
    paused = Rule(whole.subscription)
    fired = []
    for number, (indexes, wait, pane) in enumerate(lines):
        at += wait / 10
        fired += play(whole, line(at, *sorted(indexes), pane=pane, offset=number))
        ends = sorted(data.draw(st.sets(st.integers(1, len(indexes)))))
        for end in ends:
            split += play(paused, begun(at, *sorted(indexes[:end]), pane=pane, offset=number))
        split += play(paused, line(at, *sorted(indexes), pane=pane, offset=number))
    assert split == fired and paused.deadline == whole.deadline
    assert play(paused, tick(99.0)) == play(whole, tick(99.0))


# ---- restarts ------------------------------------------------------------------------------------------------------

RULES = [
    subscription("pattern", "A", "B", limit=[2, 3.0], dedupe=1.0, until="D"),
    subscription("pattern", "A", count=4, cooldown=0.5),
    subscription("timeout", "C", seconds=3.0),
    subscription("absence", "A", "B", seconds=1.5, ttl=9.0),
    subscription("sequence", "A", "B", "A", seconds=2.0),
    subscription("sequence", "A", "B", seconds=2.0, across=True),
    subscription("not-then", "A", "B", seconds=1.0),
    subscription("threshold", "A", "B", seconds=1.0, times=3, cooldown=2.0),
    subscription("exit", fail=True, count=2),
]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 8), st.sampled_from([(0,), (1,), (2,), (0, 1), (), "exit", "exit 1"]), st.sampled_from(["%1", "%2"])
    ),
    max_size=40,
)


def facts_of(rule, steps):
    """Facts in the order of time; what a rule does not look for is not told to it."""
    at, facts = 0.0, []
    for number, (wait, what, pane) in enumerate(steps):
        at += wait / 10
        if isinstance(what, str):
            facts.append(exited(at, int(what == "exit 1"), pane, pid=number))
        elif what and max(what) < len(rule.texts) and rule.kind != "exit":
            facts.append(line(at, *what, pane=pane, offset=number, text=f"t{number % 3}", texts=[*rule.texts, "X", "Y"]))
    keyed = rule.kind in ("sequence", "not-then", "threshold")
    return [fact for fact in facts if (fact["is"] == "exit") == (rule.kind == "exit") or (keyed and fact["is"] == "exit")]


@given(st.sampled_from(RULES), STEPS, st.data())
def test_a_restart_anywhere_and_facts_told_again_change_nothing(wanted, steps, data):
    facts = facts_of(wanted, steps)
    whole = Rule(wanted)
    expected = [fired for fact in facts for fired in whole.take(fact)]
    rule, got, kept = Rule(wanted), {}, Rule(wanted).dump()
    since = 0
    for number, fact in enumerate(facts):
        what = data.draw(st.sampled_from(["go on", "go on", "restart", "keep", "again"]))
        if what == "keep":
            kept, since = rule.dump(), number
        if what == "restart":  # from what was kept, and what was told since
            rule = Rule(wanted, json.loads(json.dumps(kept)))
            for past in facts[since:number]:
                got |= {fired.n: fired for fired in rule.take(past)}
        if what == "again" and number:
            assert rule.take(facts[number - 1]) == []
        for fired in rule.take(fact):
            assert got.setdefault(fired.n, fired) == fired
    assert [got[n] for n in sorted(got)] == expected
    assert rule.over == whole.over


@given(st.sampled_from(RULES), STEPS)
def test_no_time_is_missed(wanted, steps):
    """Ticks at each deadline change nothing but when it is heard of."""
    facts = facts_of(wanted, steps)
    late, timely = Rule(wanted), Rule(wanted)
    expected = [fired for fact in facts for fired in late.take(fact)] + ticks(late, facts)
    got = []
    for number, fact in enumerate(facts):
        got += ticks(timely, facts[: number + 1]) + timely.take(fact)
    assert got == expected


def ticks(rule, facts):
    """What was due until the last of these."""
    fired = []
    while facts and (due := rule.deadline) is not None and due <= facts[-1]["at"]:
        fired += rule.take(tick(due))
    return fired


LATE = [
    *(rule for rule in RULES if rule.kind in ("timeout", "absence", "not-then")),
    subscription("sequence", "A", "B", "A", seconds=2.0, across=True),
    subscription("not-then", "A", "B", seconds=1.0, across=True),
    subscription("threshold", "A", "B", seconds=1.0, times=3, across=True),
    subscription("pattern", "A", until="B"),
    subscription("sequence", "A", "B", seconds=2.0, across=True, ttl=3.0, until="C"),
]


@given(st.sampled_from(LATE), STEPS)
def test_a_pane_that_is_read_after_another_changes_no_time(wanted, steps):
    facts = [fact | {"at": fact["at"] + number / 1000} for number, fact in enumerate(facts_of(wanted, steps))]
    timely, late = Rule(wanted), Rule(wanted)
    expected = [fired for fact in facts for fired in timely.take(fact)] + ticks(timely, facts)
    got = [fired for fact in sorted(facts, key=lambda fact: fact["pane"]) for fired in late.take(fact)] + ticks(late, facts)
    if late.aside.ordered and facts:
        expected += timely.take(tick(facts[-1]["at"]))
        got += late.take(tick(facts[-1]["at"]))
    assert sorted((fired.at, *fired.place) for fired in got) == sorted((fired.at, *fired.place) for fired in expected)
    assert late.over == timely.over


@given(st.lists(st.tuples(st.sampled_from(["s2", "s3"]), st.integers(1, 9)), max_size=20), st.sampled_from([None, 1.5]))
def test_all_counts_its_members_in_the_order_of_their_times(steps, seconds):
    facts, at = [], 0.0
    for number, (which, wait) in enumerate(steps):
        at += wait / 10
        facts.append(member(at, which, number))
    wanted = subscription("all", members=["s2", "s3"], **({"seconds": seconds} if seconds else {}))
    timely, late = Rule(wanted), Rule(wanted)
    expected = play(timely, *facts)
    for fact in sorted(facts, key=lambda fact: fact["member"]):
        assert late.take(fact) == []
    assert play(late, tick(at)) == expected


def test_every_kind_has_a_machine_and_a_need():
    from ctmux.services.matcher.options import NEEDS
    from ctmux.services.matcher.rule import event_kind
    from ctmux.shared.messages import KINDS as EVENTS

    assert KINDS.keys() == NEEDS.keys()
    assert {event_kind(kind) for kind in KINDS} <= EVENTS
