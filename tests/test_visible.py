"""What is output and what is a shell's prompt, in bytes that real shells print, whatever the boundaries of the pieces."""

import re
import time

import pytest
from ctmux.services.matcher.cuts import unfinished
from ctmux.services.matcher.visible import State, at, parts
from ctmux.shared import spool, terminal
from hypothesis import given
from hypothesis import strategies as st

ON, OFF = b"\x1b[?2004h", b"\x1b[?2004l"
ZLE = b"\r\x1b[0m\x1b[27m\x1b[24m\x1b[J"
A, B, C, D = (b"\x1b]133;%s\x07" % letter for letter in (b"A", b"B", b"C", b"D;0"))


def seen(raw, state=State()):  # noqa: B008 (a constant)
    """The text that is output, without empty lines."""
    shown, _with_echo, _state = parts(raw, state)
    return [line for line in terminal.clean(shown).decode().split("\n") if line.strip()]


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        # bash 5.2; the second command ends without a line end, then Up, Ctrl-C
        (ON + b"root@vm:~# echo foo\r\n" + OFF + b"\rfoo\r\n" + ON + b"root@vm:~# printf abc\r\n" + OFF + b"\rabc"
         + ON + b"root@vm:~# printf abc^C" + OFF + b"\r" + ON + OFF + b"\r\r\n" + ON + b"root@vm:~# ", ["foo", "abc"]),
        # zsh 5.9
        (ZLE + b"~ # \x1b[K\x1b[?1h\x1b=" + ON + b"e\x08echo foo\x1b[?1l\x1b>" + OFF + b"\r\r\nfoo\r\n"
         + ZLE + b"~ # \x1b[K\x1b[?1h\x1b=" + ON, ["foo"]),
        # fish 3.6: focus events are asked for before the prompt, and not any more behind it
        (b"Welcome\r\n" + ON + b"root@vm ~# \x1b[K\r\x1b[24Cecho \r\x1b[29Cfoo\r\x1b[34C\r\n" + OFF + b"\x1b[?1004l\rfoo"
         + b"\r\n\x1b[?1004h" + ON + b"root@vm ~# \x1b[K", ["Welcome", "foo"]),
        # Python 3.13: hides the cursor for each key
        (ON + b"\x1b[?25l\x1b[1A\n>>> \x1b[?25h" + b"\x1b[?25l>>> print(1)\x1b[?25h" * 999 + b"\n\r" + OFF + b"1\r\n",
         ["1"]),
        # dash, sh: nothing tells
        (b"$ echo foo\r\nfoo\r\n", ["$ echo foo", "foo"]),
        # a shell with marks and line editor; what PROMPT_COMMAND prints is output
        (ON + A + b"$ " + B + b"echo foo\r\n" + OFF + b"\r" + C + b"foo\r\n" + D + b"told\r\n" + ON + A + b"$ " + B
         + b"bar", ["foo", "told"]),
        # marks, but no line editor
        (A + b"$ " + B + b"echo foo\r\n" + C + b"foo\r\n" + D + A + b"$ " + B, ["foo"]),
        (A + b"two\r\nlines $ " + B + b"echo foo\r\n" + C + b"foo\r\n", ["foo"]),
        (b"\x1b]133;A;k=s;aid=1\x1b\\$ \x1b]133;B\x1b\\x\r\n\x1b]133;C;cmdline_url=x%20y\x1b\\foo\r\n", ["foo"]),
        # prompts with an A and no more, as tmux's next-prompt asks for
        (ON + A + b"$ echo foo\r\n" + OFF + b"\rfoo\r\n", ["foo"]),
        (A + b"$ echo foo\r\n1\r\n2\r\n3\r\n4\r\n5\r\n", ["4", "5"]),
        (B + b"echo foo\r\nfoo\r\n", ["foo"]),
        # a shell in a shell's output
        (C + b"in\r\n" + ON + b"$ echo foo\r\n" + OFF + b"\rfoo\r\n" + ON + b"$ exit\r\n" + OFF + b"\rexit\r\n" + D,
         ["in", "foo", "exit"]),
        # programs that are no line editors keep it on
        (ON + b"\x1b[?1004h\x1b[?25lfoo\r\nbar\r\n", ["foo", "bar"]),
        (ON + b"\x1b[?2026hfoo\x1b[?2026l\r\nbar\r\n", ["foo", "bar"]),
        (b"\x1b[?25l" + ON + b"x" * 4096 + b"foo\r\nbar\r\n", ["foo", "bar"]),
        (ON + b"\x1b[?25l" + b"x" * 4096 + b"foo\r\n" + OFF + ON + b"bar", ["foo"]),
        # the alternate screen
        (b"foo\r\n\x1b[?1049h" + ON + b"vim\r\n" + OFF + b"\x1b[?1049lbar\r\n", ["foo", "bar"]),
        (b"\x1b]133;A no end of a mark\r\nfoo\r\n", ["foo"]),
        (b"\x1b]133;P;k=i\x07foo", ["foo"]),
    ],
)  # fmt: skip
def test_what_is_output(raw, lines):
    assert seen(raw) == lines
    state, found = State(), []
    for line in re.findall(rb"[^\r\n]*[\r\n]|[^\r\n]+", raw):
        found += seen(line, state)
        state = parts(line, state)[2]
    assert found == lines


