"""The command line as a whole: help, completion, one envelope, named exit codes; results on stdout, the rest on stderr."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from ctmux.cli.main import app
from harness import CTMUX, World, installed, until
from typer.testing import CliRunner

pytestmark = pytest.mark.any_tmux

TREE = {
    "daemon start", "daemon stop", "daemon restart", "daemon status", "daemon logs", "status", "health", "endpoints",
    "events", "events verify",
    "session create", "session list", "session info", "session kill",
    "pane create", "pane list", "pane info", "pane kill", "pane exec", "pane capture", "pane send-keys", "pane label",
    "pane stream", "pane tail", "pane record",
    "subscribe pattern", "subscribe timeout", "subscription list", "subscription show", "subscription remove",
}  # fmt: skip


def commands(group: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(words, command) of every leaf of the tree."""
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*names, name))
        if not hasattr(found, "commands") or found.invoke_without_command:
            yield " ".join((*names, name)), found


LEAVES = dict(commands(typer.main.get_command(app)))
CODES = {"failed": 1, "usage": 2, "no_daemon": 3, "no_target": 4, "refused": 5, "deadline": 124}
ENVELOPE = {"status", "command", "session", "pane_id", "output", "timestamp"}


def test_the_tree_has_every_command() -> None:
    assert LEAVES.keys() >= TREE


@pytest.mark.parametrize("words", sorted(LEAVES))
def test_help_has_an_example_and_every_command_speaks_json(words: str) -> None:
    leaf = LEAVES[words]
    assert "--json" in {name for parameter in leaf.params for name in parameter.opts}
    assert leaf.help and leaf.help[0].isupper() and leaf.help.rstrip().endswith((".", "?"))
    assert leaf.epilog.startswith(f"Example: ctmux {words}"), leaf.epilog
    for parameter in leaf.params:
        assert getattr(parameter, "help", None) or parameter.param_type_name == "argument", parameter.name
    usage = CliRunner().invoke(app, [*words.split(), "--help"]).stdout.splitlines()[0]
    assert usage.startswith("Usage: ") and "...}" not in usage and "[[" not in usage  # typer itself puts those around


@pytest.mark.parametrize("words", sorted(LEAVES))
def test_the_envelope_has_the_words_of_the_command(words: str, world: World) -> None:
    """Where neither tmux nor a directory for sockets can be had, so that each command fails, or needs nothing."""
    arguments = [parameter for parameter in LEAVES[words].params if parameter.param_type_name == "argument"]
    needed = ["bash" if words == "shell-init" else "1" for argument in arguments if argument.required]
    env = {**world.env, "CTMUX_RUNTIME_DIR": f"/tmp/{'x' * 120}", "PATH": "", "CTMUX_TMUX_SOCKET": world.socket()}
    options = {"subscription test": ["--check"], "subscribe not-then": ["--within", "1"], "events": ["--follow"],
               "subscribe sequence": ["--within", "1"], "subscribe threshold": ["--within", "1"]}  # fmt: skip
    told = world.command((*words.split(), *options.get(words, []), "--json", *needed), env, 60)
    assert told.stdout.count("\n") == 1, told
    assert json.loads(told.stdout)["command"] == words.replace(" ", "-")


def test_help_as_it_is_shown(world: World) -> None:
    world.command = installed
    root = world.ctmux("--help")
    assert "Exit codes: 0 done" in root.stdout and root.stderr == ""
    for name in ("daemon", "session", "pane", "subscribe", "subscription", "events", "endpoints", "status"):
        assert re.search(rf"^\s*{name}\s", root.stdout, re.MULTILINE)
    shown = world.ctmux("pane", "tail", "-h").stdout
    assert "Example: ctmux pane tail" in shown and "--json" in shown
    assert world.ctmux("--version").stdout.startswith("ctmux ")


@pytest.mark.parametrize("group", ["", "daemon", "session", "pane", "subscription", "action", "events"])
def test_summaries_fit_into_80_columns(group: str) -> None:
    told = CliRunner().invoke(app, [*group.split(), "--help"], env={"COLUMNS": "80"})
    _, _, summaries = told.stdout.partition("Commands:\n")
    assert summaries and not re.search(r"\.\.\.$", summaries, re.MULTILINE), summaries


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(world: World, shell: str) -> None:
    env = {**world.env, "_CTMUX_COMPLETE": f"source_{shell}"}
    script = subprocess.run([CTMUX], env=env, capture_output=True, text=True, timeout=30)
    assert script.returncode == 0 and "_CTMUX_COMPLETE" in script.stdout and script.stderr == ""
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=script.stdout, text=True, timeout=30).returncode == 0
        asked = {**world.env, "_CTMUX_COMPLETE": "complete_bash", "COMP_WORDS": "ctmux subs", "COMP_CWORD": "1"}
        told = subprocess.run([CTMUX], env=asked, capture_output=True, text=True, timeout=30)
        assert told.stdout.split() == ["subscribe", "subscription"]


