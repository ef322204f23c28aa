"""What is put into tmux: every directory comes out of all the quoting as it went in."""

import os
import re
import subprocess

import pytest
from ctmux.services.keeper import hooks
from ctmux.shared.tmux import ServerInfo
from hypothesis import given
from hypothesis import strategies as st

WEIRD = [
    "plain", "two words", " ", "a'b", 'a"b', "$HOME", "`id`", "$(id)", "a;b", "a&b", "a|b", "a>b", "*", "?", "[a]", "~",
    "a\\b", "\\", "#{pane_id}", "#S", "##", "%H", "%%", "%", "{}", "é", "日本", "-n", "a#b%c$d", "#(id)", "'\"'", "!x",
]  # fmt: skip
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=20)


def tmux_word(text):
    """The one word that tmux's parser makes of a text in double quotes. Source: cmd-parse.y, yylex_token()."""
    assert text[0] == text[-1] == '"'
    word, at = "", 1
    while at < len(text) - 1:
        assert text[at] not in '"$', f"special at {at} in {text}"
        if text[at] == "\\":
            at += 1
            assert text[at] in '\\"$', f"an escape at {at} in {text}"
        word += text[at]
        at += 1
    assert at == len(text) - 1
    return word


def expanded(text, formats):
    """What format_expand_time() makes of a text whose only formats are `formats`."""
    for name, value in formats.items():
        text = text.replace(name, value)
    assert not re.search(r"(?<!#)(##)*#[{(\w]", text), f"a format is left in {text}"
    return text.replace("%%", "%").replace("##", "#")


@given(TEXT)
def test_a_quoted_text_is_one_word(text):
    assert tmux_word(hooks.quote(text)) == text
    assert tmux_word(tmux_word(hooks.quote(hooks.quote(text)))) == text


@given(TEXT)
def test_an_escaped_text_is_no_format(text):
    assert expanded(hooks.escape_format(text), {}) == text


@pytest.mark.parametrize("name", WEIRD)
@pytest.mark.parametrize("exists", [False, True])
def test_a_pane_is_spooled_into_any_directory(tmp_path, name, exists):
    """The shell command as tmux would run it: after its parser, its formats and its clock, by a real sh."""
    directory = tmp_path / name
    directory.mkdir()
    if exists:
        (directory / "s1").mkdir()
    birth = hooks.birth_command(str(directory), "k")
    pipe = birth.removeprefix('if-shell -F "#{pane_pipe}" {} { ').removesuffix(" }")
    assert pipe.startswith("pipe-pane -O ")
    command = tmux_word(pipe.removeprefix("pipe-pane -O "))
    formats = {"#{s/\\$//:session_id}": "1", "#{s/%%//:pane_id}": "2", "#{pane_pid}": "300", "#{s/@//:window_id}": "4"}
    command = expanded(command, formats)
    for text in (b"one\n", b"two\n"):
        done = subprocess.run(["/bin/sh", "-c", command], input=text, cwd=tmp_path, capture_output=True)
        assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"")
    spool = directory / "s1" / "p2.300.w4.k.raw"
    assert spool.read_bytes() == b"one\ntwo\n"
    assert spool.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == [name]


def test_an_adopted_pane_is_spooled_by_plain_ids(tmp_path):
    command = expanded(hooks.pipe_command(str(tmp_path), "s1", "p2.300.w4.k"), {})
    subprocess.run(["/bin/sh", "-c", command], input=b"x", check=True)
    assert (tmp_path / "s1" / "p2.300.w4.k.raw").read_bytes() == b"x"


VERSIONS = [
    ("3.2", False),
    ("3.3a", False),
    ("3.7c", False),
    ("3.8", True),
    ("next-3.9", True),
    ("4", True),
    ("master", True),
]


def server(version):
    return ServerInfo("/s", 1, 2, version)


@pytest.mark.parametrize(("version", "respawn"), VERSIONS)
def test_only_our_slot_is_touched(version, respawn):
    for arguments in (hooks.install(server(version), "/d", "k", "channel"), hooks.uninstall(server(version))):
        commands = " ".join(arguments).split(" ; ")
        assert len(commands) == len(hooks.BIRTHS) + len(hooks.CHANGES) + respawn
        assert all(re.match(rf"set-hook -gu? [a-z-]+\[{hooks.SLOT}\]", command) for command in commands)


@pytest.mark.parametrize("version", [version for version, _respawn in VERSIONS])
def test_what_is_installed_is_uninstalled(version):
    def names(arguments):
        return [argument for argument in arguments if argument.endswith(f"[{hooks.SLOT}]")]

    assert names(hooks.install(server(version), "/d", "k", "channel")) == names(hooks.uninstall(server(version)))[::-1]


@pytest.mark.parametrize("commands", [[["a"]], [["a", "b"], ["c"], ["d", "e"]]])
def test_joined(commands):
    assert " ".join(hooks.joined(commands)).split(" ; ") == [" ".join(command) for command in commands]
