"""`ctmux session ...` and `ctmux pane ...` on a real tmux, with no daemon."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from harness import CTMUX, World, installed, until

pytestmark = pytest.mark.integration

NAMES = [
    "with space",
    "ünïcødé",
    "x;rm -rf",
    "semi;",
    "a%b",
    "🚀 emoji",
    "n" * 200,
    "#(touch owned)",
    "#{pid}",
    "-dash",
    "'\"`",
]
ENVELOPE = {"status", "command", "session", "pane_id", "output", "timestamp", "data"}


def tmux(world: World, *arguments: str) -> str:
    return world.tmux(*arguments, name="default")


def envelope(world: World, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The envelope of a command whose options come first."""
    answer: dict[str, Any] = json.loads(world.ctmux(*arguments, code=code).stdout)
    return answer


def screen(world: World, target: str, *more: str) -> str:
    return world.ctmux("pane", "capture", target, *more).stdout


def own(world: World, *arguments: str) -> tuple[int, str]:
    """Exit code and stderr of `ctmux` run as the command of a new session `own`, in the pane with the label `me`."""
    out = f"{world.root}/own"
    script = (
        f"tmux set-option -p -t $TMUX_PANE @ctmux_label me; {shlex.join([CTMUX, *arguments])} 2>{out}.err; "
        f"echo $? >{out}.part; mv {out}.part {out}.code; exec cat"
    )
    tmux(world, "new-session", "-d", "-s", "own", script)
    code = int(until(lambda: Path(f"{out}.code").read_text()))
    return code, Path(f"{out}.err").read_text()


def test_nothing_starts_a_server_but_session_create(world: World) -> None:
    for arguments in (
        ["session", "list"],
        ["session", "info", "x"],
        ["session", "kill", "x"],
        ["pane", "list"],
        ["pane", "create", "x"],
        ["pane", "kill", "%0"],
        ["pane", "exec", "%0", "true"],
        ["pane", "capture", "%0"],
    ):
        done = world.ctmux(*arguments, code=4)
        assert done.stderr.startswith("ctmux: no tmux server on") and done.stderr.count("\n") == 1
        assert not done.stdout
    assert not os.path.exists(world.socket("default"))


def test_create_starts_the_server_with_the_users_configuration(world: World) -> None:
    Path(f"{world.root}/.tmux.conf").write_text("set -g @mine yes\n")
    shown = envelope(world, "session", "create", "work", "--json")
    assert set(shown) == ENVELOPE
    assert (shown["status"], shown["command"], shown["session"], shown["pane_id"]) == (
        "success", "session-create", "work", "%0",
    )  # fmt: skip
    assert shown["data"]["session"] == "$0" and shown["data"]["panes"][0]["pane"] == "%0"
    assert tmux(world, "show-options", "-gv", "@mine") == "yes"
    assert "CTMUX_TMUX_SOCKET" not in tmux(world, "show-environment", "-g")

    refused = world.ctmux("session", "create", "work", code=1)
    assert "duplicate session" in refused.stderr and not refused.stdout
    assert envelope(world, "session", "create", "work", "--json", code=1)["error"]["code"] == "failed"
    assert len(world.data("session", "list")) == 1


def test_create_with_everything(world: World) -> None:
    os.makedirs(f"{world.root}/a #b;")
    made = world.data(
        "session", "create", "big", "--command", "echo $((40+2)) $PWD; exec cat", "--directory", f"{world.root}/a #b;",
        "--width", "150", "--height", "40",
    )  # fmt: skip
    assert (made["panes"][0]["width"], made["panes"][0]["height"]) == (150, 40)
    until(lambda: f"42 {world.root}/a #b;" in screen(world, "big"))
    assert "no directory" in world.ctmux("session", "create", "x", "--directory", "/nowhere", code=2).stderr


@pytest.mark.parametrize(("locale", "names"), [("C.UTF-8", NAMES), ("C", ["ünïcødé", "🚀 emoji"])])
def test_weird_names(world: World, locale: str, names: list[str]) -> None:
    world.env["LC_ALL"] = locale
    if locale == "C":
        world.command = installed  # an interpreter looks at the locale when it starts
    world.ctmux("session", "create", "plain")
    for name in names:
        made = envelope(world, "session", "create", "--json", "--command", "cat", "--", name)
        assert made["session"] == name
        assert world.ctmux("pane", "create", "--", name, "cat").stdout.startswith("%")
        assert envelope(world, "pane", "info", "--json", "--", f"{name}:0.1")["session"] == name
    assert {record["session_name"] for record in world.data("session", "list")} == {"plain", *names}
    assert not os.path.exists("owned") and not os.path.exists(f"{world.root}/owned")
    for name in names:
        world.ctmux("session", "kill", "--", name)
    assert [record["session_name"] for record in world.data("session", "list")] == ["plain"]