def success(world: World, *arguments: str) -> dict[str, Any]:
    """The envelope of a success."""
    done = world.ctmux(*arguments, *(() if "--json" in arguments else ("--json",)))
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer.keys() == ENVELOPE | {"data"} and answer["status"] == "success"
    assert answer["command"] and isinstance(answer["output"], str)
    assert answer["timestamp"].endswith("Z") and datetime.fromisoformat(answer["timestamp"]).tzinfo
    return answer


def failure(world: World, code: str, *arguments: str) -> str:
    """The message of an error, the same on one line of stderr and in the envelope."""
    plain = world.ctmux(*arguments, code=CODES[code])
    assert plain.stdout == ""
    assert plain.stderr.startswith("ctmux: ") and plain.stderr.count("\n") == 1 and plain.stderr.endswith("\n")
    done = world.ctmux(*arguments, "--json", code=CODES[code])
    assert done.stdout.count("\n") == 1 and done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer.keys() == ENVELOPE | {"error"} and answer["status"] == "error"
    assert answer["error"].keys() == {"code", "message"} and answer["error"]["code"] == code
    assert answer["output"] == answer["error"]["message"]
    return plain.stderr.removeprefix("ctmux: ").rstrip("\n")


def test_every_answer_is_an_envelope(daemon: World) -> None:
    assert success(daemon, "status")["data"]["instance"] == "default"
    assert success(daemon, "daemon", "status")["command"] == "daemon-status"
    assert "actions 0 running, 0 waiting (0 subscriptions set off actions)" in success(daemon, "status")["output"]
    assert success(daemon, "endpoints")["data"]["journal"] == daemon.paths.journal
    assert success(daemon, "daemon", "logs", "keeper")["data"]["logs"].keys() == {"keeper"}
    made = success(daemon, "session", "create", "made")
    assert (made["command"], made["session"], made["pane_id"]) == ("session-create", "made", "%1")
    assert {each["session_name"] for each in success(daemon, "session", "list")["data"]} == {"main", "made"}
    assert success(daemon, "session", "info", "made")["session"] == "made"
    pane = success(daemon, "pane", "create", "made", "--label", "cat", "cat")
    assert (pane["session"], pane["pane_id"], pane["data"]["label"]) == ("made", "%2", "cat")
    assert success(daemon, "pane", "exec", "--json", "cat", "hello")["pane_id"] == "%2"
    until(lambda: daemon.ctmux("pane", "capture", "cat").stdout == "hello\nhello\n")
    assert success(daemon, "pane", "capture", "cat")["output"] == "hello\nhello"
    assert success(daemon, "pane", "send-keys", "cat", "C-c")["command"] == "pane-send-keys"
    assert len(success(daemon, "pane", "list", "made")["data"]) in (1, 2)
    made_id = success(daemon, "subscribe", "pattern", "x", "--pane", "%1")
    assert (made_id["command"], made_id["pane_id"], made_id["output"]) == ("subscribe-pattern", "%1", "s1")
    assert success(daemon, "subscription", "list")["data"][0]["id"] == "s1"
    assert success(daemon, "subscription", "remove", "s1")["command"] == "subscription-remove"
    assert success(daemon, "session", "kill", "made")["session"] == "made"


def test_every_exit_code_has_its_case(world: World) -> None:
    world.env["CTMUX_TMUX_SOCKET"] = world.socket()
    assert "no daemon" in failure(world, "no_daemon", "status") or "no ctmux daemon" in failure(
        world, "no_daemon", "status"
    )
    for command in (["subscribe", "pattern", "x"], ["daemon", "stop"]):
        failure(world, "no_daemon", *command)
    failure(world, "failed", "daemon", "logs")
    failure(world, "no_target", "pane", "info", "%7")
    world.tmux("new-session", "-d", "-s", "main", "exec cat")
    world.start()
    assert "nobody" in failure(world, "no_target", "session", "info", "nobody")
    assert "nobody" in failure(world, "no_target", "pane", "capture", "nobody")
    assert "s99" in failure(world, "no_target", "subscription", "show", "s99")
    failure(world, "usage", "subscribe", "pattern", "(")
    failure(world, "usage", "daemon", "logs", "nobody")
    assert "already running" in failure(world, "refused", "daemon", "start")
    late = world.ctmux("events", "--follow", "--timeout", "0.2", code=124)
    assert late.stdout == "" and late.stderr.startswith("ctmux: ") and late.stderr.count("\n") == 1
    for command in (["events", "--follow", "--since", "1"], ["pane", "tail", "main"]):
        world.tmux("send-keys", "-t", "main", "hello", "Enter")
        running = world.popen(*command)
        assert running.stdout is not None and running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
        assert (running.returncode, err) == (130, "")


