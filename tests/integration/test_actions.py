"""Actions on real output: what runs, with what, how it ends, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from guest import Guest
from harness import World, until
from printer import Printer, subscribe

pytestmark = pytest.mark.any_tmux

Data = dict[str, Any]


def finished(world: World, subscription: str, **fields: Any) -> Data:
    return dict(world.wait_event("action.finished", 30, subscription=subscription, **fields)["data"])


def of(world: World, subscription: str) -> list[tuple[str, Data]]:
    """What is said of the actions of a subscription, in order."""
    return [
        (event["kind"].partition(".")[2], event["data"])
        for event in world.events()
        if event["kind"].startswith("action.") and event["subscription"] == subscription
    ]


def test_a_command_has_the_event_and_its_result_is_an_event(guest: Guest) -> None:
    out = Printer(guest)
    script = 'echo "$1|$CTMUX_LINE|$CTMUX_GROUP_1|$CTMUX_GROUP_v|$CTMUX_PANE|$PWD"; cat; exit 3'
    armed = subscribe(
        guest, "pattern", r"key=(?P<v>\w+)", "--name", "keys", "--run", "--", "sh", "-c", script, "x", "<{v}>"
    )
    out("a key=1 b\n")
    event = guest.wait_event("pattern.matched", subscription=armed)
    data = finished(guest, armed)
    line, told = data["output"].split("\n", 1)
    assert line == f"<1>|a key=1 b|1|1|{out.pane}|{os.getcwd()}"
    assert json.loads(told) == event
    assert (data["exit_code"], data["signal"], data["cause"], data["action"]) == (
        3,
        None,
        event["n"],
        f"{event['n']}.{armed}.0",
    )
    kinds = [kind for kind, _ in of(guest, armed)]
    assert kinds == ["intended", "started", "finished"]
    shown = guest.data("action", "list", "--subscription", armed)
    assert [one["exit_code"] for one in shown] == [3]
    assert [one["kind"] for one in guest.data("action", "show", data["action"])] == [f"action.{kind}" for kind in kinds]
    by = guest.data("subscription", "show", armed)["armed_by"]
    (audited,) = [one for one in guest.data("action", "audit") if one["subscription"] == armed]
    assert audited["armed_by"] == by and "<{v}>" in audited["what"][0]
    assert by["uid"] == os.getuid() and by["cwd"] == os.getcwd() and "subscribe pattern" in by["command"]


def test_the_environment_is_a_list_of_what_is_allowed(world: World) -> None:
    world.env |= {"SECRET": "s", "AWS_KEY": "k", "LC_TIME": "C"}
    world.begin()
    out = Printer(world)
    armed = subscribe(world, "pattern", "go", "--env", "GIVEN=1", "--env", "SECRET", "--run", "--", "env")
    out("go\n")
    names = {line.partition("=")[0] for line in finished(world, armed)["output"].splitlines()}
    assert {"PATH", "HOME", "GIVEN", "SECRET", "CTMUX_LINE", "CTMUX_ACTION_ID", "CTMUX_DEPTH", "LC_TIME"} <= names
    assert not names & {"AWS_KEY", "TMUX", "TMUX_PANE", "SUPERVISOR_ENABLED", "SUPERVISOR_PROCESS_NAME", "CTMUX_PYTHON"}


def test_an_action_of_a_subscription_that_ends_with_its_event_runs(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--once", "--run", "--", "true")
    out("go\ngo\n")
    guest.wait_event("subscription.ended", subscription=armed)
    assert finished(guest, armed)["exit_code"] == 0
    assert [kind for kind, _ in of(guest, armed)] == ["intended", "started", "finished"]


def test_several_actions_of_one_event(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(
        guest, "pattern", "go", "--shell", 'echo "$CTMUX_LINE" | tr a-z A-Z', "--publish", "went", "--run", "--", "true"
    )
    out("go on\n")
    assert finished(guest, armed, index=1)["output"] == "GO ON\n"
    assert finished(guest, armed, index=0)["exit_code"] == 0
    event = guest.wait_event("user.went")
    assert event["data"]["cause"] == guest.wait_event("pattern.matched", subscription=armed)["n"]


# ---- panes ---------------------------------------------------------------------------------------------------------


def test_typing_pressing_and_its_own_echo_fires_nothing(guest: Guest) -> None:
    out = Printer(guest)
    shell = guest.open_pane("exec sh")
    armed = subscribe(guest, "pattern", "question", "--to", shell, "--send", "echo an ans''wer; # $(touch owned) #{x} %H;")
    echo = subscribe(guest, "pattern", "ans''wer", "--pane", shell)
    answer = subscribe(guest, "pattern", "^an answer$", "--pane", shell)
    out("a question\n")
    assert finished(guest, armed)["exit_code"] == 0
    guest.wait_event("pattern.matched", subscription=answer)
    assert [event for event in guest.events("pattern.matched") if event["subscription"] == echo] == []
    guest.open_pane("exec sh")
    keys = subscribe(guest, "pattern", "stop it", "--to", shell, "--send-keys", "C-d")
    out("stop it\n")
    assert finished(guest, keys)["exit_code"] == 0
    guest.wait_event("pane.exited", pane=shell)


def test_signals_and_kills(guest: Guest) -> None:
    out = Printer(guest)
    busy = guest.open_pane("sh -c 'sleep 1000; echo over; sleep 1000'")
    guest.wait_event("pane.observed", pane=busy)
    over = subscribe(guest, "pattern", "over", "--pane", busy)
    armed = subscribe(guest, "pattern", "signal it", "--to", busy, "--signal", "term")
    out("signal it\n")
    assert finished(guest, armed)["exit_code"] == 0
    exited = guest.wait_event("pane.exited", pane=busy)
    assert (exited["data"]["signal"], guest.events("pattern.matched")[-1]["subscription"] != over) == (15, True)
    other = guest.open_pane("exec sleep 1000")
    kill = subscribe(guest, "pattern", "kill it", "--to", other, "--kill")
    out("kill it\n")
    assert finished(guest, kill)["exit_code"] == 0
    guest.wait_event("pane.exited", pane=other)


def test_a_program_in_a_new_pane_gets_data_as_data(guest: Guest) -> None:
    out = Printer(guest)
    program = ["printf", "<%s>\\n", "{line}", ";", "#{pane_id}", "#(touch owned)", "$(touch owned)"]
    armed = subscribe(guest, "pattern", "^start", "--pane", out.pane, "--new-pane", "--", *program)
    told = subscribe(guest, "pattern", "^<")
    line = "start '\"`touch owned` $(touch owned) #(touch owned) %H ;"
    out(f"{line}\n")
    assert finished(guest, armed)["output"].startswith("%")
    until(lambda: len([event for event in guest.events("pattern.matched") if event["subscription"] == told]) == 5)
    lines = [event["data"]["line"] for event in guest.events("pattern.matched") if event["subscription"] == told]
    assert lines == [f"<{line}>", "<;>", "<#{pane_id}>", "<#(touch owned)>", "<$(touch owned)>"]
    assert not Path(guest.root, "owned").exists() and not Path("owned").exists()


def test_one_word_alone_in_a_new_pane_meets_no_shell(guest: Guest) -> None:
    out = Printer(guest)
    program = Path(guest.root, "a b; touch owned")
    program.write_text("#!/bin/sh\necho ran $CTMUX_DEPTH; exec sleep 1000\n")
    program.chmod(0o700)
    armed = subscribe(guest, "pattern", "^start", "--pane", out.pane, "--new-pane", "--", str(program))
    ran = subscribe(guest, "pattern", "^ran 1")
    out("start\n")
    pane = finished(guest, armed)["output"].strip()
    assert guest.wait_event("pattern.matched", subscription=ran)["pane"] == pane


def test_a_program_that_has_ended_is_not_signalled(guest: Guest) -> None:
    """Its pid may be another's by now."""
    out = Printer(guest)
    guest.tmux("set-option", "-g", "remain-on-exit", "on")
    dead = guest.open_pane("true")
    guest.wait_event("pane.exited", pane=dead)
    armed = subscribe(guest, "pattern", "go", "--to", dead, "--signal", "TERM")
    out("go\n")
    assert "has ended" in finished(guest, armed)["reason"]
    assert [kind for kind, _ in of(guest, armed)] == ["intended", "finished"]
    killed = subscribe(guest, "pattern", "kill", "--to", dead, "--kill")
    out("kill\n")
    assert finished(guest, killed)["exit_code"] == 0


