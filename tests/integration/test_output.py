"""The output plane on real tmux: from the first byte to the last, with one offset line, whatever happens to the pane."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from ctmux import Chunk, Client
from guest import Guest
from harness import CTMUX, World, until
from printer import Printer, subscribe


def content(world: World, pane: str) -> bytes:
    """All that is in the pane's spools: tmux 3.8 makes a respawned pane a second one."""
    return b"".join(Path(found.path).read_bytes() for found in world.spools(pane))


def new_pane(world: World, *command: str) -> str:
    return world.tmux("new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", *command)


NUMBERS = b"".join(b"%d\r\n" % number for number in range(1, 5001))


def test_short_lived_panes_of_plain_tmux(daemon: World) -> None:
    """20 in a row. What tmux read is in the spool from the first byte on, each whole line has its event, the exit comes
    after them. tmux itself drops the end of a dying pane's output now and then, so a spool may be a beginning: see
    docs/architecture.md, *What tmux does not give*; `bench/shortlived.py` measures how often, with and without ctmux."""
    daemon.ctmux("subscribe", "pattern", r"^\d+$")
    panes = [new_pane(daemon, "seq 1 5000; exit 3") for _ in range(20)]
    until(lambda: len(daemon.events("pane.exited")) == 20, 90)
    events = daemon.events()
    whole = 0
    for pane in panes:
        printed = content(daemon, pane)
        assert NUMBERS.startswith(printed)
        whole += printed == NUMBERS
        (exited,) = [e for e in events if e["kind"] == "pane.exited" and e["pane"] == pane]
        matched = [e for e in events if e["kind"] == "pattern.matched" and e["pane"] == pane]
        assert [e["data"]["line"].encode() for e in matched] == printed.split()
        assert all(e["n"] < exited["n"] for e in matched)
        assert exited["data"]["exit_status"] in (3, None) and exited["data"]["signal"] is None
        assert exited["data"]["end"] == len(printed)
    assert whole >= 14


def test_the_status_of_panes_that_live_20_ms(guest: Guest) -> None:
    wanted = {new_pane(guest, f"sleep 0.02; exit {code}"): code for code in range(20)}
    killed = new_pane(guest, "sleep 0.02; kill -TERM $$")
    until(lambda: len(guest.events("pane.exited")) == 21, 60)
    told = {e["pane"]: e["data"] for e in guest.events("pane.exited")}
    known = {pane: code for pane, code in wanted.items() if told[pane]["exit_status"] is not None}
    assert {pane: told[pane]["exit_status"] for pane in known} == known  # never a wrong one
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)  # then tmux starts the pipe, by which we know the pane, too late
    assert len(wanted) - len(known) <= (3 if busy else 0)
    assert told[killed]["signal"] in (15, None if busy else 15) and told[killed]["exit_status"] is None


def test_panes_from_before_have_a_history_and_are_watched_from_now_on(world: World) -> None:
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    world.tmux("new-session", "-d", "-s", "old", "-x", "80", "-y", "24", "cat")
    world.tmux("send-keys", "-t", "old", "before", "Enter")
    until(lambda: world.tmux("capture-pane", "-p", "-t", "old").count("before") == 2)
    world.start()
    world.tmux("send-keys", "-t", "old", "after", "Enter")
    until(lambda: b"after\r\nafter" in content(world, "%0"))
    assert b"before" not in content(world, "%0")
    tail = world.popen("pane", "tail", "old", "-n", "50")
    assert tail.stdout is not None
    assert [tail.stdout.readline() for _ in range(4)] == ["[%0] before\n"] * 2 + ["[%0] after\n"] * 2
    followed = world.popen("pane", "tail", "old", "-n", "50", "--json")
    assert followed.stdout is not None
    before, after = (json.loads(followed.stdout.readline()) for _ in range(2))
    assert (before["data"].split(), before["offset"], before["time"]) == (["before"] * 2, None, None)
    assert (after["data"].split(), after["offset"]) == (["after"] * 2, 0)
    assert {**before, **dict.fromkeys(("offset", "time", "data"))} == {**after, **dict.fromkeys(("offset", "time", "data"))}
    world.tmux("send-keys", "-t", "old", "C-d")
    assert tail.communicate(timeout=20)[0] == ""
    followed.communicate(timeout=20)


