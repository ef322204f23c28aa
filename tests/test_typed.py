"""The echo of what was sent: once for each line, where no line editor reads, and no byte of a stream moves."""

import re
import time

import pytest
from ctmux.services.matcher.typed import Typed
from hypothesis import given
from hypothesis import strategies as st


def hide(typed, raw, offset=0, whole=True, edited=False):
    hidden = typed.hide(raw, offset, whole, lambda _at: edited)
    assert len(hidden) == len(raw)
    return hidden.replace(b"\0", b"")


def sent(text, since=0):
    typed = Typed()
    typed.add(text, since)
    return typed


def test_the_echo_of_a_line_once():
    typed = sent("echo foo", 2)
    assert hide(typed, b"$ echo foo\r\nfoo\r\necho foo\r\n") == b"$ \r\nfoo\r\necho foo\r\n"
    assert not typed


def test_what_was_there_before_stays():
    typed = sent("foo", 7)
    assert hide(typed, b"$ foo\r\n") == b"$ foo\r\n"
    assert hide(typed, b"$ foo\r\nfoo\r\n", 7) == b"$ \r\nfoo\r\n"


def test_a_text_of_many_lines():
    lines = [f"line {number} {'x' * 20}" for number in range(4000)]
    typed, asked = sent("\n".join(lines), 7), []
    for _block in range(9):
        assert typed.hide(b"other\r\n" * 999, 0, True, lambda at: bool(asked.append(at)))
    assert asked == [7]
    at = 7
    for number in range(0, 4000, 100):
        raw = "".join(f"{line}\r\n" for line in lines[number : number + 100]).encode()
        assert hide(typed, raw, at, edited=True) == b"\r\n" * 100  # where they were sent no line editor was reading
        at += len(raw) // 100
    assert not typed


COSTLY = [
    ("x\n" * 32_768, b"other line\r\n", 500),
    ("\n".join(f"{n}{'x' * 4000}" for n in range(200)), b"other line\r\n" * 9, 500),
    ("\n".join(["a-" * 2000 + "x"] * 16), b"a-" * 32_768, 9),
    ("\n".join(["a" * 4000] * 16), b"a" * 65_536, 9),
    ("y\n" * 16, b"ay\r" * 20_000, 9),
    ("y\n" * 16, b"ay\n" * 20_000, 9),
    ("a" * 60_000, b"a" * 65_536, 500),
]


@pytest.mark.parametrize(("text", "raw", "blocks"), COSTLY)
def test_no_text_and_no_output_make_it_slow(text, raw, blocks):
    """Each of them took a tenth of a second or more for each block of the pane."""
    typed, begun = sent(text), time.process_time()
    for _block in range(blocks):
        assert typed.hide(raw, 0, False, lambda _at: False) == raw
    assert time.process_time() - begun < 1.0


def test_a_line_that_no_terminal_takes_whole_is_not_expected():
    assert not sent("x" * 4097) and sent("x" * 4096) and not sent("é" * 4000)


def slowly(raw, line, begin):
    """Where an echo is, by the definition."""
    inside = rb"(?<!\w)" if re.match(r"\w", line) else b""
    found = re.compile(inside + re.escape(line.encode()) + rb"(?=[\r\n]|\Z)").search(raw, begin)
    return raw if not found else raw[: found.start()] + bytes(len(found[0])) + raw[found.end() :]


@given(
    st.text("ab é-.", min_size=1, max_size=4),
    st.sampled_from([1, 50]),
    st.text("ab é-.\r\n", max_size=40),
    st.integers(0, 9),
)
def test_it_is_what_ends_a_line_and_does_not_begin_in_a_word(line, times, printed, since):
    """Of short lines and of long ones."""
    raw, line = printed.replace(line, line * times).encode(), line * times
    typed = sent(line, min(since, len(raw)))
    assert typed.hide(raw, 0, True, lambda _at: False) == slowly(raw, line, min(since, len(raw)))


def test_two_lines_of_one_text():
    assert hide(sent("foo\nbar\r\n"), b"$ foo\r\nbar\r\nfoo\r\nbar\r\n") == b"$ \r\n\r\nfoo\r\nbar\r\n"
    typed = sent("foo")
    typed.add("foo", 0)
    assert hide(typed, b"foo\r\nfoo\r\nfoo\r\n") == b"\r\n\r\nfoo\r\n"


def test_an_unfinished_line_comes_again():
    typed = sent("foo", 2)
    assert hide(typed, b"$ foo", whole=False) == b"$ "
    assert hide(typed, b"$ foo\r\n") == b"$ \r\n"
    assert not typed


def test_a_line_editor_echoes_itself():
    typed = sent("foo", 2)
    assert hide(typed, b"$ foo\r\n", edited=True) == b"$ foo\r\n"
    assert not typed


@pytest.mark.parametrize("raw", [b"ready\r\n", b"y or n\r\n", b"yes\r\n", b"n\r\n"])
def test_what_only_looks_like_it_stays(raw):
    assert hide(sent("y"), raw) == raw


def test_it_is_given_up():
    typed = sent("foo")
    assert hide(typed, b"foo\r\n", 65537) == b"foo\r\n"
    assert not typed
    give_up = typed.add("foo", 0)
    typed.add("bar", 0)
    give_up()
    assert hide(typed, b"foo\r\nbar\r\n") == b"foo\r\n\r\n"


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 30))
def test_any_text(text, printed, since):
    hide(sent(text, since), printed.encode())