def test_a_pane_that_is_gone_is_said(guest: Guest) -> None:
    out = Printer(guest)
    gone = guest.open_pane("exec sleep 1000")
    armed = subscribe(guest, "pattern", "go", "--to", gone, "--signal", "TERM")
    typed = subscribe(guest, "pattern", "go", "--to", gone, "--send", "x")
    guest.tmux("kill-pane", "-t", gone)
    guest.wait_event("pane.exited", pane=gone)
    out("go\n")
    assert gone in finished(guest, armed)["reason"]
    data = finished(guest, typed)
    assert data["exit_code"] == 1 and gone in data["output"]


# ---- subscriptions, events -----------------------------------------------------------------------------------------


def test_one_subscription_arms_and_removes_another(guest: Guest) -> None:
    out = Printer(guest)
    wanted = {
        "kind": "pattern",
        "patterns": ["second"],
        "session": guest.tmux("display-message", "-p", "-t", out.pane, "#{session_name}"),
        "name": "later",
        "actions": [{"do": "run", "argv": ["/bin/echo", "{line}"]}],
    }
    armed = subscribe(guest, "pattern", "first", "--arm", json.dumps(wanted))
    out("first\n")
    made = finished(guest, armed)["subscription"]
    assert guest.data("subscription", "show", made)["armed_by"] == {"action": of(guest, armed)[0][1]["action"], "depth": 1}
    out("second\n")
    assert finished(guest, made)["output"] == "second\n"
    done = guest.ctmux(
        "subscribe", "pattern", "third", "--name", "me", "--remove", "later", "--remove", "nobody", "--remove", "me"
    )
    removes = done.stdout.strip()
    assert done.stderr.count("\n") == 1 and "no subscription 'nobody' is armed now" in done.stderr
    out("third\n")
    guest.wait_event("subscription.ended", subscription=made)
    assert "no subscription 'nobody'" in finished(guest, removes, index=1)["reason"]


