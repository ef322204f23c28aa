"""What of a terminal's output is output: not the alternate screen, not a shell's prompt and what is typed there. Pure.

Full-screen programs (vim, less) draw on the alternate screen: that is no line of text. A shell says where it reads a
command by OSC 133 (A prompt, B input, C output, D end), a line editor by bracketed paste, which is on while it reads.
Sources: xterm's ctlseqs, "Private modes"; freedesktop's proposal "Semantic prompts"; what bash 5.2, zsh 5.9, fish 3.6 and
Python 3.13 print.
"""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from ...shared import spool, terminal

# DECSET and DECRST alone or among others; OSC 133; RIS. Possessive, or one long sequence would take quadratic time.
_MARK = re.compile(rb"\x1b(?:\[\?([\d;]*+)([hl])|\]133;([A-Z])(?:;[^\x07\x1b\r\n]*+)?(?:\x07|\x1b\\)|c)")
_LONGEST = 4200  # bytes of a switch that two readings part
_ZLE = re.compile(rb"(?:\x1b\[[\d;]*+m\x0f?){3}\x1b\[J")  # zsh prints its prompt before it turns bracketed paste on
_ALTERNATE = {b"47", b"1047", b"1049"}
# The marks with one of these: most programs switch many other modes, and it is looked for in all that is kept.
_SWITCH = re.compile(rb"\x1b\[\?(?=[\d;]*?(?<!\d)(?:47|104[79])(?!\d))[\d;]*+([hl])")
_PASTE, _CURSOR = b"2004", b"25"
# Who asks for these while bracketed paste is on is no line editor; who asks for focus events before it may be fish.
_OF_PROGRAMS = {b"1004", b"2026"}
_DRAWN = 4096  # bytes printed with the cursor hidden, while bracketed paste is on: a line editor shows it after each key
# Line ends until a prompt is given up that no C, D or end of bracketed paste ends: some have an A in it, and no more.
_ZONES = {b"A": 4, b"N": 4, b"B": 1, b"C": 0, b"D": 0}
REACH = 1 << 18  # bytes: nobody stands at a prompt for longer
_ALL_BUT_LINE_ENDS = bytes(code for code in range(256) if code not in b"\r\n")


_STOP = b"\x1b\\"  # in the place of a mark: that ended a sequence before it which had no end of its own


class State(NamedTuple):
    """Where a stream stands. `zone`: line ends that a prompt may still have; `paste`: bracketed paste is on, and `program`:
    by one that is no line editor; `hidden`: bytes printed since the cursor is hidden, -1 while it is shown."""

    alternate: bool = False
    zone: int = 0
    paste: bool = False
    program: bool = False
    hidden: int = -1

    @property
    def echo(self) -> bool:
        """Whether what is printed here is a prompt, or typed."""
        return self.zone > 0 or (self.paste and not self.program)


def parts(raw: bytes, state: State) -> tuple[bytes, bytes, State]:
    """Whole lines without echo and alternate screen; without the alternate screen only; the state behind them.

    Every line end is kept, so that lines have the same numbers in all three."""
    plain = not (state.alternate or state.zone or state.paste)
    modes = b"?" in raw and terminal.has(raw, b"\x1b[?")
    if plain and not modes and not (terminal.may_end_osc(raw) and terminal.has(raw, b"\x1b]133;")):
        return raw, raw, state
    shown: list[bytes] = []
    echoed: list[bytes] = []
    begin = 0
    for mark in _MARK.finditer(raw):
        after = _step(state, mark[1], mark[2], mark[3])
        counting = state.zone or (state.paste and state.hidden >= 0)
        if not counting and (after == state or (not state.paste and after[:4] == state[:4])):
            state = after  # none of ours, or only the cursor
            continue
        end = mark.start()
        prompt = _prompt(raw, begin, end) if after.paste and not state.paste and not state.alternate else end
        state = _take(raw[begin:prompt], state, shown, echoed)
        if prompt < end:
            echoed.append(raw[prompt:end])
        state, begin = _step(state, mark[1], mark[2], mark[3]), mark.end()
        shown.append(_STOP)
        echoed.append(_STOP)
    if not begin and plain:
        return raw, raw, state
    state = _take(raw[begin:], state, shown, echoed)
    with_echo = b"".join(echoed)
    text = b"".join(shown)
    return (with_echo if text == with_echo else text), with_echo, state


