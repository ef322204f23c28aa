"""What rules are told in the loop: in which order it follows, over a kill and a full disk; with a real file of facts."""

import json
import os
import re
import time

import pytest
from ctmux.cli.history import last_lines
from ctmux.services.matcher import arming, drafts
from ctmux.services.matcher.aside import Untold
from ctmux.services.matcher.memory import Memory
from ctmux.services.matcher.options import read
from ctmux.services.matcher.rule import Rule
from ctmux.services.matcher.rules import Rules
from ctmux.services.matcher.store import Store
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import journal, spool
from ctmux.shared.errors import NoTarget, UsageError
from ctmux.shared.messages import Subscribe
from ctmux.shared.service import Timer


def untold(at, pane):
    """Something of a pane that is not told yet."""
    return Untold(at, f"p{pane}", "x", {"$1"}, f"%{pane}")


class Loop:
    """A matcher around rules: its journal takes everything at once, unless it is `deaf`."""

    def __init__(self, path, subscriptions, reported=()):
        self.outbox = self
        self.alive = {one.id: one for one in subscriptions}
        self.journal, self.ends, self.timers, self.waiting, self.holds = [], {}, [], [], []
        self.late, self.past, self.looks = [], set(), 0  # what is not read yet; who is told what was before; and how often
        self.deaf = self.doubts = self.behind = self.leaving = False
        self.rules = Rules(self, self, str(path), "")
        for one in subscriptions:
            if not one.plain:
                self.rules.add(one)
        self.rules.resume(self.alive, dict(reported))

    def put(self, drafts, done=None):
        self.journal += drafts
        self.waiting += [done] if done else []
        while self.waiting and not self.deaf:
            self.waiting.pop(0)()

    def ended(self, subscription, reason, by):
        if self.alive.pop(subscription.id, None):
            self.ends[subscription.id] = reason
            self.rules.remove(subscription)

    def after(self, seconds, action):
        timer = Timer(action)
        self.timers.append((seconds, timer))
        return timer

    def turn(self, seconds=2.0):
        """The timers of so many seconds."""
        due = [timer for left, timer in self.timers if left <= seconds]
        self.timers = [(left, timer) for left, timer in self.timers if left > seconds and timer.action]
        for timer in due:
            if timer.action:
                timer.action()

    def caught_up(self, until):
        return not self.behind

    def is_unsure(self, until):
        return self.doubts

    def unread(self):
        self.looks += 1
        return [untold(0.0, 9)] if self.behind else self.late

    def unsure(self):
        return [untold(0.0, 9)] if self.doubts else []

    def tells_past(self, subscription):
        return subscription.id in self.past

    def holding(self, rule):
        self.holds.append(rule.subscription.id)

    def released(self):
        pass

    def fired(self, id):
        return [draft.position for draft in self.journal if draft.subscription == id]


def subscription(number, kind, *patterns, **options):
    return Subscription(
        f"s{number}", number, kind, list(patterns), None, None, None, "", time.time(), read(kind, list(patterns), options)
    )  # fmt: skip


def line(offset, at=None, **more):
    hit = {"index": 0, "pattern": "A", "match": "A", "captures": [], "named": {}}
    return {
        "is": "line", "at": at or time.time(), "key": "line/x/p1", "position": offset, "server": "x", "session": "$1",
        "pane": "%1", "stream": "p1", "line": "A", "hits": [hit], "offset": offset, "end": offset + 1, "partial": False,
        "truncated": False, **more,
    }  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "facts.jsonl"


@pytest.mark.parametrize("kind", ["any", "all"])
def test_the_last_event_of_a_member_is_told_before_its_end(path, kind):
    loop = Loop(path, [subscription(1, "pattern", "A", ttl=9.0, count=1), subscription(2, kind, members=["s1"])])
    loop.rules.tell([("s1", line(5))])
    loop.turn(0.0)
    assert loop.ends["s1"] == "once" and loop.fired("s2") == [1]
    assert loop.ends["s2"] == {"any": "members ended", "all": "s1 ended"}[kind]


def test_what_a_killed_matcher_did_not_tell_of_a_member_is_told(path):
    """It ended while nobody could note that: of a plain one, for instance, only the journal knows."""
    members = [subscription(number, "pattern", "A") for number in (1, 2)]
    waiting = [subscription(3, "any", members=["s1"]), subscription(4, "all", members=["s1", "s2"])]
    loop = Loop(path, [members[1], *waiting])
    loop.turn(0.0)
    assert loop.ends == {"s3": "members ended", "s4": "s1 ended"}