def test_what_a_subscription_sets_off_is_explained(guest: Guest) -> None:
    argv = ("--rate", "5/1", "--action-timeout", "60", "--send", "y", "--run", "--", "echo", "{line} {1}")
    armed = subscribe(guest, "pattern", "(x)", "--deliver", "at-least-once", *argv)
    shown = guest.ctmux("subscription", "explain", armed).stdout.splitlines()
    assert [line for line in shown if "sets off" in line] == [
        "  sets off run: /usr/bin/echo '{line} {1}' (at-least-once, rate 5/1 s)",
        "  sets off send: type y and Enter in the pane of the event (at-least-once, rate 5/1 s)",
    ]
    told = guest.data("subscription", "explain", armed)["actions"]
    assert [(one["do"], one["deliver"], one["bounds"]) for one in told] == [
        (do, "at-least-once", {"rate": [5, 1.0]}) for do in ("run", "send")
    ]
    bare = subscribe(guest, "pattern", "x")
    assert guest.data("subscription", "explain", bare)["actions"] == []


def test_an_event_of_ones_own(guest: Guest) -> None:
    guest.ctmux("publish", "deploy.done", "--data", '{"version": "1.2"}')
    event = guest.wait_event("user.deploy.done")
    assert event["data"]["value"] == {"version": "1.2"} and event["data"]["by"]["uid"] == os.getuid()
    shown = guest.ctmux("events", "--kind", "user", "--json").stdout.splitlines()
    assert json.loads(shown[-1])["kind"] == "user.deploy.done"
    assert "small letters" in guest.ctmux("publish", "A B", code=2).stderr
    assert "cannot be sent" in guest.ctmux("publish", "x", "--data", "9" * 30, code=2).stderr


