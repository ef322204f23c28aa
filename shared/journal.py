"""The journal as its readers see it: segments of JSON lines, named by their first number, never renamed.

A segment starts with a header line (no `n`); every other line starts with `{"n":<number>,`, and numbers follow each other:
one is found by bisecting byte offsets, and one that does not follow says that what was between is damaged. A last line
without its newline is being written, or torn: it is not there.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from .codec import DecodeError, parse_event
from .messages import Event, Filter

LIVE = "events.jsonl"
LINE_MAX = 1 << 19  # bytes: an answer with one line is far below what fits into a frame
_PREFIX, _SUFFIX = "events-", ".jsonl"
_N = b'{"n":'
DAMAGED = "damaged in the journal"  # why an event cannot be had
_DIGITS_MAX = 16  # of a number: more are damage

Range = tuple[int, int]  # of numbers, the first and the last


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
    """The header of a segment, or None if it is damaged: then it lacks something that the logger goes on with."""
    with open(segment.path, "rb") as file:
        line = file.readline()
    try:
        fields = json.loads(line) if line.endswith(b"\n") else None  # else it was torn while it was written
    except (ValueError, RecursionError):
        return None
    whole = (
        isinstance(fields, dict)
        and (type(fields.get("first")), fields.get("first")) == (int, segment.first)
        and type(fields.get("log")) is str
        and type(fields.get("time")) in (int, float)
        and _maps_to(fields.get("producers"), _is_position)
        and _maps_to(fields.get("chains"), _is_number)
        and _maps_to(fields.get("ended", {}), _is_number)
    )
    return fields if whole else None


def _maps_to(value: Any, right: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(right, value.values()))


def _is_number(value: Any) -> bool:
    return type(value) is int


def _is_position(value: Any) -> bool:
    """Where a producer is: a number, and its keys there."""
    return (
        isinstance(value, list)
        and [type(part) for part in value] == [int, list]
        and all(isinstance(key, str) for key in value[1])
    )


def number(line: bytes) -> int | None:
    """The number of a journal line without parsing it; None for a header or a damaged line."""
    if not line.startswith(_N):
        return None
    digits, comma, _rest = line[len(_N) :].partition(b",")
    return int(digits) if comma and digits.isdigit() and len(digits) <= _DIGITS_MAX else None


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
    return (line for _n, line in _numbered(directory, since))


def _numbered(directory: str, since: int) -> Iterator[tuple[int, bytes]]:
    found = segments(directory)
    for index, segment in enumerate(found):
        end = found[index + 1].first if index + 1 < len(found) else sys.maxsize
        if end <= since:
            continue
        try:
            file = open(segment.path, "rb")  # noqa: SIM115 (closed by the next statement)
        except FileNotFoundError:  # retention was faster
            continue
        with file:
            _seek(file, since)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # being written, if no segment follows
                n = number(line)
                if n is not None and since <= n < end:
                    yield n, line


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


def join(ranges: list[Range], first: int, last: int) -> None:
    """Add a range behind the others, or to the last of them if it follows that at once."""
    if ranges and ranges[-1][1] + 1 == first:
        first = ranges.pop()[0]
    ranges.append((first, last))


def entries(lines: Iterable[bytes], damaged: Iterable[Iterable[int]]) -> Iterator[Event | Range]:
    """What a page has, in order: events, and between them the ranges that are damaged."""
    ranges = [(first, last) for first, last in damaged]
    for line in lines:
        n = number(line) or 0
        while ranges and ranges[0][0] < n:
            yield ranges.pop(0)
        try:
            yield parse_event(line)
        except DecodeError:
            yield n, n
    yield from ranges


def _line_fits(line: bytes, wanted: Filter, kinds: list[bytes], needles: list[bytes]) -> bool | None:
    """Whether a line fits; None if it is damaged."""
    try:
        if all(needle in line for needle in needles) and any(kind in line for kind in kinds):
            return fits(parse_event(line), wanted)
        # A parse would cost twenty times as much, and what a disk leaves of a line is seldom text, or has no end.
        return False if line.endswith(b"}\n") and "\0" not in line.decode() else None
    except (DecodeError, UnicodeDecodeError):
        return None


_SCAN_MAX = 2 << 20  # bytes looked at for a page: the logger has more to do


class Page(NamedTuple):
    """Events that fit, the number to go on from, and the ranges before that in which events of any kind are damaged. Where
    all events were wanted, damaged lines with a number are among the lines."""

    lines: list[bytes]
    next: int
    damaged: list[Range]


def read(directory: str, since: int, limit: int, wanted: Filter, size_max: int = LINE_MAX) -> Page:
    """Up to `limit` fitting lines, or `size_max` bytes of them but at least one, from number `since` on.

    A page may be empty because much was looked at in vain: go on at `next` until it no longer grows.
    """
    kinds = [b'"kind":"' + kind.encode() for kind in (wanted.kind or "").split(",")]
    needles = [json.dumps(value, ensure_ascii=False).encode() for value in wanted[1:] if value]
    all_fit = wanted == Filter()
    page: list[bytes] = []
    damaged: list[Range] = []
    size = scanned = 0
    following = since
    for n, line in _numbered(directory, since):
        if len(page) >= limit or scanned > _SCAN_MAX:
            break
        fitting: bool | None = True
        if not all_fit:
            fitting = _line_fits(line, wanted, kinds, needles)
        if fitting and page and size + len(line) > size_max:
            break
        scanned += len(line)
        if n != following:
            if n < following:  # it was another number, and is missing there
                continue
            kept = max([following, *(oldest.first for oldest in segments(directory)[:1])])  # retention damages nothing
            if kept < n:
                join(damaged, kept, n - 1)
        following = n + 1
        if fitting:
            page.append(line)
            size += len(line)
        elif fitting is None:
            join(damaged, n, n)
    return Page(page, following, damaged)
