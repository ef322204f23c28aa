"""Each kind of subscription on real panes, and over the death of the matcher."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import zmq
from ctmux.shared.messages import Sent
from ctmux.shared.rpc import Client, wait_answer
from guest import Guest
from harness import World, until
from printer import Printer, subscribe
from roles import kill

pytestmark = pytest.mark.any_tmux


def fired(world: World, subscription: str) -> list[dict[str, Any]]:
    kinds = (".matched", ".expired")
    return [e for e in world.events() if e["subscription"] == subscription and e["kind"].endswith(kinds)]


def ended(world: World, subscription: str) -> str:
    return str(world.wait_event("subscription.ended", subscription=subscription)["data"]["reason"])


def test_several_patterns_context_and_history(guest: Guest) -> None:
    out = Printer(guest)
    out("one A\ntwo\n")
    past = subscribe(guest, "pattern", "A", "B", "--pane", out.pane, "--from", "start")
    last = subscribe(guest, "pattern", "two|ready", "--pane", out.pane, "--from", "last 1")
    around = subscribe(guest, "pattern", "three", "--pane", out.pane, "-C", "2")
    out("three B\r\nfour\r\n")
    until(lambda: len(fired(guest, past)) == 2 and fired(guest, around) and fired(guest, last))
    first, second = fired(guest, past)
    assert (first["data"]["line"], first["data"]["index"], first["data"]["pattern"]) == ("one A", 0, "A")
    assert (second["data"]["line"], second["data"]["index"], second["data"]["pattern"]) == ("three B", 1, "B")
    [event] = fired(guest, around)
    assert event["data"]["before"] == ["one A", "two"] and event["data"]["after"] == ["four"]
    assert [e["data"]["line"] for e in fired(guest, last)] == ["two"]


def test_history_ends_in_the_middle_of_a_line(guest: Guest) -> None:
    out = Printer(guest)
    out("Pass")
    whole = subscribe(guest, "pattern", "^Password", "--pane", out.pane, "--from", "start")
    prompt = subscribe(guest, "pattern", "^Pass$", "--pane", out.pane, "--from", "last 1")
    until(lambda: fired(guest, prompt))
    out("word: \n")
    until(lambda: fired(guest, whole))
    assert [e["data"]["line"] for e in fired(guest, whole)] == ["Password: "]
    assert [(e["data"]["line"], e["data"]["partial"]) for e in fired(guest, prompt)] == [("Pass", True)]


def test_what_waits_for_the_lines_after_it_is_not_lost_by_an_end(guest: Guest) -> None:
    out = Printer(guest)
    bounded = subscribe(guest, "pattern", "^E", "-A", "9", "--until", "^stop", "--pane", out.pane)
    removed = subscribe(guest, "pattern", "^E", "-A", "9", "--pane", out.pane)
    out("E1\nstop\n")
    until(lambda: guest.data("subscription", "explain", removed)["last"])
    guest.ctmux("subscription", "remove", removed)
    assert ended(guest, bounded) == "until" and ended(guest, removed) == "removed"
    for subscription in (bounded, removed):
        assert [e["data"]["line"] for e in fired(guest, subscription)] == ["E1"]


def test_exit_and_what_comes_of_several(guest: Guest) -> None:
    out = Printer(guest)
    good = subscribe(guest, "exit", "--status", "0", "--session", "main")
    bad = subscribe(guest, "exit", "--fail", "--all")
    line = subscribe(guest, "pattern", "^A$", "--all")
    either = subscribe(guest, "any", bad, line)
    both = subscribe(guest, "all", bad, line, "--once")
    failing = guest.open_pane("sleep 0.2; exit 3")
    guest.wait_event("pane.exited", pane=failing)
    out("A\n")
    out.end()
    assert ended(guest, both) == "once"
    [event] = fired(guest, bad)
    assert (event["pane"], event["data"]["exit_status"]) == (failing, 3)
    assert event["n"] < guest.wait_event("pane.exited", pane=failing)["n"]
    assert [e["pane"] for e in fired(guest, good)] == [out.pane]
    assert [e["data"]["member"] for e in fired(guest, either)] == [bad, line]
    assert fired(guest, both)[0]["data"]["members"].keys() == {bad, line}
    told = guest.wait_event("pattern.matched", subscription=line)["n"]  # docs/wire.md: after what any says of it
    assert fired(guest, either)[1]["n"] < told


def test_times(guest: Guest) -> None:
    out = Printer(guest)
    missing = subscribe(guest, "not-then", "ask", "answer", "--within", "0.5", "--pane", out.pane)
    ttl = subscribe(guest, "pattern", "x", "--ttl", "0.3")
    idle = subscribe(guest, "idle", "3", "--pane", out.pane)  # last: on a busy machine a subscription takes a second
    absent = subscribe(guest, "absence", "3", "beat", "--pane", out.pane)
    out("beat\nask\n")
    until(lambda: len(fired(guest, absent)) == 1 and len(fired(guest, idle)) == 1)
    assert ended(guest, ttl) == "ttl"
    [event] = fired(guest, missing)
    assert event["data"]["line"] == "ask" and event["pane"] == out.pane
    assert fired(guest, absent)[0]["data"]["last"] == "beat"
    assert fired(guest, idle)[0]["data"]["offset"] == len(out.printed())
    out("beat\nask\nanswer\n")
    until(lambda: len(fired(guest, absent)) == 2 and len(fired(guest, idle)) == 2)
    assert len(fired(guest, missing)) == 1


def test_sequence_threshold_and_bounds(guest: Guest) -> None:
    out = Printer(guest)
    sequence = subscribe(guest, "sequence", "^A", "^B", "--within", "60", "--count", "2")
    threshold = subscribe(guest, "threshold", "3", "^E", "--within", "60")
    limited = subscribe(guest, "pattern", "^E", "--limit", "2/600")
    until_ = subscribe(guest, "pattern", "^E", "--until", "^stop")
    out("A1\nE1\nB1\nB2\nE2\nE3\nA2\nE4\nB3\nstop\nE5\nA3\nB4\n")
    assert ended(guest, sequence) == "count" and ended(guest, until_) == "until"
    assert [[s["line"] for s in e["data"]["steps"]] for e in fired(guest, sequence)] == [["A1", "B1"], ["A2", "B3"]]
    assert [e["data"]["line"] for e in fired(guest, threshold)] == ["E3"]
    assert [e["data"]["line"] for e in fired(guest, limited)] == ["E1", "E2"]
    assert [e["data"]["line"] for e in fired(guest, until_)] == ["E1", "E2", "E3", "E4"]
    shown = guest.data("subscription", "explain", limited)
    assert (shown["fired"], shown["suppressed"], shown["last"]["line"]) == (2, 3, "E5")
    assert any(
        s["looked_through"] > 0 for s in shown["streams"] if s["pane"] == out.pane
    )  # another server may have such one
    assert any("held back" in why for why in shown["why"])


def test_every_kind_goes_on_where_a_killed_matcher_was(daemon: World) -> None:
    out = Printer(daemon)
    sequence = subscribe(daemon, "sequence", "^A", "^B", "--within", "600", "--pane", out.pane)
    threshold = subscribe(daemon, "threshold", "10", "^n", "--within", "600")
    every = subscribe(daemon, "pattern", "^n", "--count", "40")
    missing = subscribe(daemon, "not-then", "^ask", "^answer", "--within", "3")
    absent = subscribe(daemon, "absence", "4", "^n")
    ttl = subscribe(daemon, "pattern", "^n", "--ttl", "3")
    out("A\nask\n")
    for number in range(40):
        out(f"n{number}\n")
        if number % 13 == 7:
            kill(daemon, "matcher")
    out("B\n")
    assert ended(daemon, every) == "count" and ended(daemon, ttl) == "ttl"
    until(lambda: fired(daemon, missing) and fired(daemon, absent) and fired(daemon, sequence), 30)
    assert [e["data"]["line"] for e in fired(daemon, every)] == [f"n{number}" for number in range(40)]
    assert [e["data"]["line"] for e in fired(daemon, threshold)] == ["n9", "n19", "n29", "n39"]
    assert [[s["line"] for s in e["data"]["steps"]] for e in fired(daemon, sequence)] == [["A", "B"]]
    assert [e["data"]["line"] for e in fired(daemon, missing)] == ["ask"]
    assert [e["data"]["last"] for e in fired(daemon, absent)] == ["n39"]
    for subscription in (sequence, threshold, every, missing, absent):
        positions = [e["position"] for e in daemon.events() if e["subscription"] == subscription]
        assert positions == sorted(set(positions))


def test_a_matcher_that_was_frozen_does_not_take_lines_for_late(daemon: World) -> None:
    out = Printer(daemon)
    asking = Printer(daemon)
    asked = subscribe(daemon, "timeout", "3", "--pattern", "login: $", "--pane", asking.pane)
    absent = subscribe(daemon, "absence", "2", "beat", "--pane", out.pane)
    out("beat 0\n")
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    asking("login: ")
    for beat in range(1, 8):
        began = time.monotonic()
        out(f"beat {beat}\n")
        until(lambda began=began: time.monotonic() - began > 0.5)
    os.kill(matcher, signal.SIGCONT)
    until(lambda: fired(daemon, absent))
    assert [e["data"]["last"] for e in fired(daemon, absent)] == ["beat 7"]
    assert ended(daemon, asked) == "satisfied"


def test_a_later_line_of_a_pane_that_is_read_first_passes_no_time(daemon: World) -> None:
    first, second = Printer(daemon), Printer(daemon)
    missing = subscribe(daemon, "not-then", "^ask", "^answer", "--within", "2")
    over = subscribe(daemon, "pattern", "^over")
    second("ask\n")
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    first("its turn\n")
    second("answer\n")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 2.2)
    first("ask\nanswer\nover\n")
    os.kill(matcher, signal.SIGCONT)
    until(lambda: fired(daemon, over))
    second("over\n")
    until(lambda: len(fired(daemon, over)) == 2)
    assert not fired(daemon, missing)


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL])
def test_panes_that_are_read_late_count_in_the_order_in_which_they_printed(daemon: World, then: signal.Signals) -> None:
    """Whichever is read first: each of two asks the other."""
    panes = Printer(daemon), Printer(daemon)
    answered = subscribe(daemon, "sequence", "^ask", "^answer", "--within", "60", "--across")
    missing = subscribe(daemon, "not-then", "^ask", "^answer", "--within", "60", "--across")
    ending = subscribe(daemon, "pattern", "^ask", "--until", "^answer 3")
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    for number in range(4):
        for text, pane in (("ask", panes[number % 2]), ("answer", panes[1 - number % 2])):
            began = time.monotonic()
            pane(f"{text} {number}\n")
            until(lambda began=began: time.monotonic() - began > 0.3)  # type: ignore[misc]  # the marks tell 0.1 s apart
    os.kill(matcher, then)
    until(lambda: len(fired(daemon, answered)) == 4)
    for event, number in zip(fired(daemon, answered), range(4), strict=True):
        assert [step["line"] for step in event["data"]["steps"]] == [f"ask {number}", f"answer {number}"]
    assert ended(daemon, ending) == "until"
    assert [e["data"]["line"] for e in fired(daemon, ending)] == [f"ask {number}" for number in range(4)]
    assert not fired(daemon, missing)
    explained = daemon.data("subscription", "explain", missing)
    assert explained["why"][-1] == "no line that still counts has come"


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL])
def test_a_question_that_is_read_late_was_asked_before_it_was_answered(daemon: World, then: signal.Signals) -> None:
    """Its line is whole only behind the answer of another pane."""
    asks, answers = Printer(daemon), Printer(daemon)
    asked = subscribe(daemon, "timeout", "2", "quest", "--pane", asks.pane)
    answered = subscribe(daemon, "sequence", "quest", "answer", "--within", "60", "--across")
    missing = subscribe(daemon, "not-then", "quest", "answer", "--within", "2", "--across")
    ending = subscribe(daemon, "pattern", "answer", "--until", "quest")
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    for pane, text in ((asks, "quest? "), (answers, "answer\n"), (answers, "wait\n"), (asks, "me\n")):
        began = time.monotonic()
        pane(text)
        until(lambda began=began: time.monotonic() - began > 0.8)  # type: ignore[misc]
    typed = daemon.ctmux("pane", "send-keys", answers.pane, "x")
    assert "the matcher does not answer" in typed.stderr
    os.kill(matcher, then)
    until(lambda: fired(daemon, answered))
    assert ended(daemon, ending) == "until" and ended(daemon, asked) == "satisfied"
    assert not fired(daemon, ending) and not fired(daemon, missing)


def test_a_pattern_is_tried_on_what_was_printed(guest: Guest) -> None:
    out = Printer(guest)
    out("error: 7\nfine\n")
    found = guest.data("subscription", "test", r"error: (\d)", "--pane", out.pane)
    assert [(one["line"], one["captures"]) for one in found["lines"]] == [("error: 7", ["7"])]
    assert found["costs"][0]["class"] == "cheap"
    assert guest.data("subscription", "test", "--check", "a+")["costs"][0]["class"] == "each line"
    assert guest.ctmux("subscription", "test", "(", "--check", code=2).stderr.startswith("ctmux: pattern: missing )")
    assert "no file" in guest.ctmux("subscription", "test", "x", "/nope", code=4).stderr


def test_a_prompt_from_before_us_is_no_output(world: World) -> None:
    """What is typed at it comes before any mark of its shell that we have seen; also after a restart of the daemon."""
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    world.tmux("new-session", "-d", "-s", "main", "-x", "80", "-y", "24", "bash --norc")
    until(
        lambda: (
            "$" in world.tmux("capture-pane", "-p", "-t", "main") or "#" in world.tmux("capture-pane", "-p", "-t", "main")
        )
    )
    for start in ("start", "restart"):
        world.ctmux("daemon", start)
        world.wait_event("pane.observed", pane="%0")
        armed = subscribe(world, "pattern", "needle")
        world.tmux("send-keys", "-t", "main", "-l", f"true needle {start}")
        until(lambda start=start: f"needle {start}" in world.tmux("capture-pane", "-p", "-t", "main"))
        world.tmux("send-keys", "-t", "main", "Enter", "echo a need''le", "Enter")
        until(lambda armed=armed: fired(world, armed))
        assert [e["data"]["line"] for e in fired(world, armed)] == ["a needle"]


def test_a_pane_that_never_speaks_is_silent(guest: Guest) -> None:
    """Also one that comes after the subscription; and it says so once, also after a restart."""
    guest.tmux("new-session", "-d", "-s", "other", "exec sleep 1000")
    idle = subscribe(guest, "idle", "1", "--session", "other")
    [here] = {str(e["pane"]) for e in guest.events("pane.opened") if e["session"] == session(guest, "other")}
    until(lambda: [e["pane"] for e in fired(guest, idle)] == [here])
    late = guest.tmux("new-window", "-d", "-t", "other:", "-P", "-F", "#{pane_id}", "exec sleep 1000")
    until(lambda: [e["pane"] for e in fired(guest, idle)] == [here, late])
    moved = guest.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", "exec sleep 1000")
    guest.tmux("move-window", "-d", "-s", moved, "-t", "other:")
    until(lambda: [e["pane"] for e in fired(guest, idle)] == [here, late, moved])
    assert [e["data"]["offset"] for e in fired(guest, idle)] == [0, 0, 0]


def session(guest: Guest, name: str) -> str:
    return guest.tmux("display-message", "-p", "-t", f"{name}:", "#{session_id}")


def test_a_pane_that_moves_between_sessions(guest: Guest) -> None:
    """What is printed in the session counts, and nothing before or after; the subscription lives as long as the session."""
    guest.tmux("new-session", "-d", "-s", "other", "exec sleep 1000")
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "^hit", "--session", "other")
    everywhere = subscribe(guest, "pattern", "^hit")
    for number, to in enumerate(("other", "main", "other")):
        out(f"hit {number}\n")
        until(lambda number=number: len(fired(guest, everywhere)) == number + 1)
        guest.tmux("move-window", "-d", "-s", out.pane, "-t", f"{to}:")
        until(lambda number=number: len([e for e in guest.events("pane.moved") if e["pane"] == out.pane]) == number + 1)
    out("hit 3\n")
    until(lambda: len(fired(guest, armed)) == 2)
    guest.tmux("kill-session", "-t", "other")
    assert ended(guest, armed) == "session closed"
    assert [e["data"]["line"] for e in fired(guest, armed)] == ["hit 1", "hit 3"]
    sessions = [e["session"] for e in fired(guest, everywhere)]
    assert [one == session(guest, "main") for one in sessions] == [True, False, True, False]


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL])
def test_a_pane_that_moves_while_the_matcher_is_away(daemon: World, then: signal.Signals) -> None:
    """What it printed in each session counts there, whenever it is read."""
    daemon.tmux("new-session", "-d", "-s", "other", "exec sleep 1000")
    out = Printer(daemon)
    here, there = (subscribe(daemon, "pattern", "^hit", "--session", name) for name in ("main", "other"))
    everywhere = subscribe(daemon, "pattern", "^hit")
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    for number, to in enumerate(("other", "main", "other")):
        out(f"hit {number}\nhalf ")
        daemon.tmux("move-window", "-d", "-s", out.pane, "-t", f"{to}:")
        until(lambda number=number: len([e for e in daemon.events("pane.moved") if e["pane"] == out.pane]) == number + 1)
        out("a line\n")
    out("hit 3\n")
    os.kill(matcher, then)
    until(lambda: len(fired(daemon, everywhere)) == 4)
    until(lambda: len(fired(daemon, here)) == len(fired(daemon, there)) == 2)
    assert [e["data"]["line"] for e in fired(daemon, here)] == ["hit 0", "hit 2"]
    assert [e["data"]["line"] for e in fired(daemon, there)] == ["hit 1", "hit 3"]
    names = {id: name for name in ("main", "other") for id in [session(daemon, name)]}
    assert [names[e["session"]] for e in fired(daemon, everywhere)] == ["main", "other"] * 2
    offsets = [e["data"]["offset"] for e in daemon.events("pane.moved") if e["pane"] == out.pane]
    assert [out.printed()[:offset].count(b"half ") for offset in offsets] == [1, 2, 3]
    past = subscribe(daemon, "pattern", "^hit", "--from", "start", "--session", "other")
    out("hit 4\n")
    until(lambda: len(fired(daemon, past)) == 3)
    assert [e["data"]["line"] for e in fired(daemon, past)] == ["hit 1", "hit 3", "hit 4"]


def test_silence_follows_a_pane_that_moved_while_the_matcher_was_away(daemon: World) -> None:
    """It prints nothing any more: all that is to be read was printed in its old session."""
    daemon.tmux("new-session", "-d", "-s", "other", "exec sleep 1000")
    asking = Printer(daemon)
    asking("login: ")
    quiet = Printer(daemon)
    here, there = (subscribe(daemon, "idle", "2", "--session", name) for name in ("main", "other"))
    matcher = daemon.role("matcher")
    os.kill(matcher, signal.SIGSTOP)
    quiet("a line\n")
    for pane in (asking.pane, quiet.pane):
        daemon.tmux("move-window", "-d", "-s", pane, "-t", "other:")
        daemon.wait_event("pane.moved", pane=pane)
    os.kill(matcher, signal.SIGCONT)
    until(lambda: {asking.pane, quiet.pane} < {e["pane"] for e in fired(daemon, there)})
    assert not {asking.pane, quiet.pane} & {e["pane"] for e in fired(daemon, here)}
    asking("me\npassword: ")
    until(lambda: [e["pane"] for e in fired(daemon, there)].count(asking.pane) == 2)
    again = subscribe(daemon, "idle", "1", "--session", "other")
    until(lambda: asking.pane in {e["pane"] for e in fired(daemon, again)})
    assert not {asking.pane, quiet.pane} & {e["pane"] for e in fired(daemon, here)}


def test_the_rest_of_a_prompt_is_looked_at(guest: Guest) -> None:
    out = Printer(guest)
    asked = subscribe(guest, "sequence", "Continue", "yes", "--within", "60", "--pane", out.pane)
    bounded = subscribe(guest, "pattern", "Continue", "--until", "yes", "--pane", out.pane)
    once = subscribe(guest, "pattern", "Continue", "Continue.* yes", "--pane", out.pane)
    out("Continue? ")
    until(lambda: fired(guest, bounded) and fired(guest, once))
    out("yes\n")
    assert ended(guest, bounded) == "until"
    out("yes, again\n")
    until(lambda: fired(guest, asked))
    assert [len(fired(guest, one)) for one in (asked, bounded, once)] == [1, 1, 1]
    [event] = fired(guest, asked)  # one line is one step, whether it paused or not
    assert [step["line"] for step in event["data"]["steps"]] == ["Continue? ", "yes, again"]


def test_nothing_is_due_while_the_instance_is_stopped(daemon: World) -> None:
    """No pane is observed then; the next matcher says it."""
    pane = daemon.open_pane("exec sleep 1000")
    until(
        lambda: [e for e in daemon.events("service.started") if e["data"]["service"].startswith("watcher")]
    )  # it is settled
    Path(daemon.paths.stopping).touch()
    timeout = subscribe(daemon, "timeout", "1", "--pattern", "never", "--pane", pane)
    until(lambda: daemon.data("subscription", "explain", timeout)["deadline"] < time.time() - 0.5)
    assert not fired(daemon, timeout)
    os.unlink(daemon.paths.stopping)
    until(lambda: fired(daemon, timeout))


def test_an_echo_is_expected_over_a_kill_and_once(daemon: World) -> None:
    pane = daemon.open_pane("exec cat")
    fires = subscribe(daemon, "pattern", "^hit", "--pane", pane)
    server = daemon.wait_event("pane.observed", pane=pane)["server"]
    asked = Client(zmq.Context.instance(), daemon.paths.control("matcher"))
    wait_answer(asked, Sent(server, pane, "hit 1\n"), 15.0)
    for number, lines in ((1, 1), (2, 3)):  # the second is typed by somebody else: its echo counts
        kill(daemon, "matcher")
        daemon.tmux("send-keys", "-t", pane, f"hit {number}", "Enter")
        until(lambda lines=lines: len(fired(daemon, fires)) == lines)
    asked.close()
    assert [e["data"]["line"] for e in fired(daemon, fires)] == ["hit 1", "hit 2", "hit 2"]
    assert fired(daemon, fires)[0]["data"]["offset"] == len("hit 1\r\n")
    until(lambda: Path(f"{daemon.paths.runtime}/matcher.sent").read_text() == "[]")
