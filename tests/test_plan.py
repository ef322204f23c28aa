"""An action and its event become exactly one argv, as data."""

import json
import sys
from typing import Any

import pytest
from ctmux.services.runner import plan
from ctmux.shared.errors import CtmuxError, Refused
from ctmux.shared.messages import Event
from ctmux.shared.policy import Policy
from ctmux.shared.specs import read

DATA = {"line": "a\n;'$(x)\x1b[2J", "captures": ["b;"]}
EVENT = Event(7, "2026-01-01T00:00:00.000000Z", "pattern.matched", "srv", "$0", None, "%1", "s1", DATA, {}, "p", 7, "", [])
CAUSE = plan.Cause(EVENT, "7.s1.0", 1, 0, "name", "/run/tmux")
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/h", "SECRET": "s", "LC_ALL": "C", "TMUX": "x", "CTMUX_DEPTH": "9"}
TMUX = ["tmux", "-N", "-u", "-S", "/run/tmux"]


def make(given: dict[str, Any], policy: Policy | None = None, **more: Any) -> plan.Plan:
    return plan.make(read(given), CAUSE, ENVIRON, policy or Policy(), **more)


def test_a_program_has_its_argv_and_what_is_allowed():
    made = make({"do": "run", "argv": ["/bin/echo", "-{line}", "{1}{2}"], "cwd": "/x", "env": {"A": "b"}})
    assert made.argv == ["/bin/echo", f"-{DATA['line']}", "b;"]
    assert (made.cwd, json.loads(made.stdin)) == ("/x", EVENT._asdict())
    assert {name: made.env.get(name) for name in ("PATH", "LC_ALL", "SECRET", "TMUX", "A", "CTMUX_DEPTH")} == {
        "PATH": "/usr/bin:/bin", "LC_ALL": "C", "SECRET": None, "TMUX": None, "A": "b", "CTMUX_DEPTH": "1",
    }  # fmt: skip
    assert make({"do": "shell", "text": "x; y"}).argv == ["/bin/sh", "-c", "x; y"]


def test_what_was_cut_is_not_typed():
    cut = CAUSE._replace(event=EVENT._replace(data={**DATA, "truncated": True}))
    with pytest.raises(Refused, match="not typed"):
        plan.make(read({"do": "send", "text": "{line}"}), cut, ENVIRON, Policy())
    assert plan.make(read({"do": "send", "text": "y"}), cut, ENVIRON, Policy()).typed == "y\n"


def test_what_is_typed_is_one_word_and_data_in_it_is_no_key():
    made = make({"do": "send", "text": "say {line};"})
    assert made.argv == [
        *TMUX,
        "send-keys",
        "-t",
        "%1",
        "-l",
        "--",
        "say a␊;'$(x)␛[2J\\;",
        ";",
        "send-keys",
        "-t",
        "%1",
        "Enter",
    ]
    assert made.typed == "say a␊;'$(x)␛[2J;\n"
    assert make({"do": "keys", "argv": ["C-c", ";"], "to": "%9"}).argv == [
        *TMUX,
        "send-keys",
        "-t",
        "%9",
        "--",
        "C-c",
        "\\;",
    ]


def test_panes_and_signals():
    assert make({"do": "kill"}).argv == [*TMUX, "kill-pane", "-t", "%1"]
    assert make({"do": "signal", "signal": "INT"}, group=42).argv == ["kill", "-s", "INT", "--", "-42"]
    one = make({"do": "pane", "argv": ["/bin/cat"], "cwd": "/a #(x)"}).argv
    assert one[-5:] == ["--", "nice", "-n", "0", "/bin/cat"] and one[one.index("-c") + 1] == "/a ##(x)"
    assert make({"do": "pane", "argv": ["/bin/cat", "{1}"]}).argv[-3:] == ["--", "/bin/cat", "b\\;"]


def test_a_webhook_is_a_job_on_stdin():
    given = {"do": "webhook", "url": "https://h/x", "headers": {"A": "b"}, "secret_file": "/s", "timeout": 5.0, "tries": 2}
    made = make(given, Policy(hosts=["h"]))
    assert made.argv == [sys.executable, "-P", "-m", "ctmux.services.runner.webhook"]
    job = json.loads(made.stdin)
    assert job.pop("event") == EVENT._asdict()
    assert job == {
        "url": "https://h/x", "headers": {"A": "b"}, "secret_file": "/s", "timeout": 5.0, "tries": 2, "hosts": ["h"],
    }  # fmt: skip
    assert json.loads(make(given).stdin)["hosts"] is None


def test_a_notification_is_no_format_of_tmux():
    made = make({"do": "notify", "text": "#(x) %H #[fg=red] {1}"}, clients=("/dev/pts/1", "/dev/pts/2"))
    words = "ctmux name: ##(x) %%H # [fg=red] b\\;"
    shown = [["display-message", "-c", name, "-d", "5000", "--", words] for name in ("/dev/pts/1", "/dev/pts/2")]
    assert made.argv == [*TMUX, *shown[0], ";", *shown[1]]


def test_what_cannot_be_done_is_said():
    for given, cause, words in (
        ({"do": "kill"}, CAUSE._replace(event=EVENT._replace(pane=None)), "is of no pane"),
        ({"do": "kill"}, CAUSE._replace(socket=None), "is not known"),
        ({"do": "run", "argv": ["/no/such"]}, CAUSE, "no program '/no/such'"),
        ({"do": "publish", "name": "x"}, CAUSE, "starts no process"),
    ):
        with pytest.raises(CtmuxError, match=words) as raised:
            plan.make(read(given), cause, ENVIRON, Policy())
        assert not isinstance(raised.value, Refused)  # it is allowed, and does not work


def test_what_a_program_in_a_new_pane_has_is_not_what_finds_tmux():
    made = make({"do": "pane", "argv": ["/bin/ls"], "env": {"PATH": "/evil"}})
    assert made.env["PATH"] == ENVIRON["PATH"] and "PATH=/evil" in made.argv


def test_a_webhook_has_the_proxies():
    proxies = {"https_proxy": "http://p:1", "NO_PROXY": "x", "SSL_CERT_FILE": "/c"}
    hook = {"do": "webhook", "url": "https://h.example/x"}
    made = plan.make(read(hook), CAUSE, {**ENVIRON, **proxies}, Policy())
    assert made.env.items() >= proxies.items() and "SECRET" not in made.env
    assert not make({"do": "shell", "text": "x"}).env.keys() & proxies.keys()