def test_a_pane_keeps_its_offsets_when_it_moves(guest: Guest, client: Client) -> None:
    guest.tmux("new-session", "-d", "-s", "other")
    pane = new_pane(guest, "for i in $(seq 1 3000); do echo line $i; sleep 0.001; done")
    server = until(lambda: [p["server"] for p in client.panes() if p["pane"] == pane])[0]
    got = []
    moves = iter([("move-window", "-s", pane, "-t", "other:"), ("join-pane", "-s", pane, "-t", "main:0"),
                  ("break-pane", "-d", "-s", pane, "-t", "other:")])  # fmt: skip
    for item in client.output(server, [pane], since={}, timeout=60):
        if isinstance(item, Chunk):
            got.append(item)
            if len(got) % 60 == 0:
                move = next(moves, None)
                if move:
                    known = len(guest.events("pane.moved"))
                    guest.tmux(*move)
                    until(lambda known=known: len(guest.events("pane.moved")) > known)
    at = got[0].offset
    for chunk in got:
        assert chunk.offset == at
        at += len(chunk.data)
    printed = content(guest, pane)
    assert b"".join(chunk.data for chunk in got) == printed[got[0].offset :]
    assert printed.split(b"\r\n")[-2] == b"line 3000"
    assert len(guest.spools(pane)) == 1
    assert {chunk.session for chunk in got} == {"$0", "$1"}
    moved = [e for e in guest.events("pane.moved") if e["pane"] == pane]
    assert [(e["data"]["origin"]["session"], e["session"]) for e in moved] == [("$0", "$1"), ("$1", "$0"), ("$0", "$1")]


def test_a_pane_whose_pipe_is_taken_is_left_alone(world: World) -> None:
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    log = f"{world.root}/own.log"
    world.tmux("new-session", "-d", "-s", "mine", "cat")
    world.tmux("pipe-pane", "-t", "mine", f"exec cat >> {log}")
    world.start()
    told = world.wait_event("pane.unobserved", pane="%0")
    assert "used by another program" in told["data"]["reason"]
    assert "is not observed: its pipe is used by another program" in world.ctmux("pane", "stream", "mine", code=1).stderr
    world.tmux("send-keys", "-t", "mine", "hello", "Enter")
    until(lambda: os.path.exists(log) and "hello" in Path(log).read_text())
    world.tmux("pipe-pane", "-t", "mine")  # its owner lets go
    world.tmux("new-window", "-d", "true")
    world.wait_event("pane.observed", pane="%0")


def test_a_pipe_that_is_taken_from_us_is_said(guest: Guest) -> None:
    until(lambda: guest.spools("%0"))
    guest.tmux("pipe-pane", "-t", "main", "exec cat > /dev/null")
    guest.wait_event("pane.unobserved", pane="%0")


def test_the_last_lines_are_those_of_the_newest_stream(guest: Guest) -> None:
    """A pane that was observed anew has an earlier stream, which is kept."""
    guest.tmux("new-session", "-d", "-s", "other", "cat")
    guest.wait_event("pane.observed", pane="%1")
    guest.tmux("send-keys", "-t", "%1", "before", "Enter")
    until(lambda: content(guest, "%1").count(b"before") == 2)
    guest.tmux("pipe-pane", "-t", "%1", "exec cat > /dev/null")
    guest.wait_event("pane.unobserved", pane="%1")
    guest.tmux("pipe-pane", "-t", "%1")
    guest.tmux("new-window", "-d", "true")
    until(lambda: len(guest.spools("%1")) == 2)
    guest.tmux("send-keys", "-t", "%1", "after", "Enter")
    until(lambda: content(guest, "%1").count(b"after") == 2)
    tails = [guest.popen("pane", "tail", target, "-n", "2") for target in ("%1", "other")]
    for tail, head in zip(tails, ("", "[%1] "), strict=True):
        assert tail.stdout is not None
        assert [tail.stdout.readline() for _ in range(2)] == [f"{head}after\n"] * 2
    guest.tmux("send-keys", "-t", "%1", "C-d")
    assert [tail.communicate(timeout=20)[0] for tail in tails] == ["", ""]