@functools.lru_cache(1024)  # three times as quick: a stream has few
def _step(state: State, modes: bytes | None, switch: bytes | None, letter: bytes | None) -> State:
    """The state behind a mark."""
    if modes is None and letter is None:  # RIS; tmux stays on the alternate screen
        return state._replace(paste=False, program=False, hidden=-1)
    if modes is None:
        zone = _ZONES.get(letter or b"", state.zone)
        return state._replace(zone=zone, paste=state.paste and letter != b"C")
    on = switch == b"h"
    for mode in modes.split(b";"):
        if mode in _ALTERNATE:
            state = state._replace(alternate=on)
        elif mode == _PASTE:
            state = state._replace(paste=on, program=False, hidden=min(state.hidden, 0), zone=state.zone if on else 0)
        elif mode == _CURSOR:
            state = state._replace(hidden=-1 if on else max(state.hidden, 0))
        elif mode in _OF_PROGRAMS and on and state.paste:
            state = state._replace(program=True)
    return state


def _take(piece: bytes, state: State, shown: list[bytes], echoed: list[bytes]) -> State:
    """Put a piece without marks where it belongs; the state behind it."""
    if state.alternate:
        ends = piece.translate(None, _ALL_BUT_LINE_ENDS)
        shown.append(ends)
        echoed.append(ends)
        return state
    echoed.append(piece)
    length, state = _echo(piece, state)
    if length:
        shown.append(piece[:length].translate(None, _ALL_BUT_LINE_ENDS))
    shown.append(piece[length:])
    return state


def _echo(piece: bytes, state: State) -> tuple[int, State]:
    """How many bytes of a piece without marks are echo."""
    if state.paste:
        length = len(piece) if state.echo else 0
        if state.hidden >= 0 and not state.program:
            left = _DRAWN - state.hidden
            if len(piece) > left:
                return (length if state.zone else left), state._replace(program=True)
            state = state._replace(hidden=state.hidden + len(piece))
        return length, state
    end = 0
    while state.zone:
        end = piece.find(b"\n", end) + 1
        if not end:
            return len(piece), state
        state = state._replace(zone=state.zone - 1)
    return end, state


def _prompt(raw: bytes, begin: int, end: int) -> int:
    """Where zsh's prompt begins in the line at whose `end` bracketed paste is turned on; `end` if it is not zsh."""
    line = max(begin, raw.rfind(b"\r", begin, end) + 1, raw.rfind(b"\n", begin, end) + 1)
    found = _ZLE.search(raw, line, end)
    return found.start() if found else end


FIRST = State(zone=1)  # of a stream that begins in a line: what comes up to its end, or a mark, may be typed
Read = Callable[[int, int], spool.Range]  # `spool.read` of a path


def at(read: Read, offset: int, first: State = State(), known: tuple[int, bool] = (0, False)) -> State:  # noqa: B008
    """The state at `offset` of a stream; the alternate screen is as its last switch before that says. `first`: the state at
    the beginning of the stream; `known`: a place before, and whether the alternate screen is on there."""
    start = max(0, offset - REACH)
    found = read(start, REACH)
    state = parts(found.data[: max(0, offset - found.offset)], first if found.offset == 0 else State())[2]
    return state._replace(alternate=_alternate(read, offset, *known))


def _alternate(read: Read, offset: int, begin: int, before: bool) -> bool:
    end = offset
    while end > begin:
        start = max(begin, end - REACH)
        found = read(start, end - start + _LONGEST)
        switches = _SWITCH.findall(found.data[: max(0, offset - found.offset)])
        if switches:
            return bool(switches[-1] == b"h")
        if found.offset > start:  # no more is kept
            return False
        end = start
    return before
