"""Text of terminal output: escape sequences and control bytes taken out, line ends made one kind. Pure.

Only whole lines are cleaned, and CR or LF ends every sequence, so no state is kept between them and an unterminated
sequence (`cat /dev/urandom`) cannot swallow what follows. Source and speed: facts/matching.md, 3.1.
"""

import re
from itertools import accumulate

# CSI, first as most are; OSC, DCS, SOS, PM, APC, and titles (ESC k, of tmux and screen), with their text; all other
# sequences. 8-bit C1 bytes are left: they are parts of UTF-8.
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*+[@-~]|\[[0-?]*+[ -/]*+[@-~]?|[\]PX^_k][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)?|[ -/]*+[0-~]?)"
)
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13)) + b"\x7f"
_FEW = 3  # lines: a table costs as much as four bisections
_ROUNDS = 8  # of one backspace each: quicker than `_erased`, and more are rare
_LINE = re.compile(rb"[^\r\n]*[\r\n]?")
_RUN = re.compile(rb"\x08+|[^\x08]+")
_OVERSTRUCK = re.compile(rb"(?:[\x20-\x7e]|[\xc0-\xff][\x80-\xbf]*+)\x08")


def clean(raw: bytes) -> bytes:
    """The text of whole lines. Every CR and every LF becomes one LF, so line k ends at the k-th separator of `raw`."""
    text = b"".join(_ESCAPE.split(raw)) if b"\x1b" in raw else raw  # quicker than to put nothing in their place
    if b"\x08" in text:
        for _ in range(_ROUNDS):
            text, count = _OVERSTRUCK.subn(b"", text)
            if not count:
                break
        else:
            text = b"".join(_erased(line) if b"\x08" in line else line for line in _LINE.findall(text))
    return _flat(text).translate(None, _CONTROL)


def _erased(line: bytes) -> bytes:
    """A line in which each backspace takes the character before it, if there is one that can be seen: as `_OVERSTRUCK`
    does, in one go."""
    kept = bytearray()
    for run in _RUN.findall(line):
        if run[0] != 8:
            kept += run
            continue
        for _ in run:
            start = len(kept) - 1
            while start >= 0 and 0x80 <= kept[start] < 0xC0:  # bytes of a character of UTF-8 behind its first
                start -= 1
            lead = kept[start] if start >= 0 else 0
            if lead < 0xC0 and not (0x20 <= lead < 0x7F and start == len(kept) - 1):
                kept += b"\x08"
                break
            del kept[start:]
    return bytes(kept)


def _flat(raw: bytes) -> bytes:
    """With one kind of line ends. Five times as quick as a table of all bytes."""
    return raw.replace(b"\r", b"\n")


def has(raw: bytes, mark: bytes) -> bool:
    """Whether it is there. It seldom is, and then, from the end, Python leaps over what cannot be it."""
    return raw.rfind(mark) >= 0


def may_end_osc(raw: bytes) -> bool:
    """Whether an OSC may end here: BEL and backslash are rare, and one byte is looked for at the speed of the memory."""
    return b"\x07" in raw or b"\\" in raw


def line_starts(raw: bytes) -> list[int]:
    """Where line 0, 1, 2 ... of `clean(raw)` begin in `raw`, and where the last one ends, as if it had a separator."""
    return list(accumulate(map(len, (_flat(raw) + b"\n").splitlines(True)), initial=0))


def line_spans(raw: bytes, wanted: set[int]) -> dict[int, tuple[int, int]]:
    """Where some lines of `clean(raw)` are in `raw`: from their first byte to behind their separator."""
    if len(wanted) > _FEW:
        starts = line_starts(raw)
        return {line: (starts[line], min(starts[line + 1], len(raw))) for line in wanted}
    flat, spans = _flat(raw), {}
    for line in wanted:
        start = _line_start(flat, line)
        spans[line] = start, flat.find(b"\n", start) + 1 or len(flat)
    return spans


def _line_start(flat: bytes, line: int) -> int:
    """Behind the line-th separator, by bisection: counting is quicker than a table of all."""
    if not line:
        return 0
    low, high, left = 0, len(flat), 0  # `left` separators, too few, are before `low`; enough are before `high`
    while high - low > 1:
        middle = (low + high) // 2
        more = flat.count(b"\n", low, middle)
        if left + more < line:
            low, left = middle, left + more
        else:
            high = middle
    return high


def cut(data: bytes) -> int:
    """The length of the whole lines at the start of `data`. A CR at the very end may be half of a CR LF: it waits."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(0, len(data) - 1))) + 1