def test_respawn_goes_on_in_the_same_stream(guest: Guest) -> None:
    pane = new_pane(guest, "echo first; sleep 100")
    until(lambda: guest.spools(pane) and b"first" in content(guest, pane))
    guest.tmux("respawn-pane", "-k", "-t", pane, "echo second; read go; exit 6")
    respawned = guest.wait_event("pane.respawned", pane=pane)
    guest.tmux("send-keys", "-t", pane, "Enter")
    assert respawned["data"]["previous"]["signal"] in (1, None)
    exited = guest.wait_event("pane.exited", pane=pane)
    assert exited["data"]["exit_status"] == 6
    assert content(guest, pane) == b"first\r\nsecond\r\n\r\n"


def test_remain_on_exit(guest: Guest) -> None:
    guest.tmux("set-option", "-g", "remain-on-exit", "on")
    pane = new_pane(guest, "echo dead; sleep 0.1; exit 8")
    exited = guest.wait_event("pane.exited", pane=pane, exit_status=8)
    assert exited["data"]["end"] == len(b"dead\r\n")
    assert pane in guest.tmux("list-panes", "-a", "-F", "#{pane_id}").split()
    guest.tmux("respawn-pane", "-t", pane, "echo again; sleep 0.5; exit 9")
    guest.wait_event("pane.respawned", pane=pane)
    guest.wait_event("pane.exited", pane=pane, exit_status=9)
    assert b"again" in content(guest, pane)


@pytest.mark.parametrize("name", ["a b", "ünï", "x;rm -rf", "a%b", "🦀", "n" * 200, "'\"$HOME`id`", "-f", "#{pid}"])
def test_session_names_are_never_more_than_names(guest: Guest, name: str) -> None:
    guest.tmux("new-session", "-d", "-s", name, "cat")
    created = until(lambda: [e for e in guest.events("session.created") if e["session"] == "$1"])[0]
    real = guest.tmux("display-message", "-p", "-t", "$1", "#{session_name}")
    assert created["data"]["name"] == real
    program = until(lambda: [p for p in guest.data("status")["programs"] if p["name"].endswith("-1")])[0]
    assert program["name"].isascii() and " " not in program["name"]
    stream = guest.popen("pane", "tail", "%1")
    guest.tmux("send-keys", "-t", "$1", "hello", "Enter")
    guest.tmux("send-keys", "-t", "$1", "C-d")
    out, _ = stream.communicate(timeout=20)
    assert out.split() == ["hello", "hello"]
    guest.tmux("kill-session", "-t", "$1", check=False)
    assert guest.wait_event("session.closed", session="$1")["data"]["name"] == real


def test_stream_ends_with_the_pane_and_tail_joins_without_a_seam(guest: Guest) -> None:
    pane = new_pane(guest, "for i in $(seq 1 2000); do echo row $i; sleep 0.001; done")
    until(lambda: guest.spools(pane) and content(guest, pane).count(b"\n") > 300)
    tail = guest.popen("pane", "tail", pane, "-n", "100")
    out, err = tail.communicate(timeout=60)
    rows = [int(line.split()[1]) for line in out.splitlines()]
    assert rows == list(range(rows[0], 2001)) and rows[0] > 1
    assert tail.returncode == 0 and f"{pane} exited with status 0" in err
    again = guest.ctmux("pane", "tail", pane, "-n", "3")  # after its end, from what is kept
    assert again.stdout.splitlines() == ["row 1998", "row 1999", "row 2000"]


def test_a_pane_that_has_ended_is_the_one_of_the_server_that_is_asked(guest: Guest) -> None:
    """Another server, which may be gone as well, had one with the same id."""
    guest.tmux("new-session", "-d", "-s", "main", name="u")
    until(lambda: len(guest.events("pane.observed")) == 2)
    for name in ("t", "u"):
        made = ["new-window", "-d", "-t", "main:", "-P", "-F", "#{pane_id}", f"echo on {name}; sleep 0.2"]
        assert guest.tmux(*made, name=name) == "%1"
    until(lambda: len(guest.events("pane.exited")) == 2)
    for name in ("t", "u"):
        assert guest.ctmux("-S", guest.socket(name), "pane", "tail", "%1").stdout == f"on {name}\n"
    guest.tmux("new-window", "-d", "-t", "main:", "echo alone")
    guest.wait_event("pane.exited", pane="%2")
    assert guest.ctmux("pane", "tail", "%2").stdout == "alone\n"
    assert "no pane '%2'" in guest.ctmux("-S", guest.socket("u"), "pane", "tail", "%2", code=4).stderr