@pytest.mark.parametrize(("asked", "given"), [("a.b:c", "a_b_c"), ("$HOME", "\\$HOME"), ("b\\s", "b\\\\s")])
def test_names_that_tmux_writes_otherwise(world: World, asked: str, given: str) -> None:
    """Depends on its version; the name that it gave is what we say, and what a target is."""
    name = envelope(world, "session", "create", asked, "--json")["session"]
    assert name in (asked, given)
    assert world.data("pane", "info", f"{name}:0.0")["session_name"] == name
    world.ctmux("session", "kill", name)


def test_sessions(world: World) -> None:
    world.ctmux("session", "create", "one")
    world.ctmux("session", "create", "two")
    assert "one" in world.ctmux("session", "list").stdout
    assert "%1" in world.ctmux("session", "info", "$1").stdout
    for verb in ("info", "kill"):
        for target in ("tw", "t*", "=two", "$7", "two:0", ""):
            assert "ctmux session list" in world.ctmux("session", verb, target, code=4).stderr
    assert world.ctmux("session", "kill", "two").stdout == "killed: session two\n"
    assert envelope(world, "session", "kill", "one", "--json")["data"]["session"] == "$0"  # the server ends with it
    world.ctmux("session", "list", code=4)


def test_pane_create(world: World) -> None:
    world.ctmux("session", "create", "s", "--width", "200", "--height", "50")
    tmux(world, "split-window", "-d", "-t", "s", "exec cat")
    tmux(world, "resize-pane", "-Z", "-t", "s")
    argv = ["sh", "-c", 'printf "%s|" "$0" "$@"; exec cat', "a b;", ";", "$HOME", "#{pid}", "-x", "--json", "é'\""]
    made = world.ctmux("pane", "create", "s", "--label", "first", "--directory", "/", "--", *argv).stdout
    assert made == "%2\n"
    until(lambda: "a b;|;|$HOME|#{pid}|-x|--json|é'\"|" in screen(world, "first"))
    record = world.data("pane", "info", "first")
    assert (record["label"], record["active"], os.readlink(f"/proc/{record['pid']}/cwd")) == ("first", False, "/")
    assert tmux(world, "display-message", "-p", "-t", "s", "#{window_zoomed_flag} #{pane_id}") == "1 %0"

    tmux(world, "resize-pane", "-Z", "-t", "s")
    world.ctmux("pane", "create", "s", "--horizontal", "echo $((40+2)); exec cat")  # one word: a shell's
    until(lambda: "42" in screen(world, "%3"))
    panes = {record["pane"]: record for record in world.data("pane", "list", "s")}
    assert panes["%3"]["width"] < panes["%2"]["width"]
    world.ctmux("pane", "create", "s", "--layout", "even-horizontal", "--", "cat")
    assert len({record["height"] for record in world.data("pane", "list", "s")}) == 1
    for _ in range(5):
        world.ctmux("pane", "create", "s", "--layout", "tiled", "--", "cat")

    world.ctmux("pane", "create", "s", "--layout", "diagonal", code=2)
    world.ctmux("pane", "create", "nobody", code=4)
    assert "taken by %2" in world.ctmux("pane", "create", "s", "--label", "first", code=1).stderr
    count = len(world.data("pane", "list"))
    tmux(world, "resize-window", "-t", "s", "-x", "10", "-y", "3")
    assert "tmux split-window: " in world.ctmux("pane", "create", "s", code=1).stderr
    assert len(world.data("pane", "list")) == count