def test_a_dry_run_says_exactly_what_would_run(guest: Guest) -> None:
    out = Printer(guest)
    owned = f"{guest.root}/owned"
    done = guest.ctmux("subscribe", "pattern", "go (.*)", "--dry-run", "--run", "--", "touch", owned, "{1}")
    assert done.stderr.strip() == f"would: /usr/bin/touch {owned} {{1}}"
    out("go 'a b'\n")
    event = guest.wait_event("action.rehearsed", subscription=done.stdout.strip())
    assert event["data"]["argv"] == ["/usr/bin/touch", owned, "'a b'"]
    assert event["data"]["cwd"] == os.getcwd() and event["data"]["env"]["CTMUX_LINE"] == "go 'a b'"
    assert not os.path.exists(owned)
    (shown,) = [one for one in guest.ctmux("action", "list").stdout.splitlines() if f".{done.stdout.strip()}." in one]
    assert f"/usr/bin/touch {owned} ''" in shown.replace('"', "'") and "{1}" not in shown
    others = (
        "--action",
        '{"do": "publish", "name": "x", "data": {"it": "<{line}>"}}',
        "--action",
        '{"do": "webhook", "url": "http://localhost:9/", "headers": {"X-Key": "secret"}}',
        "--signal",
        "usr1",
        "--remove",
        "nobody",
        "--arm",
        '{"kind": "idle", "seconds": 5.0}',
        "--notify",
        "{line}",
        "--kill",
    )
    done = guest.ctmux("subscribe", "pattern", "all of them", "--dry-run", *others)
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "ctmux",
        *["would"] * 7,
    ]  # there is no `nobody`
    out("all of them\n")
    until(lambda: len([1 for kind, _ in of(guest, done.stdout.strip()) if kind == "rehearsed"]) == 7)
    told = {data["do"]: data for _, data in of(guest, done.stdout.strip())}
    assert told["publish"]["kind"] == "user.x" and told["publish"]["value"] == {"it": "<all of them>"}
    assert told["webhook"]["url"] == "http://localhost:9/" and told["webhook"]["headers"] == ["X-Key"]
    assert told["webhook"]["body_bytes"] > 100
    assert told["signal"]["argv"][-1] == f"-(the process group in the foreground of {out.pane})"


