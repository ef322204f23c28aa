"""The journal as its readers see it: segments of JSON lines, named by their first number, never renamed.

A segment starts with a header line (no `n`); every other line starts with `{"n":<number>,` and numbers only grow, so a
number is found by bisecting byte offsets. A last line without its newline is being written, or torn: it is not there.
"""

import json
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from .codec import DecodeError, parse_event
from .messages import Event, Filter

LIVE = "events.jsonl"
LINE_MAX = 1 << 19  # bytes: an answer with one line is far below what fits into a frame
_PREFIX, _SUFFIX = "events-", ".jsonl"
_N = b'{"n":'


class Segment(NamedTuple):
    first: int
    path: str


def segment_path(directory: str, first: int) -> str:
    return f"{directory}/{_PREFIX}{first:012d}{_SUFFIX}"


def segments(directory: str) -> list[Segment]:
    """All segments, oldest first; empty if there is no journal."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        number = name[len(_PREFIX) : -len(_SUFFIX)]
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX) and number.isdigit():
            found.append(Segment(int(number), f"{directory}/{name}"))
    return sorted(found)


def header(segment: Segment) -> dict[str, Any] | None:
    """The header of a segment, or None if it is damaged."""
    with open(segment.path, "rb") as file:
        line = file.readline()
    try:
        fields = json.loads(line) if line.endswith(b"\n") else None  # else it was torn while it was written
    except ValueError:
        return None
    return fields if isinstance(fields, dict) and "first" in fields else None


def number(line: bytes) -> int | None:
    """The number of a journal line without parsing it; None for a header or a damaged line."""
    if not line.startswith(_N):
        return None
    digits, comma, _rest = line[len(_N) :].partition(b",")
    return int(digits) if comma and digits.isdigit() else None


def fits(event: Event, wanted: Filter) -> bool:
    """Whether the filter lets the event through."""
    if wanted.kind and not any(f"{event.kind}.".startswith(f"{kind}.") for kind in wanted.kind.split(",")):
        return False
    return all(
        want is None or want == have
        for want, have in (
            (wanted.server, event.server),
            (wanted.session, event.session),
            (wanted.pane, event.pane),
            (wanted.subscription, event.subscription),
        )
    )


def lines(directory: str, since: int) -> Iterator[bytes]:
    """The whole lines of all events from number `since` on, in order."""
    found = segments(directory)
    for index, segment in enumerate(found):
        if index + 1 < len(found) and found[index + 1].first <= since:
            continue
        try:
            file = open(segment.path, "rb")  # noqa: SIM115 (closed by the next statement)
        except FileNotFoundError:  # retention was faster
            continue
        with file:
            _seek(file, since)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written; what follows it is not there yet either
                n = number(line)
                if n is not None and n >= since:
                    yield line


def _seek(file: Any, since: int) -> None:
    """Go to a line start not behind event `since`, by bisection."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > 4096:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        here = number(file.readline())
        if here is not None and here < since:
            low = middle
        else:
            high = middle
    file.seek(low)
    if low:
        file.readline()


def _has(line: bytes, kinds: list[bytes], needles: list[bytes]) -> bool:
    """Whether a line may fit: a parse costs twenty times as much."""
    return all(needle in line for needle in needles) and any(kind in line for kind in kinds)


def _line_fits(line: bytes, wanted: Filter) -> bool:
    try:
        return fits(parse_event(line), wanted)
    except DecodeError:  # damaged on the disk: one line less, not the end of reading
        return False


_SCAN_MAX = 2 << 20  # bytes looked at for a page: the logger has more to do


class Page(NamedTuple):
    """Events that fit, and the number to go on from."""

    lines: list[bytes]
    next: int


def read(directory: str, since: int, limit: int, wanted: Filter, size_max: int = LINE_MAX) -> Page:
    """Up to `limit` fitting lines, or `size_max` bytes of them but at least one, from number `since` on.

    A page may be empty because much was looked at in vain: go on at `next` until it no longer grows.
    """
    kinds = [b'"kind":"' + kind.encode() for kind in (wanted.kind or "").split(",")]
    needles = [json.dumps(value, ensure_ascii=False).encode() for value in wanted[1:] if value]
    page: list[bytes] = []
    size = scanned = 0
    following = since
    for line in lines(directory, since):
        if len(page) >= limit or scanned > _SCAN_MAX:
            break
        fitting = wanted == Filter() or (_has(line, kinds, needles) and _line_fits(line, wanted))
        if fitting and page and size + len(line) > size_max:
            break
        scanned += len(line)
        following = (number(line) or following) + 1
        if fitting:
            page.append(line)
            size += len(line)
    return Page(page, following)