def test_pane_list_and_info(world: World) -> None:
    world.ctmux("session", "create", "one", "--command", "exec sleep 1000")
    tmux(world, "new-window", "-d", "-t", "one:5", "-n", "w: %1 p", "exec cat")
    tmux(world, "new-session", "-d", "-s", "two", "exec cat")
    tmux(world, "link-window", "-s", "one:5", "-t", "two:9")
    shown = envelope(world, "pane", "list", "--json")
    assert [(record["session_name"], record["pane"]) for record in shown["data"]] == [
        ("one", "%0"), ("one", "%1"), ("two", "%2"), ("two", "%1"),
    ]  # fmt: skip
    assert [record["pane"] for record in world.data("pane", "list", "two")] == ["%2", "%1"]
    assert set(shown["data"][0]) == {
        "pane", "session", "session_name", "window", "window_index", "window_name", "pane_index", "label", "pid",
        "command", "width", "height", "dead", "active", "mode",
    }  # fmt: skip
    until(lambda: world.data("pane", "info", "one:0")["command"] == "sleep")
    for target in ("one:w: %1 p", "one:5.0", "two:9", "two:@1.%1", "%1"):
        assert world.data("pane", "info", target)["pane"] == "%1"
    head = world.ctmux("pane", "list").stdout.splitlines()[0].split()
    assert head == ["PANE", "SESSION", "WINDOW", "LABEL", "PID", "COMMAND", "SIZE", "DEAD"]
    assert "w: %1 p" in world.ctmux("pane", "info", "%1").stdout


def test_programs_cannot_forge_records(world: World) -> None:
    folder = f"{world.root}/x\ns $9 1 1 1 fake\nw @9 0 1 f\np %9 0 01 1 1 0 1 0 fake"
    os.makedirs(folder)
    forged = r"exec -a 'x" + "\np %8 0 01 1 1 0 1 0 fake' cat"
    named = r"printf '\033]2;t\np %%7 0 01 1 1 0 1 0\007\033kn\np %%6\033\\'"
    script = f"cd {shlex.quote(folder)}; {named}; echo ready; {forged}"
    world.ctmux("session", "create", "s", "--command", shlex.join(["bash", "-c", script]))
    until(lambda: "ready" in screen(world, "s"))
    tmux(world, "set-option", "-p", "-t", "s", "@ctmux_label", "l\np %5 0 01 1 1 0 1 0 fake")
    (record,) = world.data("pane", "list")
    assert (record["pane"], record["label"]) == ("%0", "l?p %5 0 01 1 1 0 1 0 fake")


def test_pane_targets_are_exact(world: World) -> None:
    world.ctmux("session", "create", "work")
    world.ctmux("session", "create", "solo", "--command", "exec cat")
    world.ctmux("pane", "create", "work", "--label", "tests", "--", "cat")
    tmux(world, "set-option", "-p", "-t", "%0", "@ctmux_label", "solo")  # by hand: ctmux refuses it
    tmux(world, "set-option", "-p", "-t", "work:0.1", "@ctmux_label", "twin")
    tmux(world, "set-option", "-p", "-t", "solo", "@ctmux_label", "twin")
    for target, reason in (
        ("work", "has 2 panes: %0 (work:0.0 solo), %2 (work:0.1 twin)"),
        ("solo", "ambiguous: session %1 (solo:0.0 twin); label %0"),
        ("twin", "ambiguous"),
        ("wor", "no pane 'wor'"),
        ("%9", "no pane '%9'"),
        ("work:0.5", "no pane"),
        (":", "no pane"),
        ("", "no pane"),
    ):
        done = world.ctmux("pane", "info", target, code=4)
        assert reason in done.stderr and done.stderr.count("\n") == 1 and not done.stdout
    for verb, *more in (["kill"], ["capture"], ["label"], ["label", "x"], ["exec", "true"], ["send-keys", "true"]):
        world.ctmux("pane", verb, "work", *more, code=4)
        world.ctmux("pane", verb, "sol", *more, code=4)
    failed = envelope(world, "pane", "info", "work", "--json", code=4)
    assert set(failed) == ENVELOPE - {"data"} | {"error"}
    assert (failed["status"], failed["error"]["code"]) == ("error", "no_target")
    assert "true" not in screen(world, "%0") + screen(world, "%1") + screen(world, "%2")
    assert len(world.data("pane", "list")) == 3


def test_pane_kill(world: World) -> None:
    world.ctmux("session", "create", "s")
    world.ctmux("pane", "create", "s", "--label", "extra", "--", "cat")
    assert world.ctmux("pane", "kill", "extra").stdout == "killed: pane %1\n"
    world.ctmux("pane", "kill", "extra", code=4)
    shown = envelope(world, "pane", "kill", "s", "--json")
    assert "the last pane of session s" in shown["output"]
    assert (shown["session"], shown["pane_id"], shown["data"]["sessions_ended"]) == ("s", "%0", ["s"])
    world.ctmux("pane", "list", code=4)


