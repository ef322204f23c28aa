"""Text of terminal output: escape sequences and control bytes taken out, line ends made one kind. Pure.

Only whole lines are cleaned, and CR or LF ends every sequence, so no state is kept between them and an unterminated
sequence (`cat /dev/urandom`) cannot swallow what follows. Source and speed: facts/matching.md, 3.1.
"""

import re
from itertools import accumulate

# CSI; OSC, DCS, SOS, PM, APC with their text; all other sequences. 8-bit C1 bytes are left: they are parts of UTF-8.
_ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]?|[\]PX^_][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)?|[ -/]*+[0-~]?)")
_CR_TO_LF = bytes.maketrans(b"\r", b"\n")
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13)) + b"\x7f"
_OVERSTRUCK = re.compile(rb"(?:[\x20-\x7e]|[\xc0-\xff][\x80-\xbf]*+)\x08")
_FEW = 8


def clean(raw: bytes) -> bytes:
    """The text of whole lines. Every CR and every LF becomes one LF, so line k ends at the k-th separator of `raw`."""
    text = _ESCAPE.sub(b"", raw) if b"\x1b" in raw else raw
    if b"\x08" in text:
        for _ in range(8):
            text, count = _OVERSTRUCK.subn(b"", text)
            if not count:
                break
    return text.translate(_CR_TO_LF, _CONTROL)


def line_starts(raw: bytes) -> list[int]:
    """Where line 0, 1, 2 ... of `clean(raw)` begin in `raw`."""
    return [0, *accumulate(len(line) + 1 for line in raw.translate(_CR_TO_LF).split(b"\n")[:-1])]


class Places:
    """Where the lines of `clean(raw)` are in `raw`. A few are found by counting, which is quicker than a table of all."""

    def __init__(self, raw: bytes):
        self._flat = raw.translate(_CR_TO_LF)
        self._looked_up = 0
        self._starts: list[int] | None = None

    def of(self, line: int) -> tuple[int, int]:
        """The first byte of a line, and the one behind it and its separator."""
        self._looked_up += 1
        if self._looked_up == _FEW:
            self._starts = [*line_starts(self._flat), len(self._flat)]
        if self._starts is not None:
            return self._starts[line], self._starts[line + 1]
        start = self._start(line)
        return start, self._flat.find(b"\n", start) + 1 or len(self._flat)

    def _start(self, line: int) -> int:
        """Behind the line-th separator, by bisection."""
        if not line:
            return 0
        low, high, left = 0, len(self._flat), 0  # `left` separators, too few, are before `low`; enough are before `high`
        while high - low > 1:
            middle = (low + high) // 2
            count = self._flat.count(b"\n", low, middle)
            if left + count < line:
                low, left = middle, left + count
            else:
                high = middle
        return high


def cut(data: bytes) -> int:
    """The length of the whole lines at the start of `data`. A CR at the very end may be half of a CR LF: it waits."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(0, len(data) - 1))) + 1