def test_stream_several_filter_json_raw(guest: Guest) -> None:
    one = new_pane(guest, "printf '\\033[31mred\\033[0m\\nblue\\n'; read go")
    two = new_pane(guest, "echo green; echo grey; read go; exit 2")
    streams = {
        "plain": guest.popen("pane", "tail", one, two, "--filter", "r|l"),
        "raw": guest.popen("pane", "tail", one, "--raw"),
        "json": guest.popen("pane", "tail", two, "--json"),
    }
    for pane in (one, two):
        guest.tmux("send-keys", "-t", pane, "go", "Enter")
    outs = {name: process.communicate(timeout=30)[0] for name, process in streams.items()}
    told = {f"[{one}] red", f"[{one}] blue", f"[{two}] green", f"[{two}] grey"}
    assert set(outs["plain"].splitlines()) == told
    assert "\033[31mred\033[0m\n" in outs["raw"].replace("\r", "")
    values = [json.loads(line) for line in outs["json"].splitlines()]
    assert "green\r\n" in "".join(value["data"] for value in values[:-1])
    assert values[-1]["kind"] == "pane.exited" and values[-1]["data"]["exit_status"] == 2


def test_a_line_goes_on_behind_the_end_of_another_pane(guest: Guest) -> None:
    one, two = (new_pane(guest, f"stty -echo; printf FAI; read go; echo {word}") for word in ("NT", "LED"))
    until(lambda: all(content(guest, pane) == b"FAI" for pane in (one, two)))
    with guest.popen("pane", "tail", one, two, "--filter", "FAI.") as tail:
        assert tail.stdout is not None and tail.stderr is not None
        for pane, shown in ((one, "FAINT"), (two, "FAILED")):
            guest.tmux("send-keys", "-t", pane, "Enter")
            assert tail.stdout.readline() == f"[{pane}] {shown}\n"
            assert "exited with status 0" in tail.stderr.readline()


def test_no_control_of_eight_bits_reaches_the_terminal(guest: Guest) -> None:
    """U+009B is to some terminals what ESC [ is: `ESC [ 2 J` would empty the reader's screen."""
    out = Printer(guest)
    armed = subscribe(guest, "pattern", "red")
    out("\x9b2Jred\u0085\n")
    guest.wait_event("pattern.matched", subscription=armed)
    asked = (["explain", armed], ["test", "red", "--pane", out.pane])
    shown = [guest.ctmux("subscription", *words).stdout for words in asked]
    for more in ([], ["--json"], ["%0", "--filter", "red"]):
        with guest.popen("pane", "tail", out.pane, "-n", "1", *more) as tail:
            assert tail.stdout is not None
            shown.append(tail.stdout.readline())
            tail.terminate()
    out.end()
    for text in shown:
        assert "2Jred" in text and not any(0x80 <= ord(char) < 0xA0 for char in text), repr(text)
    assert json.loads(shown[3])["data"].startswith("\x9b2Jred\x85")  # the same value


def test_a_closed_pipe_and_ctrl_c_end_a_stream_quietly(guest: Guest) -> None:
    pane = new_pane(guest, "while :; do echo tick; sleep 0.01; done")
    until(lambda: guest.spools(pane))
    head = subprocess.run(f"{CTMUX} pane stream {pane} | head -n 2", shell=True, env=guest.env,
                          capture_output=True, text=True, timeout=30)  # fmt: skip
    assert head.stdout == "tick\ntick\n" and head.stderr == ""
    stream = guest.popen("pane", "stream", pane)
    assert stream.stdout is not None
    assert stream.stdout.readline() == "tick\n"
    stream.send_signal(2)
    _, err = stream.communicate(timeout=20)
    assert stream.returncode == 130 and err == ""


def test_a_whole_session_is_streamed_until_it_closes(guest: Guest) -> None:
    guest.tmux("new-session", "-d", "-s", "whole", "read go; echo one; read go")
    guest.wait_event("session.created", name="whole")
    guest.tmux("send-keys", "-t", "whole", "go", "Enter")
    stream = guest.popen("pane", "tail", "whole")
    assert stream.stdout is not None
    assert {stream.stdout.readline(), stream.stdout.readline()} == {"[%1] go\n", "[%1] one\n"}
    guest.tmux("split-window", "-d", "-t", "whole", "echo two; sleep 0.1")
    assert stream.stdout.readline() == "[%2] two\n"
    guest.tmux("send-keys", "-t", "whole", "go", "Enter")
    stream.communicate(timeout=30)
    assert stream.returncode == 0
