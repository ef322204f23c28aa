"""The alternate screen: what full-screen programs (vim, less, htop) draw there is no line of text. Pure."""

import re
from collections.abc import Callable, Iterator

from ...shared import spool

# DECSET and DECRST of xterm's three forms of it, alone or among others: ctlseqs, "Private modes".
_SWITCH = re.compile(rb"\x1b\[\?([\d;]*+)([hl])")  # possessive, or one long sequence would take quadratic time
_MODES = {b"47", b"1047", b"1049"}
_CUT = re.compile(rb"\x1b(?:\[(?:\?[\d;]{0,60})?)?\Z")
_LONGEST = 64  # bytes of a switch
_PIECE = 1 << 18
_ALL_BUT_LINE_ENDS = bytes(code for code in range(256) if code not in b"\r\n")


def hide(raw: bytes, on: bool) -> tuple[bytes, bool]:
    """Whole lines without what is on the alternate screen, but with every line end; whether it is on behind them."""
    if b"\x1b[?" not in raw:
        return (raw.translate(None, _ALL_BUT_LINE_ENDS) if on else raw), on
    shown = []
    begin = 0
    for switch in _switches(raw):
        piece = raw[begin : switch.start()]
        shown.append(piece.translate(None, _ALL_BUT_LINE_ENDS) if on else piece)
        on, begin = switch[2] == b"h", switch.end()
    piece = raw[begin:]
    shown.append(piece.translate(None, _ALL_BUT_LINE_ENDS) if on else piece)
    return b"".join(shown), on


def _switches(raw: bytes) -> Iterator[re.Match[bytes]]:
    return (found for found in _SWITCH.finditer(raw) if not _MODES.isdisjoint(found[1].split(b";")))


def cut(raw: bytes) -> bytes:
    """What may be the first part of a switch at the end of `raw`, which was cut anywhere."""
    found = _CUT.search(raw, max(0, len(raw) - _LONGEST))
    return found[0] if found else b""


def is_on(read: Callable[[int, int], spool.Range], offset: int) -> bool:
    """Whether it is on at `offset` of a stream: its last switch before that says so. `read` is `spool.read` of a path."""
    end = offset
    while end > 0:
        found = read(max(0, end - _PIECE), min(end, _PIECE) + _LONGEST)
        data = found.data[: max(0, offset - found.offset)]
        *_, last = None, *_switches(data)
        if last:
            return last[2] == b"h"
        if found.offset <= found.first:  # as far as it is kept
            return False
        end -= _PIECE
    return False