def test_echo_is_there_for_who_wants_it():
    _shown, with_echo, _state = parts(ON + b"$ foo\r\n" + OFF + b"\rbar\x1b[?1049hvim\r\n", State())
    assert terminal.clean(with_echo) == b"$ foo\n\n\nbar\n\n"


@pytest.mark.parametrize("raw", [b"foo\r\n", b"\x1b[31mfoo\r\n", b"\x1b[?25lfoo\x1b[?25h\r\n", b"\x1b[?1004hfoo"])
def test_where_nothing_is_to_hide_nothing_is_copied(raw):
    shown, with_echo, _state = parts(raw, State())
    assert shown is raw and with_echo is raw


PIECES = st.sampled_from(
    [b"foo", b"\r", b"\n", b"\r\n", ON, OFF, A, B, C, D, ZLE, b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25l", b"\x1b[?25h",
     b"\x1b[?1004h", b"\x1b[?2026h", b"\x1b", b"\x1b[?", b"x" * 2000, b"\x1b[?25;2004h",
     b"\x1b[?470h", b"\x1b[?147h", b"\x1b[?25;1049h", b"\x1b[?47;25l", b"\x1b[?1047;;;h"]
)  # fmt: skip
LINES = st.lists(st.lists(PIECES, max_size=8).map(lambda parts: b"".join(parts) + b"\n"), max_size=8)


@given(LINES, st.sets(st.integers(0, 8)))
def test_the_boundaries_of_blocks_do_not_matter(lines, ends):
    state, shown, with_echo, block = State(), b"", b"", b""
    for number, line in enumerate(lines):
        block += line
        if number in ends or number == len(lines) - 1:
            more, more_echo, state = parts(block, state)
            shown, with_echo, block = shown + more, with_echo + more_echo, b""
    expected = parts(b"".join(lines), State())
    assert (terminal.clean(shown), terminal.clean(with_echo), state) == (
        terminal.clean(expected[0]), terminal.clean(expected[1]), expected[2],
    )  # fmt: skip


@given(LINES)
def test_every_line_end_stays(lines):
    raw = b"".join(lines)
    for text in parts(raw, State())[:2]:
        assert re.findall(rb"[\r\n]", text) == re.findall(rb"[\r\n]", raw)


@given(LINES)
def test_the_state_is_json(lines):
    state = parts(b"".join(lines), State())[2]
    assert State(*list(state)) == state


@given(LINES)
def test_where_a_matcher_begins_in_the_middle(lines):
    raw = b"".join(lines)

    def read(offset, limit):
        return spool.Range(offset, raw[offset : offset + limit], 0, len(raw))

    assert at(read, len(raw)) == parts(raw, State())[2]


@pytest.mark.parametrize("mark", [ON, A, b"\x1b]133;C;cmdline_url=" + b"a" * 4000 + b"\x1b\\", b"\x1b]133;D\x1b\\"])
def test_a_mark_that_is_cut(mark):
    for length in range(1, len(mark)):
        begun = unfinished(b"foo\x1b[m" + mark[:length])
        for before in (State(), State(paste=True), State(zone=1)):
            shown, with_echo, after = parts(begun + mark[length:], before)
            assert (terminal.clean(shown), terminal.clean(with_echo), after) == (b"", b"", parts(mark, before)[2]), length
    assert unfinished(b"foo" + mark) == unfinished(b"foo") == b""


@pytest.mark.parametrize(
    "piece", [b"\x1b]133;A", b"\x1b]133;", b"\x1b[?", b"\x1b[?2004", b"\x1b[?" + b"470;" * 9, ZLE[1:], ZLE[1:] + ON]
)
def test_hostile_lines_take_no_time(piece):
    for end in (b"", ON, b"\x1b"):
        parts(piece * 100_000 + end, State())
        unfinished(piece * 100_000)
    raw = b"\x1b[?" + piece[3:] * 100_000
    assert not at(lambda offset, limit: spool.Range(offset, raw[offset : offset + limit], 0, len(raw)), len(raw)).alternate


def test_other_modes_are_passed_over_quickly_where_a_matcher_begins():
    """Each was looked at for itself, in all that is kept; meanwhile nobody was answered."""
    raw = b"\x1b[?1049h" + b"\x1b[?25l\x1b[?25h" * 600_000

    def took(action):
        began = time.thread_time()
        assert action()
        return time.thread_time() - began

    def found():
        return at(lambda offset, limit: spool.Range(offset, raw[offset : offset + limit], 0, len(raw)), len(raw)).alternate

    assert any(took(found) < 2.5 * took(lambda: re.findall(rb"\x1b\[\?25([hl])", raw)) for _ in range(4))


def test_a_mark_ends_a_sequence_that_has_no_end():
    """Found by fuzzing: a title without an end took the text behind the mark with it."""
    shown, _with_echo, _state = parts(b"a\x1b]0;title\x1b[?2004h typed\x1b[?2004l\tb\n", State())
    assert terminal.clean(shown) == b"a\tb\n"


def test_a_reset_ends_bracketed_paste_as_it_does_in_tmux():
    """Of an editor that was killed, in a shell that has none. The alternate screen stays, in tmux 3.3a to 3.8, too."""
    raw = ON + b">>> foo\r\nkilled\r\n\x1bcfoo\r\n"
    assert seen(raw) == ["foo"]
    assert parts(b"\x1b[?1049h\x1bc", State())[2] == State(alternate=True)
    for place in range(len(raw)):
        before = parts(raw[:place], State())[2]
        assert parts(unfinished(raw[:place]) + raw[place:], before)[2] == State(), place
