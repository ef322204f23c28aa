"""What was sent to a pane through us: the terminal echoes it where no line editor says that it reads. Pure."""

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

_REACH = 65536  # bytes behind the place where it was sent, in which its echo is looked for
_AHEAD = 16  # lines in a row that are not found: those behind them are not looked for yet, echo comes in order


class _Line(NamedTuple):
    """One sent line; its echo ends a line that reaches behind `since`."""

    since: int
    text: str
    tried: bool  # whether it is known that no line editor was reading


class Typed:
    """The sent lines of one stream whose echo has not been seen yet, oldest first."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, text: str, since: int) -> Callable[[], None]:
        """Expect the echo of a text behind the offset `since`. The result gives it up."""
        made = [_Line(since, line, False) for line in re.split(r"[\r\n]+", text) if line]
        self._lines += made

        def give_up() -> None:
            gone = {(line.since, line.text) for line in made}
            self._lines = [line for line in self._lines if (line.since, line.text) not in gone]

        return give_up

    def hide(self, raw: bytes, offset: int, whole: bool, edited: Callable[[int], bool]) -> bytes:
        """`raw`, which begins at `offset`, with NULs for each echo: no byte moves. `whole`: these lines do not come again.

        `edited(at)`: whether a line editor reads at a place of `raw`. It is hidden as such; nobody else echoes there."""
        kept = []
        begin = missed = 0
        edited = functools.cache(edited)  # all lines of a text were sent at the same place
        for line in self._lines:
            at = line.since - offset
            if at > len(raw):
                kept.append(line)
                continue
            if at < -_REACH or (not line.tried and edited(max(0, at))):
                continue
            found = _echo(line.text).search(raw, max(0, at, begin)) if missed < _AHEAD else None
            missed = 0 if found else missed + 1
            if found:
                begin = found.end()
                raw = raw[: found.start()] + bytes(found.end() - found.start()) + raw[begin:]
            if not found or not whole:
                kept.append(line._replace(tried=True))
        if whole:
            self._lines = kept
        return raw


@functools.lru_cache(4 * _AHEAD)
def _echo(line: str) -> re.Pattern[bytes]:
    """It ends its line, and does not begin in a word: a `y` that nobody echoes must not take the end of `ready`."""
    inside = rb"(?<!\w)" if re.match(r"\w", line) else b""
    return re.compile(inside + re.escape(line.encode(errors="replace")) + rb"(?=[\r\n]|\Z)")
