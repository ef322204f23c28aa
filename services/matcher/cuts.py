"""The escape sequence that is unfinished where a long line is cut: the next piece, read behind it, has the rest. Pure.

An inline image, a sixel or a copy to the clipboard (OSC 1337, DCS, OSC 52) is one line, and longer than many pieces.
"""

import re

from . import visible

# As `terminal.clean` takes them out. Of a string's end, ESC \, the cut may leave the half.
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*+[ -/]*+|[\]PX^_k][^\x07\x1b\r\n]*+\x1b?|[ -/]*+)\Z")
_BORDER = re.compile(rb"[\x07\x1b\r\n]")  # between two of them, nothing begins or ends but a short sequence
_ENOUGH = 256  # bytes: a mark that is still to come to its end (see `visible`) says all before that
REACH = 1 << 16  # bytes that are read at a time


def unfinished(raw: bytes) -> bytes:
    """The sequence at the end of `raw` that goes on behind it, shortened to what its rest depends on; or nothing."""
    last = raw.rfind(b"\x1b", 0, -1)  # one at the very end may be half of the end of what this one begins
    found = _UNFINISHED.match(raw, max(0, last))
    if found:
        return _short(found[0])
    return b"\x1b" if raw.endswith(b"\x1b") else b""


def before(read: visible.Read, offset: int) -> bytes:
    """The sequence that goes on at `offset` of a stream, as far back as that is kept."""
    raw, at = b"", offset
    while at > 0 and not _BORDER.search(raw):
        found = read(max(0, at - REACH), min(at, REACH))
        raw = found.data[: max(0, at - found.offset)] + _short(raw)
        at = found.offset if found.offset < at else 0
    return unfinished(raw)


def _short(raw: bytes) -> bytes:
    return raw[:_ENOUGH] + raw[_ENOUGH:][-1:]
