"""What was sent to a pane through us: the terminal echoes it where no line editor says that it reads. Pure."""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

_REACH = 65536  # bytes behind the place where it was sent, in which its echo is looked for
_AHEAD = 16  # lines in a row that are not found: those behind them are not looked for yet, echo comes in order
_LINE_MOST = 4096  # bytes: no terminal takes a longer one, or echoes it whole
_LINES_MOST = 10_000
_SHORT = 64  # bytes of a line that a regular expression looks for: of a long one it might try each byte at each place
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class _Line(NamedTuple):
    """One sent line; its echo ends a line that reaches behind `since`."""

    since: int
    text: bytes
    word: bool  # whether it begins with a letter: a `y` that nobody echoes must not take the end of `ready`


class Typed:
    """The sent lines of one stream whose echo has not been seen yet, oldest first."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._tried = -1  # the last place of which it is known that no line editor was reading there

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, text: str, since: int) -> Callable[[], None]:
        """Expect the echo of a text behind the offset `since`. The result gives it up."""
        lines = [(line, line.encode(errors="replace")) for line in re.split(r"[\r\n]+", text) if line]
        made = [_Line(since, raw, bool(re.match(r"\w", line))) for line, raw in lines if len(raw) <= _LINE_MOST]
        self._lines += made[: max(0, _LINES_MOST - len(self._lines))]

        def give_up() -> None:
            gone = {(line.since, line.text) for line in made}
            self._lines = [line for line in self._lines if (line.since, line.text) not in gone]

        return give_up

    def hide(self, raw: bytes, offset: int, whole: bool, edited: Callable[[int], bool]) -> bytes:
        """`raw`, which begins at `offset`, with NULs for each echo: no byte moves. `whole`: these lines do not come again.

        `edited(at)`: whether a line editor reads at a place of `raw`. It is hidden as such; nobody else echoes there."""
        hidden = bytearray(raw + b"\n")  # its end ends a line, too
        kept: list[_Line] = []
        begin = missed = 0
        tried, edited = self._tried, functools.cache(edited)  # all lines of a text were sent at the same place
        for number, line in enumerate(self._lines):
            at = line.since - offset
            if at > len(raw) or missed == _AHEAD:
                kept += self._lines[number:]  # they were sent later
                break
            if at < -_REACH or (line.since > tried and edited(max(0, at))):
                continue
            tried = line.since
            found = _echo(hidden, line, max(0, at, begin))
            missed = missed + 1 if found < 0 else 0
            if found >= 0:
                begin = found + len(line.text)
                hidden[found:begin] = bytes(len(line.text))
            if found < 0 or not whole:
                kept.append(line)
        if whole:
            self._lines, self._tried = kept, tried
        return bytes(hidden[:-1])


def _echo(raw: bytearray, line: _Line, begin: int) -> int:
    """Where the echo of a line is, at the end of one of `raw`, or -1."""
    first = raw.find(line.text, begin)
    if first < 0:  # as a rule, and 20 times as quick as a regular expression that looks back
        return -1
    if len(line.text) <= _SHORT:
        short = _pattern(line.text, line.word).search(raw, first)
        return short.start() if short else -1
    found = []
    for end in (b"\r", b"\n"):
        at = raw.find(line.text + end, first)
        while line.word and at > 0 and raw[at - 1] in _WORD:
            at = raw.find(line.text + end, at + 1)
        found.append(at)
    return min((at for at in found if at >= 0), default=-1)


@functools.lru_cache(4 * _AHEAD)
def _pattern(text: bytes, word: bool) -> re.Pattern[bytes]:
    return re.compile((rb"(?<!\w)" if word else b"") + re.escape(text) + rb"[\r\n]")