def test_exec_types_what_it_is_given(world: World) -> None:
    world.ctmux("session", "create", "s", "--command", "exec cat")
    for text in ("Enter C-c", "ls;", ";", "x\\;", "-la", "#(touch owned) $HOME 'q'", "ünï 🚀"):
        shown = envelope(world, "pane", "exec", "--json", "s", text)
        assert (shown["command"], shown["pane_id"], shown["data"]["pane"]) == ("pane-exec", "%0", "%0")
        until(lambda text=text: screen(world, "s").splitlines()[-2:] == [text, text])  # the echo, and what cat has read
    world.ctmux("pane", "exec", "s", "git", "push", "--force", "-h")  # options behind the target are the command's own
    until(lambda: screen(world, "s").splitlines()[-1] == "git push --force -h")
    world.ctmux("pane", "exec", "s", "--", "two", "words")
    until(lambda: screen(world, "s").splitlines()[-1] == "two words")
    world.ctmux("pane", "exec", "s", code=2)
    told = world.ctmux("pane", "exec", "s", "--json", "--", "echo", "a b", code=2).stderr
    assert told == "ctmux: options of ctmux go before the target: ctmux pane exec --json s -- echo 'a b'\n"
    world.ctmux("pane", "exec", "s", "--", "--json", "--", "x")
    until(lambda: screen(world, "s").splitlines()[-1] == "--json -- x")


def test_exec_of_a_long_command(world: World) -> None:
    """Longer than one message to the tmux server."""
    out = f"{world.root}/typed"
    world.ctmux("session", "create", "s", "--command", f"stty raw -echo; echo ready; exec cat >{out}")
    until(lambda: "ready" in screen(world, "s"))
    text = "".join(f"🚀{n};" for n in range(4000))
    world.ctmux("pane", "exec", "s", text)
    until(lambda: Path(out).read_bytes() == f"{text}\r".encode())


def test_keys_are_keys(world: World) -> None:
    world.ctmux("session", "create", "s", "--command", "trap 'echo INTERRUPTED' INT; echo ready; cat; exec cat")
    until(lambda: "ready" in screen(world, "s"))
    world.ctmux("pane", "send-keys", "s", "C-c")
    until(lambda: "INTERRUPTED" in screen(world, "s"))
    world.ctmux("pane", "send-keys", "s", "Enter C-c", "Enter")
    until(lambda: screen(world, "s").splitlines()[-2:] == ["Enter C-c", "Enter C-c"])
    world.ctmux("pane", "send-keys", "s", "--literal", "--", "-x;", "C-c", "Enter")
    until(lambda: screen(world, "s").splitlines()[-1] == "-x;C-cEnter")


def test_typing_reaches_a_program_or_fails(world: World) -> None:
    world.ctmux("session", "create", "s", "--command", "exec cat")
    tmux(world, "copy-mode", "-t", "s")
    assert world.data("pane", "info", "s")["mode"]
    assert "copy mode" in world.ctmux("pane", "exec", "s", "hello", code=5).stderr
    world.ctmux("pane", "exec", "--force", "s", "hello")
    until(lambda: screen(world, "s").splitlines() == ["hello", "hello"])
    tmux(world, "set-option", "-g", "remain-on-exit", "on")
    world.ctmux("pane", "create", "s", "--label", "gone", "--", "sh", "-c", "exit 3")
    until(lambda: world.data("pane", "info", "gone")["dead"])
    assert "has ended" in world.ctmux("pane", "exec", "gone", "x", code=1).stderr
    assert "dead" in world.ctmux("pane", "list").stdout
    world.ctmux("pane", "capture", "gone")


def test_capture(world: World) -> None:
    script = r"seq 1 100; printf 'bad \377\376 utf\n\033[31mred\033[0m ☃\n'; exec cat"
    world.ctmux("session", "create", "s", "--command", script)
    until(lambda: "☃" in screen(world, "s"))
    visible = screen(world, "s").splitlines()
    assert len(visible) == 23 and visible[0] == "80" and visible[-1] == "red ☃"
    assert screen(world, "s", "-n", "3").splitlines()[0] == "100"
    assert screen(world, "s", "-n", "60").splitlines()[0] == "43"
    assert screen(world, "s", "--all").splitlines()[:2] == ["1", "2"]
    assert "\x1b[31mred" in screen(world, "s", "--escapes", "-n", "1")
    shown = envelope(world, "pane", "capture", "s", "-n", "2", "--json")
    assert shown["data"]["lines"][1] == "red ☃" and shown["output"].endswith("red ☃")
    world.ctmux("pane", "capture", "s", "-n", "2", "--all", code=2)
    world.ctmux("pane", "capture", "s", "-n", "0", code=2)


