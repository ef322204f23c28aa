"""Subscriptions on real output: what fires, once, with its place; what does not; how each of them ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ctmux import Client
from ctmux.shared import supervised
from guest import Guest
from harness import CTMUX, World, until
from printer import Printer, subscribe
from roles import kill

pytestmark = pytest.mark.any_tmux


def matched(world: World, subscription: str) -> list[dict[str, Any]]:
    return [event for event in world.events("pattern.matched") if event["subscription"] == subscription]


def lines(world: World, subscription: str) -> list[str]:
    return [event["data"]["line"] for event in matched(world, subscription)]


def test_a_match_has_its_captures_its_place_and_its_text(guest: Guest) -> None:
    out = Printer(guest)
    out("key=1 from before\n")
    armed = subscribe(guest, "pattern", r"(\w+)=(?P<value>\d+)(!)?", "--name", "keys")
    progress = subscribe(guest, "pattern", r"^\d+%$")
    out("nothing\n\033[1;31mkey\033[0m=\033]8;;http://x\00742\033]8;;\007 ünï\r\nrest a=7!\n")
    out("10%\r50%\r\033[2K100%\r\ndone\n")
    until(lambda: len(matched(guest, armed)) == 2 and len(matched(guest, progress)) == 3)
    first, second = matched(guest, armed)
    server = guest.wait_event("server.found")["server"]
    assert (first["server"], first["session"], first["pane"]) == (server, "$0", out.pane)
    data = first["data"]
    assert data["line"] == "key=42 ünï" and data["match"] == "key=42" and data["name"] == "keys"
    assert data["captures"] == ["key", "42", None] and data["named"] == {"value": "42"}
    assert (data["partial"], data["truncated"], data["stream"]) == (False, False, out.stream().stream.name)
    assert second["data"]["captures"] == ["a", "7", "!"]
    raw = out.printed()
    assert raw[data["offset"] : data["end"]].rstrip(b"\r\n").startswith(b"\033[1;31mkey")
    assert raw[data["offset"] : data["end"]].rstrip(b"\r\n").endswith(" ünï".encode())
    assert raw[second["data"]["offset"] : second["data"]["end"]] == b"rest a=7!\n"
    places = [raw[e["data"]["offset"] : e["data"]["end"]] for e in matched(guest, progress)]
    assert [place.rstrip(b"\r\n") for place in places] == [b"10%", b"50%", b"\033[2K100%"]
    assert lines(guest, progress) == ["10%", "50%", "100%"]


def test_nothing_from_before_fires_and_one_line_fires_once(guest: Guest) -> None:
    """Also a defect of the predecessor: a line fired for as long as it stayed on the screen."""
    out = Printer(guest)
    out("ERROR old\nERR")
    armed = subscribe(guest, "pattern", "ERROR|FAIL")
    out("OR half of it from before\nERROR one\n")
    other = subscribe(guest, "pattern", "ERROR")
    for row in range(10):  # all of it stays on the screen
        out(f"row {row}\n")
    out("FAIL two\nend\n")
    guest.tmux("resize-window", "-t", "main", "-x", "90")
    sentinel = subscribe(guest, "pattern", "^sentinel$")
    out("sentinel\n")
    until(lambda: matched(guest, sentinel))
    assert lines(guest, armed) == ["ERROR one", "FAIL two"]
    assert lines(guest, other) == []


def test_a_bar_in_a_pattern_is_regex_and_nothing_is_executed(guest: Guest) -> None:
    """A defect of the predecessor: `|` parted pattern and callback, and the callback was run."""
    pattern = f"ERROR|touch {guest.root}/owned|$(touch {guest.root}/owned)x|`touch {guest.root}/owned`"
    armed = subscribe(guest, "pattern", pattern)
    out = Printer(guest)
    out(f"an ERROR\ntouch {guest.root}/owned\nnothing\n")
    until(lambda: len(matched(guest, armed)) == 2)
    assert guest.data("subscription", "show", armed)["patterns"] == [pattern]
    assert not os.path.exists(f"{guest.root}/owned")


def test_once_and_scopes(guest: Guest) -> None:
    guest.tmux("new-session", "-d", "-s", "other", "exec cat")
    here, beside, there = Printer(guest), Printer(guest), Printer(guest, "other")
    subscriptions = {
        "once": subscribe(guest, "pattern", "hit", "--once", "--name", "first"),
        "session": subscribe(guest, "pattern", "hit", "--session", "main"),
        "pane": subscribe(guest, "pattern", "hit", "--pane", here.pane),
        "all": subscribe(guest, "pattern", "hit", "--all"),
        "none": subscribe(guest, "pattern", "hit"),
    }
    late = Printer(guest)
    guest.tmux("new-session", "-d", "-s", "later", "exec cat")
    latest = Printer(guest, "later")
    panes = [here, beside, there, late, latest]
    for number, pane in enumerate(panes):
        pane(f"hit {number}\nhit again {number}\n")
        until(lambda number=number: len(matched(guest, subscriptions["all"])) == 2 * number + 2)
    expected = {"once": [0], "session": [0, 1, 3], "pane": [0], "all": [0, 1, 2, 3, 4], "none": [0, 1, 2, 3, 4]}
    for name, numbers in expected.items():
        found = [f"{text} {n}" for n in numbers for text in ("hit", "hit again")][: 1 if name == "once" else None]
        until(lambda name=name, found=found: lines(guest, subscriptions[name]) == found)
    ended = guest.wait_event("subscription.ended", subscription=subscriptions["once"])
    assert (ended["data"]["reason"], ended["data"]["name"], ended["data"]["kind"]) == ("once", "first", "pattern")
    assert ended["n"] > matched(guest, subscriptions["once"])[0]["n"]

    here.end()
    latest.end()
    assert guest.wait_event("subscription.ended", subscription=subscriptions["pane"])["data"]["reason"] == "pane exited"
    closing = subscribe(guest, "pattern", "hit", "--session", "other")
    guest.tmux("kill-session", "-t", "other")
    assert guest.wait_event("subscription.ended", subscription=closing)["data"]["reason"] == "session closed"
    left = {s["id"] for s in guest.data("subscription", "list")}
    assert left == {subscriptions[name] for name in ("session", "all", "none")}


def test_the_line_that_ends_a_scope_still_fires(guest: Guest) -> None:
    pane = guest.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "read go; printf last; exit 0")
    guest.wait_event("pane.opened", pane=pane)
    armed = subscribe(guest, "pattern", "^last$", "--pane", pane)
    guest.tmux("send-keys", "-t", pane, "Enter")
    exited = guest.wait_event("pane.exited", pane=pane)
    ended = guest.wait_event("subscription.ended", subscription=armed)
    (event,) = matched(guest, armed)
    assert event["n"] < ended["n"] < exited["n"] and event["data"]["end"] == exited["data"]["end"]


def test_timeouts(guest: Guest) -> None:
    """Two on one pane do not know of each other: a defect of the predecessor."""
    out = Printer(guest)
    began = time.time()
    short = subscribe(guest, "timeout", "0.3", "never", "--pane", out.pane, "--name", "short")
    long = subscribe(guest, "timeout", "600", "--pane", out.pane)
    wanted = subscribe(guest, "timeout", "600", "--pattern", "^go+d$", "--pane", out.pane)
    expired = guest.wait_event("timeout.expired", subscription=short)
    assert time.time() >= began + 0.3  # never early
    assert expired["data"] == {"seconds": 0.3, "patterns": ["never"], "name": "short"} and expired["pane"] == out.pane
    assert guest.wait_event("subscription.ended", subscription=short)["data"]["reason"] == "expired"
    assert {s["id"] for s in guest.data("subscription", "list")} == {long, wanted}
    out("bad\n")
    satisfied = guest.wait_event("subscription.ended", subscription=long)["data"]
    assert satisfied["reason"] == "satisfied" and satisfied["by"].endswith(f"/{out.pane}")
    out("\033[32mgood\033[0m\n")
    assert guest.wait_event("subscription.ended", subscription=wanted)["data"]["reason"] == "satisfied"
    assert len(guest.events("timeout.expired")) == 1 and guest.events("pattern.matched") == []
    last = subscribe(guest, "timeout", "600", "--pane", out.pane)
    out.end()
    assert guest.wait_event("subscription.ended", subscription=last)["data"]["reason"] == "pane exited"


def test_list_show_remove(guest: Guest) -> None:
    assert guest.data("subscription", "list") == []
    one = subscribe(guest, "pattern", "a+", "--name", "twin", "--session", "main")
    two = subscribe(guest, "timeout", "600", "--name", "twin")
    three = subscribe(guest, "pattern", "b", "--name", "single", "--pane", "%0", "--once")
    shown = {s["id"]: s for s in guest.data("subscription", "list")}
    assert shown.keys() == {one, two, three}
    assert (shown[one]["kind"], shown[one]["patterns"], shown[one]["session"]) == ("pattern", ["a+"], "$0")
    assert (shown[two]["kind"], shown[two]["seconds"]) == ("timeout", 600)
    assert (shown[three]["pane"], shown[three]["count"]) == ("%0", 1)
    assert guest.data("subscription", "show", "single") == shown[three]
    told = guest.ctmux("subscription", "list").stdout
    assert all(name in told for name in (one, two, three, "twin", "single"))
    for verb in ("show", "remove"):
        told = guest.ctmux("subscription", verb, "twin", code=4).stderr
        assert "2 subscriptions are named 'twin'" in told and told.count("\n") == 1
        assert "nobody" in guest.ctmux("subscription", verb, "nobody", code=4).stderr
    guest.ctmux("subscription", "remove", one)
    guest.ctmux("subscription", "remove", "twin")  # only one has the name now
    assert guest.wait_event("subscription.ended", subscription=one)["data"]["reason"] == "removed"
    assert guest.wait_event("subscription.ended", subscription=two)["data"]["reason"] == "removed"
    assert [s["id"] for s in guest.data("subscription", "list")] == [three]
    created = [e["subscription"] for e in guest.events("subscription.created")]
    assert created == [one, two, three]


def test_an_id_is_before_a_name(guest: Guest, client: Client) -> None:
    one = subscribe(guest, "pattern", "a+")
    client.subscribe("pattern", "b", name=one)
    assert guest.data("subscription", "show", one)["patterns"] == ["a+"]
    assert "that is how ids look" in guest.ctmux("subscribe", "pattern", "x", "--name", "s1", code=2).stderr


def test_a_program_without_run_is_no_pattern(guest: Guest) -> None:
    told = guest.ctmux("subscribe", "pattern", "HIT (.*)", "--session", "main", "--", "echo", "a b", code=2).stderr
    assert "did you mean: --run -- echo 'a b'\n" in told
    guest.ctmux("subscribe", "exit", "--", "echo", code=2)
    assert guest.data("subscription", "list") == []
    for words, patterns in ((["--", "x", "y"], ["x", "y"]), (["x", "--", "-y"], ["x", "-y"])):
        done = guest.ctmux("subscribe", "pattern", "--json", *words)
        assert json.loads(done.stdout)["data"]["patterns"] == patterns


def test_one_that_has_ended_is_explained_by_the_log(guest: Guest) -> None:
    armed = subscribe(guest, "pattern", "x", "--name", "over")
    guest.ctmux("subscription", "remove", armed)
    guest.wait_event("subscription.ended", subscription=armed)
    for verb in ("explain", "show"):
        for wanted in (armed, "over"):
            told = guest.ctmux("subscription", verb, wanted, code=4).stderr
            assert told.endswith(f"; it has ended: ctmux events --subscription {armed}\n"), told
        assert "ended" not in guest.ctmux("subscription", verb, "s9999", code=4).stderr


def test_a_pattern_is_tried_on_stdin(world: World) -> None:
    done = subprocess.run([CTMUX, "subscription", "test", "error: (.*)", "-"], input="a\nerror: b\n", env=world.env,
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert "byte 2: error: b\n1 line would fire\n" in done.stdout, done


def test_list_tells_policies_and_whose_they_are(guest: Guest) -> None:
    plain = subscribe(guest, "pattern", "a+")
    assert guest.ctmux("subscription", "list").stdout.splitlines() == [
        "ID  KIND     NAME  SCOPE  SECONDS  ENDS  LOOKS FOR".replace("ID  ", f"{'ID':{len(plain)}}  "),
        f"{plain}  pattern  -     all    -        -     a+",
    ]
    policies = ["--limit", "2/60", "--cooldown", "5", "--dedupe", "1.5", "-A", "2", "--include", "echo"]
    bound = subscribe(guest, "pattern", "b", *policies, "--owner", "agent", "--tag", "build", "--tag", "ci")
    across = subscribe(guest, "threshold", "3", "c", "--within", "9", "--across", "--tag", "build")
    head, *rows = (re.split("  +", row) for row in guest.ctmux("subscription", "list").stdout.splitlines())
    assert head == ["ID", "KIND", "NAME", "OWNER", "TAGS", "SCOPE", "SECONDS", "ENDS", "POLICIES", "LOOKS FOR"]
    told = "limit 2/60 s, cooldown 5 s, dedupe 1.5 s, context -0 +2, echo"
    assert rows[1] == [bound, "pattern", "-", "agent", "build,ci", "all", "-", "-", told, "b"]
    assert rows[2] == [across, "threshold", "-", "-", "build", "all", "9.0", "-", "across", "c"]
    assert guest.ctmux("subscription", "list", "--owner", "agent").stdout.count("\n") == 2


def test_several_are_removed_together(guest: Guest) -> None:
    one, two, three, four = (
        subscribe(guest, "pattern", text, "--tag", tag, "--owner", owner)
        for text, tag, owner in (("a", "x", "me"), ("b", "x", "you"), ("c", "y", "me"), ("d", "y", "you"))
    )
    both = subscribe(guest, "all", one, two, "--tag", "x")
    for wrong in ([], ["s1", "--tag", "x"], ["s1", "--owner", "me"]):
        assert "--owner and --tag" in guest.ctmux("subscription", "remove", *wrong, code=2).stderr
    assert "no subscription has" in guest.ctmux("subscription", "remove", "--tag", "z", code=4).stderr
    assert "no subscription has" in guest.ctmux("subscription", "remove", "--tag", "y", "--owner", "nobody", code=4).stderr
    removed = guest.ctmux("subscription", "remove", "--tag", "x").stdout.splitlines()
    assert removed == [f"removed {id}" for id in (both, two, one)]  # who looks at others goes first, by our hand
    reasons = {e["subscription"]: e["data"]["reason"] for e in guest.events("subscription.ended")}
    assert reasons == dict.fromkeys((both, two, one), "removed")
    assert [s["id"] for s in guest.data("subscription", "remove", "--tag", "y", "--owner", "you")] == [four]
    five = subscribe(guest, "pattern", "e")
    told = guest.ctmux("subscription", "remove", three, "nobody", five, code=4).stderr
    assert told == f"ctmux: no subscription 'nobody'; see: ctmux subscription list; removed: {three}\n"
    assert [s["id"] for s in guest.data("subscription", "list")] == [five]


def test_one_scope_only(guest: Guest) -> None:
    """Neither does the last of several win without a word."""
    for scope in (["--pane", "%0", "--pane", "%0"], ["--session", "main", "--session", "x"], ["--pane", "%0", "--all"]):
        told = guest.ctmux("subscribe", "pattern", "x", *scope, code=2).stderr
        assert "and that once" in told and "ctmux subscribe any ID..." in told and told.count("\n") == 1
    assert guest.data("subscription", "list") == []


def test_targets_that_are_not_there(guest: Guest) -> None:
    for scope in (["--pane", "nobody"], ["--session", "nobody"], ["--pane", "%999"], ["--session", "$999"]):
        told = guest.ctmux("subscribe", "pattern", "x", *scope, code=4)
        assert told.stderr.count("\n") == 1 and told.stdout == ""
    assert "use one of" in guest.ctmux("subscribe", "pattern", "x", "--all", "--pane", "%0", code=2).stderr
    assert guest.data("subscription", "list") == []


BAD = {
    "a(b": (1, "missing )"),
    "ok(?=x)": (2, "lookahead"),
    "ok(?<!x)": (2, "lookbehind"),
    r"(a)\1": (3, "backreference"),
    "ab(?>c)": (2, "atomic group"),
    "[z-a]": (1, "z-a"),
}


def test_bad_patterns_are_refused_with_place_and_construct(guest: Guest) -> None:
    for pattern, (place, construct) in BAD.items():
        refused = guest.ctmux("subscribe", "pattern", pattern, code=2)
        assert f"position {place}" in refused.stderr and construct in refused.stderr
        assert refused.stderr.count("\n") == 1 and refused.stdout == ""
    assert "position 1" in guest.ctmux("subscribe", "timeout", "5", "--pattern", "a(b", code=2).stderr
    told = guest.ctmux("subscribe", "pattern", "x", "--until", "a(b", code=2).stderr
    assert told.startswith("ctmux: until: pattern: missing )")
    assert guest.data("subscription", "list") == []


def test_what_would_match_everything_or_nothing_is_refused(guest: Guest) -> None:
    for pattern in ("", "x*", "(a{1000}){1000}", "a" * 5000):
        guest.ctmux("subscribe", "pattern", pattern, code=2)
    for seconds in ("0", "-1", "nan", "inf"):
        guest.ctmux("subscribe", "timeout", "--", seconds, code=2)
    refused = json.loads(guest.ctmux("subscribe", "pattern", "(", "--json", code=2).stdout)
    assert refused["status"] == "error" and refused["error"]["code"] == "usage"


def test_a_prompt_fires_while_it_waits_and_not_again_when_it_is_answered(guest: Guest) -> None:
    armed = subscribe(guest, "pattern", "assword: ", "--name", "asked")
    whole = subscribe(guest, "pattern", "assword: x")
    pane = guest.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "printf 'Password: '; read x; echo done; read x")
    until(lambda: matched(guest, armed))
    (event,) = matched(guest, armed)
    assert (event["data"]["partial"], event["data"]["line"], event["pane"]) == (True, "Password: ", pane)
    guest.tmux("send-keys", "-t", pane, "x", "Enter")
    until(lambda: matched(guest, whole))
    guest.tmux("send-keys", "-t", pane, "Enter")
    guest.wait_event("pane.exited", pane=pane)
    assert len(matched(guest, armed)) == 1 and len(matched(guest, whole)) == 1
    assert matched(guest, whole)[0]["data"]["offset"] == event["data"]["offset"]


def test_a_prompt_fires_once_although_the_matcher_is_killed_before_it_is_answered(daemon: World) -> None:
    out = Printer(daemon)
    armed = subscribe(daemon, "pattern", "assword")
    out("Password: ")
    until(lambda: matched(daemon, armed))
    kill(daemon, "matcher")
    out("secret\nPassword accepted\n")
    until(lambda: lines(daemon, armed) == ["Password: ", "Password accepted"])


def test_what_is_printed_while_nothing_of_us_runs_still_fires(daemon: World) -> None:
    out = Printer(daemon)
    armed = subscribe(daemon, "pattern", "^mark")
    out("mark 1\nma")
    until(lambda: lines(daemon, armed) == ["mark 1"])
    record = supervised.running(daemon.paths)
    assert record
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: supervised.running(daemon.paths) is None)
    out("rk 2\nmark 3\n")
    daemon.start()
    out("mark 4\n")
    until(lambda: len(lines(daemon, armed)) >= 4)
    assert lines(daemon, armed) == ["mark 1", "mark 2", "mark 3", "mark 4"]


def test_they_survive_a_restart_of_the_daemon(daemon: World) -> None:
    out = Printer(daemon)
    armed = subscribe(daemon, "pattern", "^mark", "--name", "kept")
    soon = subscribe(daemon, "timeout", "1", "--pattern", "never")
    later = subscribe(daemon, "timeout", "600", "--pattern", "^mark 3")
    out("mark 1\n")
    until(lambda: lines(daemon, armed) == ["mark 1"])
    before = daemon.data("subscription", "list")
    daemon.ctmux("daemon", "restart")
    assert [s for s in before if s["id"] != soon] == [s for s in daemon.data("subscription", "list") if s["id"] != soon]
    daemon.wait_event("timeout.expired", subscription=soon)  # its time went on
    daemon.wait_event("pane.observed", pane=out.pane)
    until(out.stream)
    out("mark 2\nmark 3\n")
    until(lambda: lines(daemon, armed) == ["mark 1", "mark 2", "mark 3"])
    assert daemon.wait_event("subscription.ended", subscription=later)["data"]["reason"] == "satisfied"
    new = subscribe(daemon, "pattern", "x")
    assert new not in (armed, soon, later)
    assert len(daemon.events("subscription.created")) == 4


def test_each_line_once_although_the_matcher_is_killed_while_they_come(daemon: World) -> None:
    armed = subscribe(daemon, "pattern", r"^line \d+$")
    tens = subscribe(daemon, "pattern", r"^line \d*0$")
    only = subscribe(daemon, "pattern", r"^line 700$", "--once")
    command = "for i in $(seq 1 2500); do echo line $i; sleep 0.001; done; sleep 0.1; printf 'line 2501'"
    pane = daemon.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", command)
    for count in (100, 900, 1800):
        until(lambda count=count: len(matched(daemon, armed)) >= count)
        kill(daemon, "matcher")
    exited = daemon.wait_event("pane.exited", 60, pane=pane)
    assert lines(daemon, armed) == [f"line {number}" for number in range(1, 2502)]
    assert lines(daemon, tens) == [f"line {number}" for number in range(10, 2501, 10)]
    assert lines(daemon, only) == ["line 700"]
    assert len([e for e in daemon.events("subscription.ended") if e["subscription"] == only]) == 1
    assert exited["n"] > matched(daemon, armed)[-1]["n"]
    at = 0
    for event in matched(daemon, armed):
        assert event["data"]["offset"] >= at
        at = event["data"]["end"]
    assert len(daemon.events("service.restarted")) == 3


# ---- many of them, and costly ones ---------------------------------------------------------------------------------


def test_many_patterns_also_over_a_restart(daemon: World) -> None:
    ids = [subscribe(daemon, "pattern", f"task {n} (failed|done)$", "--all") for n in range(12)]
    until(lambda: not daemon.data("status")["roles"]["matcher"]["merging"])
    printer = Printer(daemon)
    printer("task 7 done\ntask 77 done\n")
    daemon.wait_event("pattern.matched", subscription=ids[7])
    os.kill(daemon.role("matcher"), signal.SIGKILL)
    printer("task 8 failed\ntask 1 done\n")
    daemon.wait_event("pattern.matched", subscription=ids[1])
    assert [(event["subscription"], event["data"]["captures"]) for event in daemon.events("pattern.matched")] == [
        (ids[7], ["done"]),
        (ids[8], ["failed"]),
        (ids[1], ["done"]),
    ]


def test_a_pattern_that_burns_the_processor_is_ended_with_the_reason(guest: Guest) -> None:
    burning = subscribe(guest, "pattern", "[ab]*a[ab]{150}c", "--all")
    other = subscribe(guest, "pattern", "the last line", "--all")
    script = "import random; [print(''.join(random.choices('ab', k=4000))) for _ in range(500)]; print('the last line')"
    guest.open_pane(f'{sys.executable} -c "{script}"')
    ended = guest.wait_event("subscription.ended", 30, subscription=burning)
    assert re.search(r"too expensive: .* s of the processor for .* MB of output", ended["data"]["reason"])
    assert guest.wait_event("pattern.matched", 30, subscription=other)


def test_one_whose_line_is_damaged_has_ended_with_the_reason(daemon: World) -> None:
    kept, lost = (daemon.ctmux("subscribe", "pattern", text).stdout.strip() for text in ("kept", "lost"))
    daemon.stop()
    path = Path(daemon.paths.subscriptions)
    path.write_text(path.read_text().replace('"patterns": ["lost"]', '"patterns": ["lo\0'))
    for _ in range(2):
        daemon.start()
        ended = daemon.wait_event("subscription.ended", subscription=lost)
        assert ended["data"]["reason"] == "damaged"
        assert [found["id"] for found in daemon.data("subscription", "list")] == [kept]
        daemon.stop()
    assert len(daemon.events("subscription.ended")) == 1
