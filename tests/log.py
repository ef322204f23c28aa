"""The events in a journal's files, for tests that look again and again: each line is read once."""

import json
from pathlib import Path
from typing import Any


class Log:
    """Reads on in the files, which are appended to."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, list[dict[str, Any]]]] = {}  # segment -> bytes read, its events
        self._newest = 0

    def events(self, directory: str) -> list[dict[str, Any]]:
        """What the files hold now, in order; a last line without its end is still being written."""
        self._known = {segment: self._read(segment) for segment in sorted(Path(directory).glob("events-*.jsonl"))}
        return [event for _, events in self._known.values() for event in events]

    def forget(self, directory: str) -> int:
        """The number of the newest event; from now on only those behind it are told."""
        newest = max((event["n"] for event in self.events(directory)), default=self._newest)
        self._newest = newest
        self._known = {segment: (at, []) for segment, (at, _) in self._known.items()}
        return newest

    def _read(self, segment: Path) -> tuple[int, list[dict[str, Any]]]:
        at, events = self._known.get(segment, (0, []))
        with open(segment, "rb") as file:
            if file.seek(0, 2) < at:  # a block was written in part, and taken back
                at, events = 0, []
            file.seek(at)
            lines = file.read().split(b"\n")[:-1]
        values = [json.loads(line) for line in lines]
        return at + sum(len(line) + 1 for line in lines), events + [value for value in values if "n" in value]