def test_labels(world: World) -> None:
    world.ctmux("session", "create", "s")
    world.ctmux("pane", "create", "s", "--", "cat")
    assert world.ctmux("pane", "label", "%1").stdout == ""
    for name in ("tests", "#(touch owned);", "ünï 🚀", "-x"):
        assert envelope(world, "pane", "label", "--json", "--", "%1", name)["data"]["label"] == name
        assert world.ctmux("pane", "label", "%1").stdout == f"{name}\n"
        assert envelope(world, "pane", "info", "--json", "--", name)["data"]["pane"] == "%1"
    world.ctmux("pane", "label", "%0", "-x", code=2)
    world.ctmux("pane", "label", "%0", "ünï 🚀")
    assert "taken by %0" in world.ctmux("pane", "label", "%1", "ünï 🚀", code=1).stderr
    assert "name of a session" in world.ctmux("pane", "label", "%1", "s", code=1).stderr
    world.ctmux("pane", "label", "%1", "%5", code=2)
    world.ctmux("pane", "label", "%1", "x", "--remove", code=2)
    assert world.data("pane", "label", "%1", "--remove")["label"] is None
    assert world.ctmux("pane", "label", "%1", "--remove").stdout == "%1 has no label\n"
    assert [record["label"] for record in world.data("pane", "list")] == ["ünï 🚀", None]


@pytest.mark.parametrize(
    "arguments",
    [
        ["pane", "kill", "me"],
        ["pane", "exec", "me", "x"],
        ["pane", "exec", "own:0.0", "x", "--force"],
        ["pane", "send-keys", "me", "C-c"],
        ["session", "kill", "own"],
    ],
)
def test_the_own_pane_is_spared(world: World, arguments: list[str]) -> None:
    code, stderr = own(world, *arguments)
    assert code == 5
    assert stderr.startswith("ctmux: not ") and "--force" in stderr and stderr.count("\n") == 1
    assert [record["session_name"] for record in world.data("session", "list")] == ["own"]


def test_the_own_pane_if_forced(world: World) -> None:
    assert own(world, "pane", "send-keys", "me", "--force", "--literal", "typed") == (0, "")
    until(lambda: "typed" in screen(world, "own"))


def test_the_own_session_is_killed_if_forced(world: World) -> None:
    world.ctmux("session", "create", "stays")
    tmux(world, "new-session", "-d", "-s", "own", f"{CTMUX} session kill own --force; exec cat")
    until(lambda: [record["session_name"] for record in world.data("session", "list")] == ["stays"])


def test_same_pane_id_on_another_server_is_not_the_own_pane(world: World) -> None:
    world.tmux("new-session", "-d", "-s", "other", "exec cat", name="elsewhere")
    code, stderr = own(world, "-L", "elsewhere", "pane", "kill", "%0")
    assert (code, stderr) == (0, "")


def test_which_server(world: World) -> None:
    world.tmux("new-session", "-d", "-s", "by-name", name="named")
    tmux(world, "new-session", "-d", "-s", "by-default")
    path = world.socket("named")

    def seen(*arguments: str) -> str:
        name: str = json.loads(world.ctmux(*arguments, "session", "list", "--json").stdout)["data"][0]["session_name"]
        return name

    assert seen() == "by-default"
    assert seen("-L", "named") == seen("-S", path) == "by-name"
    world.env["TMUX"] = f"{path},1,0"
    assert seen() == "by-name"
    world.env["CTMUX_TMUX_SOCKET"] = world.socket("default")
    assert seen() == "by-default"
    Path(world.socket("stale")).touch()
    told = world.ctmux("-L", "stale", "pane", "list", code=4).stderr
    assert "no tmux server" in told and "start one: ctmux -L stale session create NAME" in told
    assert f"ctmux -S {world.root}/x session create" in world.ctmux("-S", f"{world.root}/x", "pane", "list", code=4).stderr
    nowhere = world.ctmux("-S", f"{world.root}/no/where", "session", "create", "x", code=1)
    assert nowhere.stderr.startswith("ctmux: tmux ") and nowhere.stderr.count("\n") == 1


def test_no_tmux_at_all(world: World) -> None:
    world.env["PATH"] = f"{world.root}/nothing"
    for arguments in (["session", "create", "x"], ["pane", "list"]):
        assert "tmux is not installed" in world.ctmux(*arguments, code=1).stderr