def test_facts_are_begun_anew_with_all_of_a_batch(path, monkeypatch):
    """A member that ends in the middle of what is told: the states are those after all of it."""
    wanted = [
        subscription(1, "pattern", "A", ttl=900.0, count=1), subscription(2, "any", members=["s1"]),
        subscription(3, "pattern", "A", ttl=900.0),
    ]  # fmt: skip
    monkeypatch.setattr("ctmux.services.matcher.memory._SPARE", 100)
    monkeypatch.setattr("ctmux.services.matcher.kept._TURN", 60.0)  # in one turn, however slow the machine is
    loop = Loop(path, wanted)
    loop.rules.tell([("s1", line(5)), ("s3", line(5)), ("s3", line(7))])
    assert b'"fact"' not in path.read_bytes()
    loop = Loop(path, wanted[2:])
    assert loop.rules.by_id["s3"].fired == 2


def test_facts_are_begun_anew_in_turns_and_what_comes_meanwhile_counts_once(path, monkeypatch):
    wanted = [subscription(number, "pattern", "A", ttl=900.0) for number in range(1, 9)]
    monkeypatch.setattr("ctmux.services.matcher.memory._SPARE", 2500)
    monkeypatch.setattr("ctmux.services.matcher.kept._TURN", 0.0)
    loop = Loop(path, wanted)
    position = 0
    while not os.path.exists(f"{path}.new"):
        position += 1
        loop.rules.tell([(one.id, line(position)) for one in wanted])
    begun = position
    while os.path.exists(f"{path}.new"):
        position += 1
        loop.rules.tell([(one.id, line(position)) for one in wanted])
        loop.turn()
    assert position > begun + 3
    again = Loop(path, wanted)
    assert {rule.fired for rule in again.rules.by_id.values()} == {position}
    assert not [draft for draft in again.journal if draft.position <= begun]


@pytest.mark.parametrize(
    "fact", ['{"is": "line"}', '{"is": "exit", "at": 1, "key": "k", "position": 1}', "{}", '{"at": []}']
)
def test_a_fact_that_lacks_something_is_left_out(path, fact, capsys):
    wanted = [subscription(1, "pattern", "A", ttl=900.0), subscription(2, "exit", ttl=900.0)]
    loop = Loop(path, wanted)
    loop.rules.tell([("s1", line(5))])
    path.write_text(path.read_text() + "".join(f'{{"id": "s{n}", "fact": {fact}}}\n' for n in (1, 2)))
    loop = Loop(path, wanted)
    loop.rules.tell([("s1", line(6))])
    assert loop.fired("s1") == [1, 2] and not loop.ends and "makes nothing of" in capsys.readouterr().out


@pytest.mark.parametrize("state", [{"kind": {"waiting": True}}, {"kind": []}, {"seen": 5}, {"held": {"x": 1}, "policy": 7}])
def test_a_damaged_state_is_left_out_or_ends_with_the_reason(path, state):
    wanted = [subscription(1, "absence", "A", seconds=5.0)]
    path.write_text(json.dumps({"id": "s1", "state": state}) + "\n")
    loop = Loop(path, wanted)
    loop.rules.tell([("s1", line(5))])
    assert loop.ends in ({}, {"s1": "damaged"})
    loop.turn()


def test_what_is_due_sooner_is_counted_sooner(path):
    loop = Loop(path, [subscription(1, "not-then", "A", "B", seconds=5.0, ttl=900.0)])
    loop.rules.tell([("s1", line(5))])
    assert [left for left, timer in loop.timers if timer.action] == [pytest.approx(5.0, abs=1.0)]
    loop.turn(9.0)
    assert loop.fired("s1") == [1] and [round(left, -2) for left, _timer in loop.timers] == [900]


def test_what_may_have_come_in_time_is_waited_for(path):
    loop = Loop(path, [subscription(1, "timeout", "A", seconds=5.0)])
    loop.doubts = True
    loop.turn(9.0)
    assert not loop.ends
    loop.doubts = False
    loop.turn(9.0)
    assert loop.ends == {"s1": "expired"}


def test_a_clock_that_is_set_back_delays_nothing(path, monkeypatch):
    loop = Loop(path, [subscription(1, "timeout", "A", seconds=5.0)])
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now - 3600.0)
    loop.turn(9.0)
    assert loop.fired("s1") == [1] and loop.ends == {"s1": "expired"}