def test_a_word_that_is_not_understood(world: World) -> None:
    """Usage errors of the parser itself: exit code 2, nothing on stdout but the envelope where JSON is wanted."""
    for arguments in (["nonsense"], ["pane", "nonsense"], ["pane", "list", "--nonsense"], ["pane", "info"],
                      ["events", "-n", "x"], ["events", "-n", "0"]):  # fmt: skip
        done = world.ctmux(*arguments, code=2)
        assert done.stdout == "" and done.stderr
    for words, named, text in ((["events", "--nonsense"], "events", "--nonsense"), (["nonsense"], "ctmux", "nonsense"),
                               (["pane", "info"], "pane-info", "TARGET"), (["pane", "nonsense"], "pane", "nonsense"),
                               (["pane", "create", "x", "--layout", "foo"], "pane-create", "--layout")):  # fmt: skip
        done = world.ctmux(*words, "--json", code=2)
        answer = json.loads(done.stdout)
        assert done.stderr == "" and done.stdout.count("\n") == 1 and answer.keys() == ENVELOPE | {"error"}
        assert (answer["command"], answer["error"]["code"]) == (named, "usage")
        assert text in answer["error"]["message"]
    assert world.ctmux("pane", "info", "--", "--json", "x", code=2).stdout == ""


def test_a_configuration_with_a_mistake_is_named(world: World) -> None:
    config = f"{world.root}/config.toml"
    Path(config).write_text("[logger]\nkeep_bytes = -5\n")
    world.env["CTMUX_CONFIG"] = config
    told = world.ctmux("daemon", "start", code=2, timeout=90)
    assert config in told.stderr and "keep_bytes" in told.stderr and told.stderr.count("\n") == 1
    assert told.stdout == ""
    world.ctmux("status", code=3)  # and nothing runs


def test_an_instance_by_name_beside_a_directory_is_refused(world: World) -> None:
    said = world.ctmux("-i", "other", "status", code=2).stderr
    assert "CTMUX_RUNTIME_DIR is set" in said and said.count("\n") == 1


def test_output_that_cannot_be_written_is_one_line(world: World) -> None:
    with open("/dev/full", "w") as full:
        command = [CTMUX, "session", "list", "--json"]
        done = subprocess.run(command, env=world.env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "ctmux: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("exported", [True, False])
def test_the_instance_of_one_command_is_not_that_of_all_that_follows(world: World, exported: bool) -> None:
    """Every pane of a tmux server that it starts would have it."""
    del world.env["CTMUX_RUNTIME_DIR"]
    if exported:
        world.env["CTMUX_INSTANCE"] = "other"
    world.ctmux(*(() if exported else ("-i", "other")), "-L", "t", "session", "create", "x")
    kept = [line for line in world.tmux("show-environment", "-g").splitlines() if line.startswith("CTMUX_INSTANCE")]
    assert kept == (["CTMUX_INSTANCE=other"] if exported else [])


def test_a_directory_that_is_none_is_one_line(world: World) -> None:
    file = f"{world.root}/file"
    Path(file).touch()
    world.env["CTMUX_RUNTIME_DIR"] = f"{file}/x"
    assert world.ctmux("status", code=3).stderr.startswith("ctmux: no ctmux daemon runs")
    assert world.ctmux("daemon", "start", code=5).stderr.startswith(f"ctmux: {file}/x cannot be made: ")


def test_what_supervisord_cannot_open_is_said(world: World) -> None:
    Path(world.paths.supervisord).mkdir(mode=0o700, parents=True)  # a directory in the place of its lock
    Path(world.paths.runtime).chmod(0o700)
    said = world.ctmux("daemon", "start", code=1).stderr
    assert said == f"ctmux: {world.paths.supervisord}: Is a directory\n"


def test_an_interrupt_while_it_loads_is_quiet(world: World) -> None:
    """Python has begun when it opens the entry point; everything else is imported then."""
    code = (
        "import sys, os, signal, importlib.abc\n"
        "class Interrupted(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'ctmux.cli.main': os.kill(os.getpid(), signal.SIGINT)\n"
        "from ctmux.cli.start import run\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=world.env, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")  # 130 for a shell
