"""The echo of what was sent: once for each line, where no line editor reads, and no byte of a stream moves."""

import pytest
from ctmux.services.matcher.typed import Typed, _echo
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
    """However many are still to come, only the next few are looked for."""
    lines = [f"line {number} {'x' * 20}" for number in range(4000)]
    typed, asked = sent("\n".join(lines), 7), []
    _echo.cache_clear()
    for _block in range(9):
        assert typed.hide(b"other\r\n" * 999, 0, True, lambda at: bool(asked.append(at)))
    assert _echo.cache_info().misses < 99 and asked == [7]
    at = 7
    for number in range(0, 4000, 100):
        raw = "".join(f"{line}\r\n" for line in lines[number : number + 100]).encode()
        assert hide(typed, raw, at) == b"\r\n" * 100
        at += len(raw) // 100
    assert not typed


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