def test_nothing_is_kept_of_what_has_ended(path):
    members = [subscription(1, "pattern", "A"), subscription(2, "sequence", "A", "B", seconds=5.0)]
    loop = Loop(path, [*members, subscription(3, "any", members=["s1", "s2"])])
    loop.rules.tell([("s2", line(5))])
    assert loop.rules.waiting_for("x", "%1") == ["s2"]
    loop.rules.tell([("s2", line(6))])
    for one in list(loop.alive.values()):
        loop.ended(one, "removed", None)
    assert not list(loop.rules.members) and not loop.rules._waiting
    assert not loop.rules.by_id and not len(loop.rules._due)


def test_what_is_damaged_or_lost_is_left_out_and_no_number_is_given_twice(path):
    wanted = subscription(1, "pattern", "A", ttl=900.0)
    loop = Loop(path, [wanted])
    loop.rules.tell([("s1", line(offset)) for offset in (5, 6, 7)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + bytes(99) + b"\n" + b'{"id": 7}\n[]\n')  # the last ones went with the machine
    loop = Loop(path, [wanted], {"s1": 3})
    assert loop.fired("s1") == [1]
    loop.rules.tell([("s1", line(9))])
    assert loop.fired("s1") == [1, 4]


def test_subscriptions_of_an_older_or_a_damaged_file_are_left_out(tmp_path, capsys):
    file = tmp_path / "state" / "subscriptions.jsonl"
    Store(str(file)).add(subscription(1, "exit"))
    older = {"id": "s7", "number": 7, "kind": "pattern", "pattern": "A", "token": "t"}
    file.write_bytes(file.read_bytes() + json.dumps({"made": older}).encode() + b"\n\0\0\n[]\n")
    store = Store(str(file))
    assert list(store.active) == ["s1"] and store.next_number() > 8 and store.lost == {"s7"}
    assert "'pattern'" in capsys.readouterr().out
    store.forget("s7")
    assert not Store(str(file)).lost


def test_a_request_whose_answer_was_lost_arms_nothing_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("ctmux.services.matcher.store._TOKENS_MOST", 3)
    file = str(tmp_path / "state" / "subscriptions.jsonl")
    store = Store(file)
    for number in range(1, 6):
        one = subscription(number, "exit")
        one.token = f"t{number}"
        store.add(one)
        if number < 5:
            store.end(one)
            store.forget(one.id)
    for known in (store, Store(file)):
        assert [known.by_token(f"t{number}") is not None for number in range(1, 6)] == [False, True, True, True, True]
        assert list(known.active) == ["s5"]


def test_subscriptions_are_begun_anew_in_turns(tmp_path, monkeypatch):
    monkeypatch.setattr("ctmux.services.matcher.store._SPARE", 5)
    monkeypatch.setattr("ctmux.services.matcher.store._TOKENS_MOST", 2)
    monkeypatch.setattr("ctmux.services.matcher.kept._TURN", 0.0)
    file = str(tmp_path / "state" / "subscriptions.jsonl")
    loop, store = Loop(tmp_path / "facts.jsonl", []), Store(file)
    made = [subscription(number, "exit") for number in range(1, 40)]
    for one in made:
        one.token = one.id
        store.add(one)
    for one in made[2:30]:
        store.end(one)
        store.forget(one.id)
        store.renew(loop)
        loop.turn()
    while loop.timers:
        loop.turn()
    again = Store(file)
    assert list(again.active) == ["s1", "s2", *(f"s{number}" for number in range(31, 40))]
    assert again.next_number() == 40 and again.by_token("s30") and os.path.getsize(file) < 45 * 1100


def test_who_looks_at_an_ended_member_or_too_far_is_refused(tmp_path):
    store = Store(str(tmp_path / "state" / "subscriptions.jsonl"))
    for number in range(1, 7):
        store.add(subscription(number, "any", members=[f"s{number - 1}"]))
    ask = Subscribe("t", "any", [], None, None, None, {"members": ["s3"]})
    assert arming.subscription(ask, store, str(tmp_path)).options.members == ["s3"]
    with pytest.raises(UsageError):
        arming.subscription(ask._replace(options={"members": ["s6"]}), store, str(tmp_path))
    store.end(store.active["s3"])  # and its end is under way to the journal
    with pytest.raises(NoTarget):
        arming.subscription(ask, store, str(tmp_path))


@pytest.mark.parametrize(("option", "kind"), [("until", "exit"), ("text", "command")])
def test_a_bad_pattern_of_an_option_names_it(tmp_path, option, kind):
    store = Store(str(tmp_path / "state" / "subscriptions.jsonl"))
    for text, told in (("(", "pattern: missing )"), ("", "pattern matches empty text")):
        with pytest.raises(UsageError, match=f"^{option}: {re.escape(told)}"):
            arming.subscription(Subscribe("t", kind, [], None, None, None, {option: text}), store, str(tmp_path))


@pytest.mark.parametrize(
    "large",
    [
        {"options": {"actions": [{"do": "run", "argv": ["true", "\x01" * 30_000]}]}},  # six times as long in the journal
        {"options": {"actions": [{"do": "run", "argv": ["true"] * 20_000}]}},
        {"options": {"name": "x" * 900_000}},
        {"options": {"tags": ["x" * 9_000] * 99}},
        {"session": "$" + "1" * 200_000},
    ],
)
def test_what_would_not_fit_into_the_journal_is_not_armed(tmp_path, large):
    store = Store(str(tmp_path / "state" / "subscriptions.jsonl"))
    ask = Subscribe("t", "exit", [], None, None, None, {})
    with pytest.raises(UsageError, match="too large: at most 128 KiB"):
        arming.subscription(ask._replace(**large), store, str(tmp_path))
    most = ask._replace(options={"actions": [{"do": "run", "argv": ["true", "\x01" * 20_000]}]})
    event = drafts.created(arming.subscription(most, store, str(tmp_path)))
    assert len(json.dumps(event)) < journal.LINE_MAX / 2


def test_what_a_user_sees_has_each_value_once(tmp_path):
    shown = subscription(1, "pattern", "A", owner="me", tags=["x"], cooldown=2.0).public()
    assert "options" not in shown and not shown.keys() & {"armed", "token", "number"}
    assert (shown["owner"], shown["tags"], shown["cooldown"], shown["ttl"]) == ("me", ["x"], 2.0, None)


def test_the_last_lines_are_those_of_tail(tmp_path):
    """Prompts and what is typed at them are lines, too, and an unfinished one is."""
    file = tmp_path / "spool"
    for printed in (b"a\nb\nc\n", b"$ make\r\nok\r\n$ ", b"one", b"\n\n", b"a\n\n", b""):
        file.write_bytes(printed)
        for lines in range(6):
            assert arming._lines_back(str(file), len(printed), lines) == last_lines(str(file), lines)[0], (printed, lines)


@pytest.mark.parametrize(("asked", "offset"), [("now", 6), ("last 1", 3), ("4", 4), ("start", 0)])
def test_a_pane_that_moves_while_it_is_looked_at_has_no_past(tmp_path, asked, offset):
    """Its spool is not where it was seen: that does not make it empty."""
    folder = tmp_path / "x" / "s2"
    folder.mkdir(parents=True)
    stream = spool.parse_stream("p1.2.w3.k")
    seen = spool.Spool("x", "$1", stream, str(tmp_path / "x" / "s1" / f"{stream.name}.raw"))
    wanted = subscription(1, "pattern", "A", **({} if asked == "now" else {"start": asked}))
    assert arming.start(wanted, str(tmp_path), seen) is None
    (folder / f"{stream.name}.raw").write_bytes(b"ab\ncd\n")
    assert arming.start(wanted, str(tmp_path), seen) == offset


def test_nothing_is_reported_before_what_a_full_disk_refuses(path, monkeypatch):
    """Neither lines behind it, nor an end: a matcher that is killed now would not read the line again."""
    wanted = subscription(1, "pattern", "A", ttl=900.0)
    loop = Loop(path, [wanted])

    def refuse(_self, _facts):
        raise OSError("no space")

    with monkeypatch.context() as full:
        full.setattr(Memory, "add", refuse)
        loop.rules.tell([("s1", line(5))])
        loop.rules.once_saved(lambda: loop.ended(wanted, "removed", None))
        loop.turn()
        assert loop.rules.stuck and not loop.journal and not loop.ends
    loop.turn()
    assert loop.fired("s1") == [1] and loop.ends == {"s1": "removed"}


def test_one_that_fired_once_has_ended_although_its_fact_is_lost(path):
    wanted = subscription(1, "pattern", "A", count=1)
    loop = Loop(path, [wanted], {"s1": 1})
    assert loop.ends == {"s1": "once"} and not loop.fired("s1")


# ---- panes that are read one after the other ------------------------------------------------------------------------


def at(seconds, pane, *indexes, since=1000.0):
    """A line of a pane that was printed so long after `since`."""
    hits = [{"index": index, "pattern": "AB"[index], "match": "", "captures": [], "named": {}} for index in indexes or (0,)]
    place = {"key": f"line/x/p{pane}", "pane": f"%{pane}", "stream": f"p{pane}"}
    return line(round(seconds * 10), since + seconds, hits=hits, **place)


def made(number, kind, *patterns, **options):
    one = subscription(number, kind, *patterns, **options)
    one.created = 1000.0
    return one


ORDERS = [  # what is waited for, what is read in which order, when it fires at once and later, and why it is over then
    (("timeout", "A"), {"seconds": 5.0}, [at(10, 1), at(3, 2)], [], {"s1": "satisfied"}),
    (("pattern", "A"), {"ttl": 60.0}, [at(70, 1), at(30, 2)], [1030.0], {"s1": "ttl"}),
    (("absence", "A"), {"seconds": 5.0}, [at(10, 1), at(4, 2), at(8, 2)], [1015.0], {}),
    (("not-then", "A", "B"), {"seconds": 30.0}, [at(0, 2), at(38, 1), at(2, 2, 1), at(39, 1, 1)], [], {}),
    (("not-then", "A", "B"), {"seconds": 30.0}, [at(0, 2), at(38, 1), at(32, 2, 1)], [1030.0, 1068.0], {}),
    (("timeout", "A"), {"seconds": 5.0}, [at(10, 1), at(6, 2)], [1005.0], {"s1": "expired"}),
]


def told(loop):
    return [draft.time for draft in loop.journal if draft.subscription == "s1"]


@pytest.mark.parametrize(("wanted", "options", "facts", "fires", "ends"), ORDERS)
@pytest.mark.parametrize("killed", [None, *range(5)])
def test_a_later_line_that_is_read_first_passes_no_time(path, wanted, options, facts, fires, ends, killed):
    one = made(1, *wanted, **options)
    loop, journal = Loop(path, []), []
    loop = Loop(path, [one])
    loop.behind = True
    for number, fact in enumerate(facts):
        if number == killed:
            journal, loop = told(loop), Loop(path, [one])
            loop.behind = True
        loop.rules.tell([("s1", fact)])
        loop.turn()
        assert 1005.0 not in told(loop) and "expired" not in loop.ends.values()
    if killed == len(facts):
        journal, loop = told(loop), Loop(path, [one] if not loop.ends else [])
    loop.behind = False
    for _ in facts:
        loop.turn()
    assert sorted({*journal, *told(loop)}) == fires
    assert not ends or loop.ends == ends or killed == len(facts)


ACROSS = [  # the same of rules for which the order of the panes' lines is all
    (("sequence", "A", "B"), {"seconds": 30.0, "across": True}, [at(5, 1, 1), at(4, 2)], [1005.0]),
    (("sequence", "A", "B"), {"seconds": 30.0, "across": True}, [at(5, 1), at(4, 2, 1)], []),
    (("sequence", "A", "B"), {"seconds": 30.0, "across": True}, [at(5, 1), at(9, 1, 1), at(4, 2, 1)], [1009.0]),
    (("not-then", "A", "B"), {"seconds": 3.0, "across": True}, [at(5, 1, 1), at(4, 2)], []),
    (("not-then", "A", "B"), {"seconds": 3.0, "across": True}, [at(5, 1), at(4, 2, 1)], [1008.0]),
    (("threshold", "A"), {"seconds": 3.0, "times": 2, "across": True}, [at(1, 1), at(9, 1), at(2, 2)], [1002.0]),
    (("pattern", "A"), {"until": "B"}, [at(5, 1), at(9, 1, 1), at(4, 2), at(10, 2)], [1004.0, 1005.0]),
]


@pytest.mark.parametrize(("wanted", "options", "facts", "fires"), ACROSS)
@pytest.mark.parametrize("late", ["behind", "doubts"])
@pytest.mark.parametrize("killed", [None, *range(5)])
def test_lines_of_several_panes_count_in_the_order_of_their_times(path, wanted, options, facts, fires, late, killed):
    one = made(1, *wanted, **options)
    loop = Loop(path, [one])
    setattr(loop, late, True)
    for number, fact in enumerate(facts):
        if number == killed:
            loop = Loop(path, [one])
            setattr(loop, late, True)
        loop.rules.tell([("s1", fact)])
        loop.turn()
        assert not told(loop) and not loop.ends
    if killed == len(facts):
        loop = Loop(path, [one])
    setattr(loop, late, False)
    for _ in facts:
        loop.turn()
    assert told(loop) == fires and loop.ends == ({"s1": "until"} if "until" in options else {})


def test_a_pane_is_over_when_nothing_of_it_is_put_aside(path):
    loop, done = Loop(path, [made(1, "sequence", "A", "B", seconds=9.0, across=True)]), []
    loop.behind = True
    loop.rules.tell([("s1", at(5, 1)), ("s1", at(6, 2, 1))])
    for pane in ("%2", "%3"):
        loop.rules.once_told("x", pane, lambda pane=pane: done.append((pane, told(loop))))
    loop.turn()
    assert done == [("%3", [])]
    loop.behind = False
    loop.turn()
    assert done == [("%3", []), ("%2", [1006.0])]


def test_each_fact_counts_when_all_is_read_that_was_printed_before_it(path):
    """However much is not read yet of what came later."""
    loop = Loop(path, [made(1, "sequence", "A", "B", seconds=9.0, across=True)])
    loop.late = [untold(1005.5, 3)]
    loop.rules.tell([("s1", at(6, 2, 1)), ("s1", at(5, 1)), ("s1", at(5.2, 1, 1)), ("s1", at(5.4, 1))])
    loop.turn()
    assert told(loop) == [1005.2]
    loop.late = [untold(1006.0, 2)]  # its own pane: what comes is behind it
    loop.turn()
    assert told(loop) == [1005.2, 1006.0]


def test_a_turn_is_for_all_that_wait(path):
    """What is not read yet is looked for once, however many rules there are."""
    rules = [made(number, "sequence", "A", "B", seconds=9.0, across=True) for number in range(1, 100)]
    loop = Loop(path, rules)
    loop.rules.tell([(f"s{number}", one) for one in (at(6, 2, 1), at(5, 1)) for number in range(1, 100)])
    loop.turn()
    assert len(loop.journal) == 99 and loop.looks == 1
    assert not [left for left, timer in loop.timers if timer.action]


def test_a_line_leaves_no_timer_behind(path):
    """Of a rule with a deadline: each would stay until that."""
    loop = Loop(path, [subscription(1, "pattern", "A", until="B", ttl=1e8)])
    for number in range(50):
        loop.rules.tell([("s1", at(number, 1))])
        loop.turn()
    assert len(told(loop)) == 50 and len(loop.timers) == 1


def test_all_waits_for_what_its_members_wait_for(path):
    """And for theirs: of what those have put aside, hold back, or are still told of the past."""
    first, second = made(1, "pattern", "A", until="Z"), made(2, "pattern", "A", until="Z")
    nested, both = made(3, "any", members=["s1"]), made(4, "all", members=["s3", "s2"])
    loop = Loop(path, [first, second, nested, both])
    loop.past = {"s1"}
    loop.rules.tell([("s2", at(5, 1))])
    loop.turn()
    loop.turn()
    assert told(loop) == [] and loop.fired("s2") == [1] and not loop.fired("s4")
    loop.rules.tell([("s1", at(4, 1))])
    loop.past = set()
    loop.turn()
    loop.turn()
    assert loop.fired("s4") == [1] and loop.journal[-1].time == 1005.0


@pytest.mark.parametrize("killed", [False, True])
def test_what_overflows_with_lines_after_it_is_not_forgotten(path, monkeypatch, killed):
    monkeypatch.setattr("ctmux.services.matcher.aside._MOST", 2)
    one = made(1, "pattern", "A", until="B", after=2, count=1)
    loop = Loop(path, [one])
    loop.behind = True
    loop.rules.tell([("s1", at(number, 1)) for number in (1, 2, 3)])
    assert list(loop.rules.by_id["s1"].held) == ["p1/10"] and loop.holds == ["s1"]
    after = {"is": "after", "at": 1007.0, "key": "after/x/p1", "position": 10, "server": "x", "stream": "p1", "offset": 10}
    if killed:
        loop = Loop(path, [one])
    loop.rules.tell([("s1", after | {"lines": []})])
    assert told(loop) == [1001.0] and loop.ends == {"s1": "once"}


def test_what_is_put_aside_counts_when_it_is_ended_but_no_time_passes(path):
    loop = Loop(path, [made(1, "not-then", "A", "B", seconds=2.0, across=True), made(2, "pattern", "A", until="B")])
    loop.behind = True
    for id in ("s1", "s2"):
        loop.rules.tell([(id, at(5, 1)), (id, at(8, 1))])
        loop.rules.release(id)
    assert not loop.fired("s1") and loop.fired("s2") == [1, 2]
    loop = Loop(path, [made(1, "not-then", "A", "B", seconds=2.0, across=True), made(2, "pattern", "A", until="B")])
    assert not loop.fired("s1") and loop.fired("s2") == [1, 2]


def test_what_may_never_come_is_waited_for_only_a_while(path, monkeypatch):
    """A line that is never finished, say, or a member: what can be read is read in the end."""
    first, second = made(1, "pattern", "A", after=2, ttl=1e6), made(2, "pattern", "A", until="Z")
    loop, done = Loop(path, [first, second, made(3, "all", members=["s1", "s2"])]), []
    loop.doubts = True
    loop.rules.tell([("s1", at(4, 1)), ("s2", at(5, 2))])
    loop.rules.once_told("x", "%2", lambda: done.append(loop.fired("s2")))
    for _ in range(9):
        loop.turn()
    assert not loop.fired("s2") and not done
    now = time.monotonic()
    monkeypatch.setattr("ctmux.services.matcher.due.time.monotonic", lambda: now + 3.0)
    loop.behind = True
    loop.turn()
    assert not loop.fired("s2")
    loop.behind = False
    for _ in range(2):
        loop.turn()
    assert loop.fired("s2") == [1] and not done  # the other rule counts from then on
    monkeypatch.setattr("ctmux.services.matcher.due.time.monotonic", lambda: now + 6.0)
    loop.turn()
    assert done == [[1]]


def test_the_end_of_a_pane_waits_for_nothing_that_comes_later(path):
    """It is respawned, and prints on."""
    loop, done = Loop(path, [made(1, "pattern", "A", until="B")]), []
    loop.behind = True
    loop.rules.tell([("s1", at(5, 1))])
    loop.rules.once_told("x", "%1", lambda: done.append(told(loop)))
    loop.behind, loop.late = False, [untold(1006.0, 2)]
    for number in range(9):
        loop.rules.tell([("s1", at(number + 10, 1, since=time.time() + 9.0))])
        loop.turn()
    assert done == [[1005.0]]


def test_a_tick_that_is_told_again_passes_nothing_new(path):
    """A state that was written beside other work may be younger than the facts behind it."""
    rule = Rule(made(1, "sequence", "A", "B", seconds=9.0, across=True))
    first, early = at(8, 2), at(7, 1, 1)
    ticks = []
    rule.take(line(1, 1000.1, hits=[]))
    ticks.append(rule.tick(1010.0))
    rule.take(ticks[0])
    rule.take(first)
    rule = Rule(rule.subscription, rule.dump())
    assert rule.take(ticks[0]) == [] and len(rule.aside) == 1
    assert rule.take(early) == [] and rule.take(rule.tick(1008.0)) == []
    two = [rule.tick(1009.0), rule.tick(1020.0)]  # while a full disk keeps the first
    rule.take(at(9, 2)), rule.take(at(10, 1, 1))
    assert [fired.at for tick in two for fired in rule.take(tick)] == [1010.0]


def test_no_time_passes_before_what_a_member_has_put_aside(path):
    member, follower = made(1, "pattern", "A", until="Z"), made(2, "any", members=["s1"], ttl=10.0)
    loop = Loop(path, [member, follower])
    loop.late = [untold(1002.0, 2)]
    loop.rules.tell([("s1", at(5, 1))])
    for _ in range(5):
        loop.turn()
    assert not loop.ends
    loop.late = []
    for _ in range(5):
        loop.turn()
    assert loop.fired("s2") == [1] and loop.ends == {"s2": "ttl"}


def test_members_of_members_are_each_looked_at_once(path):
    """However many ways lead to them."""
    levels = [[made(number, "pattern", "A", until="Z") for number in range(1, 21)]]
    for level in range(1, 6):
        below = [one.id for one in levels[-1]]
        levels.append([made(level * 100 + number, "any", members=below, until="Z") for number in range(20)])
    top = made(999, "all", members=[one.id for one in levels[-1]])
    loop = Loop(path, [*(one for level in levels for one in level), top])
    assert len(loop.rules._due._members(loop.rules.by_id["s999"])) == 120


def test_a_pane_that_ends_on_a_full_disk_waits_for_what_is_put_aside(path, monkeypatch):
    loop, done = Loop(path, [made(1, "pattern", "A", until="B")]), []

    def refuse(_self, _facts):
        raise OSError("no space")

    with monkeypatch.context() as full:
        full.setattr(Memory, "add", refuse)
        loop.rules.tell([("s1", at(5, 1))])
        loop.rules.once_told("x", "%1", lambda: done.append(told(loop)))
        loop.turn(0.0)
        assert not done
    for _ in range(3):
        loop.turn()
    assert done == [[1005.0]]


def test_a_clock_that_is_set_back_keeps_nothing_aside(path):
    loop = Loop(path, [made(1, "pattern", "A", until="B")])
    loop.rules.tell([("s1", at(9e9, 1)), ("s1", at(5, 2))])
    loop.turn()
    assert told(loop) == [1005.0, 9e9 + 1000.0]


def test_what_is_put_aside_keeps_no_pane_while_the_instance_is_stopped(path):
    """The next matcher tells it."""
    loop, done = Loop(path, [made(1, "sequence", "A", "B", seconds=9.0, across=True)]), []
    loop.behind = True
    loop.rules.tell([("s1", at(5, 1)), ("s1", at(6, 2, 1))])
    loop.rules.once_told("x", "%1", lambda: done.append("%1"))
    loop.turn()
    assert not done
    loop.leaving = True
    loop.turn()
    assert done and not told(loop)
    loop = Loop(path, [made(1, "sequence", "A", "B", seconds=9.0, across=True)])
    loop.turn()
    assert told(loop) == [1006.0]


def test_lines_after_one_that_was_put_aside_are_waited_for(path):
    loop = Loop(path, [made(1, "pattern", "A", until="B", after=2)])
    loop.rules.tell([("s1", at(5, 1))])
    assert not loop.rules.by_id["s1"].held and not loop.holds
    loop.turn(0.0)
    assert list(loop.rules.by_id["s1"].held) == ["p1/50"] and loop.holds == ["s1"]


def test_a_member_whose_lines_after_are_still_to_come_is_waited_for(path):
    members = [made(1, "pattern", "A", after=2), made(3, "pattern", "A")]
    loop = Loop(path, [*members, made(2, "all", members=["s1", "s3"])])
    loop.rules.tell([("s1", at(5, 1))])
    event = {"is": "member", "at": 1006.0, "key": "member/s3", "position": 1, "member": "s3", "event": {}, "over": False}
    loop.rules.tell([("s2", event)])
    loop.turn()
    assert not loop.rules.by_id["s2"].last
    after = {"is": "after", "at": 1007.0, "key": "after/x/p1", "position": 50, "server": "x", "stream": "p1", "offset": 50}
    loop.rules.tell([("s1", after | {"lines": []})])
    loop.turn()
    assert loop.fired("s2") == [1]


def test_what_is_put_aside_counts_at_once_when_the_machine_slept(path):
    """The timer has counted nothing meanwhile: a line tells that the time is up."""
    one = made(1, "pattern", "A", ttl=60.0)
    one.created = time.time() - 1.0
    loop = Loop(path, [one])
    loop.rules.tell([("s1", at(3600, 1, since=one.created))])
    assert not loop.ends
    loop.turn(0.0)
    assert loop.ends == {"s1": "ttl"}


def test_what_is_put_aside_counts_when_its_session_is_closed(path):
    one = made(1, "not-then", "A", "B", seconds=5.0, ttl=1000.0)
    loop = Loop(path, [one])
    loop.behind = True
    loop.rules.tell([("s1", at(0, 1)), ("s1", at(9, 2)), ("s1", at(20, 3))])
    loop.rules.settle("s1")
    assert told(loop) == [1005.0, 1014.0] and not loop.rules.by_id["s1"].aside


def test_a_member_tells_what_it_has_put_aside_before_a_follower_is_over(path):
    member = made(1, "absence", "A", seconds=5.0)
    follower = made(2, "any", members=["s1"], ttl=16.0)
    loop = Loop(path, [follower, member])
    loop.behind = True
    loop.rules.tell([("s1", at(10, 1)), ("s1", at(4, 2))])
    loop.turn()
    loop.behind = False
    for _ in range(9):
        loop.turn()
    assert told(loop) == [1009.0, 1015.0] and loop.ends == {"s2": "ttl"}
    assert [draft.time for draft in loop.journal if draft.subscription == "s2"] == [1009.0, 1015.0]
