"""The ledger as the journal's files have it: from the newest header that is whole, and by every line behind that."""

import os
import re
import sys
import uuid

from ...shared import journal
from ...shared.codec import DecodeError, event_line, parse_event, timestamp
from ...shared.journal import Range, Segment
from ...shared.messages import Event
from .ledger import Ledger

_EVENT_MIN = len(event_line(Event(1, timestamp(0), "", None, None, None, None, None, {}, {}, "", 0, "", [])))
_TOLD_MAX = 100  # sentences, and ranges; a ruin is not described better by more
_LOG = re.compile(rb'"log":"([0-9a-f]{32})"')
_STARTS = (b'{"n":', b'{"first":')  # of an event and a header


class Replay:
    """Reads, and changes nothing. A header is only a checkpoint: without it the ledger comes from an older one.

    No number is issued twice: behind the last one that can be read there are as many as the bytes there may have had.
    `whole`: the newest segment can be gone on with, up to byte `end`. `lost`: numbers without an event. `empty`: segments
    without a header and any event.
    """

    def __init__(self, segments: list[Segment]):
        self.mended: list[str] = []
        self.lost: list[Range] = []
        self.empty: list[Segment] = []
        self.began = 0.0
        self.end = 0
        self._unread = 0  # bytes behind the last number
        start = self._checkpoint(segments)
        self.whole = 0 <= start == len(segments) - 1
        ends = [segment.first for segment in segments[1:]] + [sys.maxsize]
        for at in range(max(start, 0), len(segments)):
            self._segment(segments[at], at == start, ends[at])
        if self._unread:
            self.whole = False  # and the header of the next one says where it goes on
            self._lose(self.ledger.head + self._unread // _EVENT_MIN)

    def _checkpoint(self, segments: list[Segment]) -> int:
        """Begin the ledger; the index of its segment, -1 if no header is whole."""
        for at in reversed(range(len(segments))):
            header = journal.header(segments[at])
            if header:
                self.ledger, self.began = Ledger.restore(header), float(header["time"])
                return at
            self._note(segments[at], "no header")
        self.ledger = Ledger(next(filter(None, map(_log, reversed(segments))), uuid.uuid4().hex))
        self.ledger.head = segments[0].first - 1 if segments else 0
        return -1

    def _segment(self, segment: Segment, headed: bool, end: int) -> None:
        """Give the ledger every whole line. Its numbers are below `end`, where the next one begins."""
        self._lose(segment.first - 1)
        self._unread = self.end = 0
        events, whole = 0, True
        with open(segment.path, "rb") as file:
            if headed:
                self.end = len(file.readline())
            for line in file:
                if end == sys.maxsize and _torn(line):
                    break
                if self._line(line, end):
                    events, whole = events + 1, True
                elif whole and (headed or events):
                    self._note(segment, f"skipped a damaged line at byte {self.end}")
                    whole = False
                self.end += len(line)
        if self.end and not headed and not events:
            self.empty.append(segment)

    def _line(self, line: bytes, end: int) -> bool:
        """Whether it is an event."""
        n = journal.number(line)
        if n is None or not self.ledger.head < n < end:  # or it was another number
            self._unread = max(self._unread + len(line), _EVENT_MIN)
            return False
        self._lose(n - 1)
        event = _event(line) if line.endswith(b"\n") else None
        if event is None:
            self._lose(n)
            self._unread = max(1, len(line) - _EVENT_MIN)  # what was behind it in this line
            return False
        self.ledger.commit([event])
        self._unread = 0
        return True

    def _lose(self, last: int) -> None:
        """All numbers up to this one are issued."""
        if last > self.ledger.head:
            first = self.ledger.head + 1
            if len(self.lost) >= _TOLD_MAX:
                first = self.lost.pop()[0]
            journal.join(self.lost, first, last)
            self.ledger.head = last

    def _note(self, segment: Segment, text: str) -> None:
        if len(self.mended) < _TOLD_MAX:
            self.mended.append(f"{os.path.basename(segment.path)}: {text}")


def _log(segment: Segment) -> str | None:
    """The log's id in a damaged header: with another one, all followers would begin anew."""
    with open(segment.path, "rb") as file:
        found = _LOG.search(file.read(256))
    return found.group(1).decode() if found else None


def _torn(line: bytes) -> bool:
    """Whether it is the beginning of a line that was never written to its end, so nobody was told of it."""
    if line.endswith(b"\n") or b"\0" in line or _event(line[:-1]):  # it had its end, and that is damaged
        return False
    return any(line.startswith(start) or start.startswith(line) for start in _STARTS)


def _event(line: bytes) -> Event | None:
    try:
        return parse_event(line)
    except DecodeError:
        return None
