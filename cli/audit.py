"""The audit of a journal: are all numbers there, in order, each producer's positions too? Reads files, changes nothing."""

import json
import os
from dataclasses import dataclass, field
from typing import Any

from ..shared import journal
from ..shared.codec import DecodeError, parse_event
from ..shared.messages import Event

_FAULTS_MAX = 100  # sentences; a journal with more is not described better by more


@dataclass
class Report:
    """`faults`: a sentence each; `torn`: bytes of a last line without its end, which is being written or will be cut."""

    segments: int = 0
    events: int = 0
    first: int = 0
    last: int = 0
    torn: int = 0
    faults: list[str] = field(default_factory=list)


class Audit:
    """Follows a journal through its segments."""

    def __init__(self) -> None:
        self.report = Report()
        self._last: int | None = None  # the number before the next; None: not known
        self._producers: dict[str, tuple[int, set[str]]] = {}
        self._chains: dict[str, int] = {}

    def fault(self, text: str) -> None:
        if len(self.report.faults) < _FAULTS_MAX:
            self.report.faults.append(text)

    def segment(self, segment: journal.Segment, newest: bool) -> None:
        """The next segment: its header, then each of its lines."""
        name = os.path.basename(segment.path)
        with open(segment.path, "rb") as file:
            self.header(name, segment, file.readline())
            for number, line in enumerate(file, 2):
                if not line.endswith(b"\n"):
                    self.report.torn = len(line)
                    if not newest:
                        self.fault(f"{name} line {number}: its end is missing")
                    continue
                try:
                    self.event(f"{name} line {number}", parse_event(line))
                except DecodeError as error:
                    self.fault(f"{name} line {number}: no event: {error}")
        self.report.segments += 1

    def header(self, name: str, segment: journal.Segment, line: bytes) -> None:
        try:
            header: dict[str, Any] = json.loads(line)
            first, producers = int(header["first"]), dict(header["producers"])
        except (ValueError, KeyError, TypeError):
            self.fault(f"{name}: no header")
            return
        if first != segment.first:
            self.fault(f"{name}: the header says {first}, the name {segment.first}")
        if self._last is not None and first != self._last + 1:
            self.fault(f"{name}: begins with {first}, but {self._last} was the last before it")
        self._last = first - 1
        for producer, (last, keys) in self._producers.items():
            if producer in producers and producers[producer] != [last, sorted(keys)]:
                self.fault(f"{name}: {producer} was at {last} {sorted(keys)}, the header says {producers[producer]}")
        self._producers = {producer: (last, set(keys)) for producer, (last, keys) in producers.items()}

    def event(self, where: str, event: Event) -> None:
        report = self.report
        if self._last is not None and event.n != self._last + 1:
            self.fault(f"{where}: event {event.n} follows {self._last}")
        report.first = report.first or event.n
        report.last = self._last = event.n
        report.events += 1
        last, keys = self._producers.get(event.producer, (-1, set()))
        if event.position < last:
            self.fault(f"{where}: event {event.n} of {event.producer} is at {event.position}, behind {last}")
        elif event.position == last and event.key in keys:
            self.fault(f"{where}: event {event.n} is written twice: {event.producer} {event.position} {event.key!r}")
        self._producers[event.producer] = (event.position, keys | {event.key} if event.position == last else {event.key})
        for level, n in event.prev.items():
            chain = f"{level}:{event.server if level != 'subscription' else ''}/{getattr(event, level)}"
            if chain in self._chains and n != self._chains[chain]:
                self.fault(
                    f"{where}: event {event.n} says that {n} was before it in its {level}; it was {self._chains[chain]}"
                )
            self._chains[chain] = event.n


def audit(directory: str) -> Report:
    """The report of a whole journal; retention may take its oldest segments while it is read."""
    found = Audit()
    segments = journal.segments(directory)
    for segment in segments:
        try:
            found.segment(segment, newest=segment == segments[-1])
        except FileNotFoundError:
            continue
    return found.report
