"""What a policy allows, and which file is one."""

import json
import os

import pytest
from ctmux.shared import policy
from ctmux.shared.errors import Refused, UsageError
from ctmux.shared.policy import Policy
from ctmux.shared.specs import read


@pytest.fixture
def write(tmp_path):
    def write(content: str, mode: int = 0o600) -> str:
        path = tmp_path / "policy.toml"
        path.write_text(content)
        path.chmod(mode)
        return str(path)

    return write


def toml(given):
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())


def test_an_empty_file_is_the_defaults(write):
    assert policy.load(write("")) == Policy()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("action = true", "actions"),
        ("actions = 1", "true or false"),
        ("commands = 'x'", "a list"),
        ("hosts = [1]", "a list"),
        ("hosts = ['127.0.0.1:8971']", "without port"),
        ("[x", "policy.toml"),
    ],
)
def test_an_error_names_file_and_key(write, content, named):
    with pytest.raises(UsageError, match=r"policy\.toml") as raised:
        policy.load(write(content))
    assert named in str(raised.value)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_change_allows_nothing(write, mode):
    with pytest.raises(Refused, match="chmod go-w"):
        policy.load(write("", mode))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_allows_nothing(write):
    path = write("")
    os.chown(path, 12345, -1)
    with pytest.raises(Refused, match="belongs to user 12345"):
        policy.load(path)


def test_a_file_that_is_named_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("CTMUX_POLICY", str(tmp_path / "none.toml"))
    with pytest.raises(Refused, match="no such policy file"):
        policy.load()


REFUSED = [
    ({"actions": False}, {"do": "kill"}, "no actions"),
    ({"shell": False}, {"do": "shell", "text": "x"}, "no shell"),
    ({"commands": ["git"]}, {"do": "shell", "text": "ls"}, "no shell, which needs shell = true"),
    ({"commands": ["git"]}, {"do": "run", "argv": ["/bin/ls"]}, "does not allow to run"),
    ({"commands": ["/usr/bin/*"]}, {"do": "run", "argv": ["/usr/bin/../../tmp/x"]}, "does not allow to run"),
    ({"commands": ["ls"]}, {"do": "run", "argv": ["ls"], "env": {"LD_PRELOAD": "/tmp/x.so"}}, "to set LD_PRELOAD"),
    ({"env": ["MY_*"]}, {"do": "shell", "text": "x", "env": {"MY_X": "1", "PATH": "/tmp"}}, "to set PATH"),
    ({"commands": []}, {"do": "pane", "argv": ["ls"]}, "does not allow to run"),
    ({"hosts": ["*.example"]}, {"do": "webhook", "url": "http://evil.test/x.example"}, "no webhook to evil.test"),
    ({"type_into": []}, {"do": "send", "text": "x"}, "act on no pane"),
    ({"type_into": []}, {"do": "kill"}, "act on no pane"),
    ({}, {"do": "send", "text": "{line}"}, "type_data = true"),
    ({}, {"do": "kill", "rate": []}, "unlimited = true"),
    (
        {"shell": False},
        {"do": "arm", "subscription": {"kind": "idle", "actions": [{"do": "shell", "text": "x"}]}},
        "no shell",
    ),
]
ALLOWED = [
    ({"commands": ["ls"]}, {"do": "run", "argv": ["ls", "-l"]}),
    ({"commands": ["ls"], "env": ["MY_*"]}, {"do": "run", "argv": ["ls"], "env": {"MY_X": "1"}}),
    ({}, {"do": "run", "argv": ["ls"], "env": {"X": "1"}}),
    ({"commands": ["ls"], "shell": True}, {"do": "shell", "text": "x"}),
    ({"commands": ["/*/ls"]}, {"do": "run", "argv": ["ls"]}),
    ({"hosts": ["::1"]}, {"do": "webhook", "url": "http://[::1]:80/"}),
    ({"hosts": ["*.example"]}, {"do": "webhook", "url": "https://Hooks.Example:8443/x"}),
    ({"type_data": True}, {"do": "send", "text": "{line}"}),
    ({"unlimited": True}, {"do": "kill", "rate": []}),
    ({}, {"do": "shell", "text": "x"}),
]


@pytest.mark.parametrize(("given", "action", "words"), REFUSED)
def test_what_is_not_allowed_is_refused(write, given, action, words):
    with pytest.raises(Refused, match=words):
        policy.check(policy.load(write(toml(given))), read(action))


@pytest.mark.parametrize(("given", "action"), ALLOWED)
def test_what_is_allowed_is(write, given, action):
    policy.check(policy.load(write(toml(given))), read(action))


def test_panes_are_known_by_any_of_their_names():
    given = Policy(type_into=["build", "%3", "l*"])
    for pane, names in (("%1", ["$0", "build"]), ("%3", []), ("%1", ["$0", "main", "label"])):
        policy.check_pane(given, pane, names)
    with pytest.raises(Refused, match="act on %1;"):
        policy.check_pane(given, "%1", ["$0", "main"])