def test_a_notification_is_shown_as_it_is_to_who_is_attached(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "notify", "--name", "n", "--notify", "{line}")
    out("notify nobody\n")
    assert "nobody is attached" in finished(guest, armed)["reason"]
    master, slave = os.openpty()
    attach = ["tmux", "-u", "-S", guest.socket(), "attach", "-t", "main"]
    with subprocess.Popen(attach, env={**guest.env, "TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave) as client:
        os.close(slave)
        seen = b""
        until(lambda: guest.tmux("list-clients"))
        out("notify #{pane_id} #(touch owned) %H ;x;\n")
        while b"ctmux n: notify #{pane_id} #(touch owned) %H ;x;" not in seen:
            seen += os.read(master, 65536)  # the test's own timeout ends this
        guest.tmux("detach-client", "-a")
        guest.tmux("detach-client", "-s", "main")
        client.wait(10)
        os.close(master)
    assert not Path("owned").exists()


def test_what_is_said_of_actions_fits_whatever_they_are_filled_with(guest: Guest) -> None:
    out = Printer(guest)
    many = ["{line}"] * 80
    data = json.dumps({"do": "publish", "name": "x", "data": many})
    armed = subscribe(guest, "pattern", "^many", "--action", data, "--run", "--", "true", *many)
    out(f"many{chr(0xE0041) * 4000}\n")  # ten characters each where it is written out
    assert "too much for an event" in finished(guest, armed, index=1)["reason"]
    assert finished(guest, armed, index=0)["exit_code"] == 0


# ---- bounds --------------------------------------------------------------------------------------------------------


def test_a_deadline_ends_the_whole_group(guest: Guest) -> None:
    out = Printer(guest)
    script = "trap '' TERM; sh -c 'trap \"\" TERM; echo inner $$; exec sleep 1000' & echo outer $$; wait"
    bounds = ("--action-timeout", "0.5", "--action-grace", "0.2")
    armed = subscribe(guest, "pattern", "go", *bounds, "--run", "--", "sh", "-c", script)
    out("go\n")
    data = finished(guest, armed)
    assert data["signal"] == "SIGKILL" and data["exit_code"] is None and data["reason"].startswith("timeout")
    pids = [int(line.split()[1]) for line in data["output"].splitlines()]
    assert len(pids) == 2
    until(lambda: not any(alive(pid) for pid in pids))


def test_a_deadline_ends_also_what_has_left_the_group_and_each_may_end_by_itself(guest: Guest) -> None:
    out = Printer(guest)
    inner = "trap 'sleep 0.3; echo clean; exit' TERM; echo inner $$; while :; do sleep 0.1; done"
    script = 'trap "exit 1" TERM; timeout 1000 sh -c "$INNER" & echo outer $$; wait'
    bounds = ("--action-timeout", "0.5", "--action-grace", "20", "--env", f"INNER={inner}")
    armed = subscribe(guest, "pattern", "go", *bounds, "--run", "--", "sh", "-c", script)
    out("go\n")
    data = finished(guest, armed)
    assert data["exit_code"] == 1 and data["reason"].startswith("timeout") and data["output"].endswith("clean\n")
    assert not alive(int(data["output"].split("inner ")[1].split()[0]))


def test_a_process_that_cannot_be_ended_holds_no_action_up(guest: Guest) -> None:
    out = Printer(guest)
    script = "(trap '' TERM; sleep 1; exec setsid sleep 1000) & echo $!; wait"
    bounds = ("--action-timeout", "0.3", "--action-grace", "2")
    armed = subscribe(guest, "pattern", "go", *bounds, "--run", "--", "sh", "-c", script)
    out("go\n")
    data = finished(guest, armed)
    pid = int(data["output"])
    assert data["reason"].startswith("timeout") and alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_much_output_at_the_very_end_is_no_accident(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--rate", "20/1", "--run", "--", "bash", "-c", "set -m; yes & sleep 0.01")
    runner = guest.data("status")["roles"]["runner"]["pid"]
    out("go\n" * 10)
    until(lambda: len([1 for kind, _data in of(guest, armed) if kind == "finished"]) == 10)
    assert guest.data("status")["roles"]["runner"]["pid"] == runner


def test_what_an_action_leaves_behind_ends_with_it(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--run", "--", "sh", "-c", "sleep 1000 & echo $!")
    out("go\n")
    pid = int(finished(guest, armed)["output"])
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_output_is_bounded_and_its_end_is_kept(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(
        guest, "pattern", "much", "--action-output", "10", "--run", "--", "sh", "-c", "seq 100000; printf '\\033[2J\\377'"
    )
    endless = subscribe(guest, "pattern", "endless", "--run", "--", "yes")
    out("much\nendless\n")
    data = finished(guest, armed)
    assert data["output"] == "100000\n"[-5:] + "\\x1b[2J\\xff" and data["truncated"] and data["output_bytes"] > 500_000
    assert finished(guest, endless)["reason"].startswith("output")


def test_concurrency_queue_and_rate_are_bounded_and_counted(guest: Guest) -> None:
    out = Printer(guest)
    flag = f"{guest.root}/flag"
    bounds = ("--concurrency", "2", "--queue", "3", "--rate", "100/60", "--action-timeout", "60")
    armed = subscribe(
        guest, "pattern", "go", *bounds, "--run", "--", "sh", "-c", 'until [ -e "$1" ]; do sleep 0.05; done', "x", flag
    )
    for n in range(2):
        out(f"go {n}\n")
    until(lambda: len(guest.data("status")["roles"]["runner"]["running"]) == 2)
    out("".join(f"go {n}\n" for n in range(2, 12)))
    refused = guest.wait_event("action.refused", subscription=armed)["data"]
    assert refused["reason"].startswith("queue: 3")
    Path(flag).touch()
    until(lambda: len([1 for kind, _ in of(guest, armed) if kind == "finished"]) == 5)
    until(lambda: sum(data["count"] for kind, data in of(guest, armed) if kind == "refused") == 7)
    limited = subscribe(guest, "pattern", "fast", "--rate", "2/60", "--run", "--", "true")
    out("fast\n" * 50)
    until(lambda: sum(data["count"] for kind, data in of(guest, limited) if kind == "suppressed") == 48)
    assert len([1 for kind, _ in of(guest, limited) if kind == "intended"]) == 2


def test_actions_are_listed_by_the_name_of_a_subscription(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--name", "goes", "--once", "--run", "--", "true")
    assert guest.data("action", "list", "--subscription", "goes") == []
    out("go\n")
    finished(guest, armed)
    guest.wait_event("subscription.ended", subscription=armed)
    (listed,) = guest.data("action", "list", "--subscription", "goes")
    assert listed["subscription"] == armed
    for nonsense in ("nonsense", "s99999"):
        told = guest.ctmux("action", "list", "--subscription", nonsense, code=4)
        assert nonsense in told.stderr and told.stderr.count("\n") == 1


def test_an_action_can_be_cancelled_running_or_waiting(guest: Guest) -> None:
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--concurrency", "1", "--run", "--", "sleep", "1000")
    out("go\ngo\n")
    until(lambda: len([1 for kind, _ in of(guest, armed) if kind == "intended"]) == 2)
    first, second = (data["action"] for kind, data in of(guest, armed) if kind == "intended")
    until(lambda: guest.data("status")["roles"]["runner"]["running"] == [first])
    guest.ctmux("action", "cancel", second)
    guest.ctmux("action", "cancel", first)
    assert finished(guest, armed, action=first)["reason"] == "cancelled"
    assert guest.wait_event("action.interrupted", action=second)["data"]["reason"].startswith("cancelled")
    assert "no action" in guest.ctmux("action", "cancel", first, code=4).stderr


def test_an_action_that_types_what_fires_it_ends_with_an_event_that_says_so(guest: Guest) -> None:
    shell = guest.open_pane("stty -echo; exec cat")
    armed = subscribe(guest, "pattern", "again", "--pane", shell, "--include", "echo", "--send", "again")
    guest.tmux("send-keys", "-t", shell, "again", "Enter")
    refused = guest.wait_event("action.refused", 30, subscription=armed)["data"]
    assert refused["reason"].startswith("loop: 4 actions in a row")
    assert len([1 for kind, _ in of(guest, armed) if kind == "intended"]) <= 6


def test_an_action_that_publishes_through_the_command_line_is_a_loop_all_the_same(guest: Guest) -> None:
    shell = guest.open_pane("stty -echo; exec cat")
    ctmux = str(Path(sys.executable).with_name("ctmux"))
    script = f'{ctmux} pane send-keys "$CTMUX_PANE" again Enter'
    armed = subscribe(guest, "pattern", "again", "--pane", shell, "--include", "echo", "--shell", script)
    guest.tmux("send-keys", "-t", shell, "again", "Enter")
    refused = guest.wait_event("action.refused", 60, subscription=armed)["data"]
    assert refused["reason"].startswith("loop")


def test_programs_in_new_panes_that_start_each_other_end_whatever_is_known_of_them(guest: Guest) -> None:
    """Most have ended before anybody can look at their environment; these have thrown it away."""
    out = Printer(guest)
    home = guest.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", "exec sleep 1000")
    guest.tmux("resize-window", "-t", home, "-y", "200")
    program = ("env", "-u", "CTMUX_DEPTH", "sh", "-c", "echo again; exec sleep 1000")
    armed = subscribe(guest, "pattern", "^again$", "--rate", "30/60", "--to", home, "--new-pane", "--", *program)
    out("again\n")
    refused = guest.wait_event("action.refused", 30, subscription=armed)["data"]
    assert refused["reason"].startswith("loop")
    assert [data["depth"] for kind, data in of(guest, armed) if kind == "intended"] == [0, 1, 2, 3]


def test_prompts_are_answered_again_and_again(guest: Guest) -> None:
    script = "stty -echo; for n in 1 2 3 4 5 6 7 8; do printf 'sure %s?\\n' $n; read yes; done; echo all $yes; sleep 1000"
    armed = subscribe(guest, "pattern", "^sure", "--include", "echo", "--loop-depth", "100", "--send", "y")
    over = subscribe(guest, "pattern", "^all y", "--include", "echo")
    guest.open_pane(script)
    guest.wait_event("pattern.matched", 30, subscription=over)
    assert not guest.events("action.refused") and len([1 for kind, _ in of(guest, armed) if kind == "intended"]) == 8


# ---- policy --------------------------------------------------------------------------------------------------------


def test_a_policy_refuses_at_arming_and_at_run_time(world: World) -> None:
    world.begin()
    out = Printer(world)
    armed = subscribe(world, "pattern", "go", "--run", "--", "true")
    where = Path(world.root, "config/ctmux/policy.toml")
    where.parent.mkdir(parents=True)
    where.write_text("actions = false\n")
    assert "runs no actions" in world.ctmux("subscribe", "pattern", "x", "--run", "--", "true", code=5).stderr
    out("go\n")
    assert "runs no actions" in world.wait_event("action.refused", subscription=armed)["data"]["reason"]
    where.write_text("commands = ['git']\ntype_into = ['other']\n")
    assert (
        "does not allow to run /usr/bin/true"
        in world.ctmux("subscribe", "pattern", "x", "--run", "--", "true", code=5).stderr
    )
    typed = subscribe(world, "pattern", "type", "--send", "x")
    out("type\n")
    refused = world.wait_event("action.refused", subscription=typed)["data"]
    assert "does not allow to act on" in refused["reason"] and (refused["attempt"], refused["index"]) == (1, 0)
    assert [kind for kind, _ in of(world, typed)] == ["intended", "refused"]
    (shown,) = world.data("action", "list", "--subscription", typed)
    assert shown["state"] == "refused" and "count" not in shown
    for fixed in (("--pane", out.pane), ("--to", out.pane), ("--to", out.pane, "--action", '{"do": "kill"}')):
        refused = world.ctmux("subscribe", "pattern", "x", *fixed, "--send", "x", code=5).stderr
        assert f"does not allow to act on {out.pane}" in refused
    assert "does not allow to act on" in world.ctmux("subscribe", "idle", "5", "--pane", out.pane, "--kill", code=5).stderr
    subscribe(world, "pattern", "x", "--session", "main", "--send", "x")  # which pane it will be is not known
    where.write_text("type_into = ['main']\n")
    subscribe(world, "pattern", "never", "--pane", out.pane, "--send", "x")
    out("type\n")
    world.wait_event("action.finished", 30, subscription=typed, exit_code=0)
    where.chmod(0o666)
    out("go\n")
    until(lambda: any("chmod go-w" in event["data"]["reason"] for event in world.events("action.refused")))
    assert "chmod go-w" in world.ctmux("health", code=1).stderr
    assert "chmod go-w" in world.ctmux("subscribe", "pattern", "x", "--run", "--", "true", code=5).stderr
    assert "chmod go-w" in world.ctmux("action", "policy", code=5).stderr


# ---- hostile text --------------------------------------------------------------------------------------------------

HOSTILE = [
    "'; touch owned; '", '"; touch owned; "', "$(touch owned)", "`touch owned`", "; touch owned", "| touch owned",
    "& touch owned", "-rf --help -e", "--", "%s%n%H %%", "{line}{1}{event_id}", "{{line}}", "#{pane_id}#(touch owned)",
    "\\", "$CTMUX_LINE", "*?~[a]", "\t tab", "\x1b[31mred\x1b[0m\x1b]0;title\x07", "\x9b31m ü 漢字 \U0001f600", "a;",
]  # fmt: skip


ENDS = ("finished", "refused")  # what is cut is not typed


def test_hostile_lines_are_only_data_whatever_the_action(world: World) -> None:
    """Each line through each way that data takes into a process. A recorder writes the argv and environment that it got."""
    world.begin()
    Path(world.root, "config/ctmux").mkdir(parents=True)
    Path(world.root, "config/ctmux/policy.toml").write_text("type_data = true\n")
    recorder = Path(world.root, "recorder")
    recorder.write_text(
        f"#!{sys.executable} -S\nimport json, os, sys\n"
        "event = None if sys.argv[1] == 'pane' else json.load(sys.stdin)\n"
        "line = [sys.argv[1:], os.environ['CTMUX_LINE'], os.environ['CTMUX_GROUP_1'], event and event['data']['line']]\n"
        f"fd = os.open({str(world.root) + '/record'!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
        "os.write(fd, json.dumps(line).encode() + b'\\n')\n"
    )
    recorder.chmod(0o700)
    sink = world.open_pane(f"stty raw -echo; cat > {world.root}/typed")
    out = Printer(world)
    pattern = ("pattern", "^=(.*)", "--pane", out.pane, "--rate", "1000/1", "--queue", "1000")
    argv = ("{line}", "-{1}", "{line} {1}")
    shell = f'{recorder} shell "$CTMUX_LINE" "-$CTMUX_GROUP_1" "$CTMUX_LINE $CTMUX_GROUP_1"'
    ways = [
        subscribe(world, *pattern, *way)
        for way in (
            ("--action-cwd", world.root, "--run", "--", str(recorder), "run", *argv),
            ("--action-cwd", world.root, "--shell", shell),
            ("--to", sink, "--send", "{line}"),
            ("--notify", "{line}"),
            ("--publish", "told"),
            ("--action-cwd", world.root, "--to", sink, "--new-pane", "--", str(recorder), "pane", *argv),
        )
    ]
    os.write(out._fd, b"=bad \xff\xfe utf-8\n=nul \x00 in it\n" + b"=" + b"x" * 1_000_000 + b"\n")
    for text in HOSTILE:
        out(f"={text}\n")
        world.wait_event("pattern.matched", subscription=ways[0])
    until(lambda: len([e for e in world.events("pattern.matched") if e["subscription"] == ways[0]]) >= len(HOSTILE) + 3, 60)
    events = world.events("pattern.matched")
    for armed in ways:
        wanted = len([event for event in events if event["subscription"] == armed])
        until(lambda armed=armed, wanted=wanted: len([1 for k, _ in of(world, armed) if k in ENDS]) == wanted, 60)  # type: ignore[misc]
    found = [event["data"] for event in events if event["subscription"] == ways[0]]
    lines = [data["line"] for data in found]

    def recorded() -> list[Any]:
        got = [json.loads(line) for line in Path(world.root, "record").read_text().splitlines()]
        ends = [end for armed in ways for end in of(world, armed) if end[0] == "refused" or end[1].get("exit_code")]
        panes = [event["data"] for event in world.events("pane.exited")]
        told = Counter(one[0][0] for one in got)
        assert told == dict.fromkeys(("run", "shell", "pane"), len(lines)), f"{ends} {panes}"
        return got

    got = until(recorded, 30)
    for way in ("run", "shell"):
        seen = [one for one in got if one[0][0] == way]
        pairs = [(data["line"], data["captures"][0]) for data in found]
        wanted_all = [[[way, line, f"-{group}", f"{line} {group}"], line, group, line] for line, group in pairs]
        assert sorted(seen, key=str) == sorted(wanted_all, key=str)
    in_panes = sorted(one[0][1] for one in got if one[0][0] == "pane")
    assert in_panes == sorted(line.encode()[:1024].decode("utf-8", "ignore") for line in lines)
    typed = Path(world.root, "typed").read_bytes().decode()
    assert typed.count("\r") == len([line for line in lines if len(line) < 1024]) and not any(
        ord(char) < 32 and char != "\r" for char in typed
    )
    assert not list(Path(world.root).rglob("owned")) and not Path("owned").exists()


@pytest.mark.parametrize(
    "argument", ["--run", "--run -- ", "--action {", "--action []", "--rate 5 --run -- true", "--dry-run"]
)
def test_mistakes_are_told_in_one_line(guest: Guest, argument: str) -> None:
    done = guest.ctmux("subscribe", "pattern", "x", *argument.split(), code=2)
    assert len(done.stderr.strip().splitlines()) <= 4


def test_what_is_typed_into_one_pane_comes_in_its_order(guest: Guest) -> None:
    file = Path(guest.root, f"typed-{time.monotonic_ns()}")
    sink = guest.open_pane(f"stty -echo; cat > {file}")
    out = Printer(guest)
    words = [f"{letter}{'-' * 200}" for letter in "abcdefgh"]
    armed = subscribe(guest, "pattern", "GO", "--to", sink, *(word for text in words for word in ("--send", text)))
    for number in range(3):
        out("GO\n")
        until(lambda number=number: len([1 for kind, _ in of(guest, armed) if kind in ENDS]) == 8 * (number + 1))  # type: ignore[misc]
    until(lambda: file.read_text().split("\n") == [*words * 3, ""])


def test_what_cannot_work_is_refused_when_it_is_armed(guest: Guest) -> None:
    done = guest.ctmux("subscribe", "pattern", "x", "--secret-file", "/nowhere", "--webhook", "http://localhost/", code=2)
    assert "/nowhere" in done.stderr and len(done.stderr.splitlines()) == 1
    empty = Path(guest.root, "empty")
    empty.touch()
    done = guest.ctmux("subscribe", "pattern", "x", "--secret-file", str(empty), "--webhook", "http://localhost/", code=2)
    assert "it is empty" in done.stderr
    done = guest.ctmux("subscribe", "pattern", "x", "--arm", '{"kind": "exit", "session": "nosuch"}', code=4)
    assert "nosuch" in done.stderr
    assert "so many groups" in guest.ctmux("subscribe", "pattern", "(x)", "--run", "--", "echo", "{9}", code=2).stderr
    for words in (("ls",), ("ls", "-l")):
        assert "write it last" in guest.ctmux("subscribe", "pattern", "x", "--run", *words, code=2).stderr


def test_a_webhook_says_itself_why_it_was_late(guest: Guest) -> None:
    out = Printer(guest)
    bounds = ("--action-timeout", "2", "--tries", "20")
    armed = subscribe(guest, "pattern", "go", *bounds, "--webhook", "http://127.0.0.1:1/")
    out("go\n")
    data = finished(guest, armed)
    assert "refused" in data["output"] and data["exit_code"] == 124 and "reason" not in data


def test_times(guest: Guest) -> None:
    """An action begins within a moment of its event."""
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "go", "--run", "--", "date", "+%s.%N")
    began = time.time()
    out("go\n")
    assert 0 <= float(finished(guest, armed)["output"]) - began < 5
