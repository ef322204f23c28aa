"""What subscriptions were told, kept over restarts: a file of facts, begun anew with the states they led to.

A fact is written before anything follows from it, so a matcher after a killed one comes to the same events again, by the
same numbers, and the logger knows which it has. Nothing is forced to the disk: a kill loses nothing that was written, and
with the machine the panes are gone, too. What was lost with it, or is damaged, is left out; see `Rules.resume`.
"""

import json
import os
from typing import Any

from .facts import Fact

_SPARE = 1 << 20  # bytes of facts before the file is begun anew, if the states are smaller


class Memory:
    """`states` and `facts` as an earlier matcher left them: the facts came after the states."""

    def __init__(self, path: str):
        self._path = path
        self._file = _open(path)
        self.states: dict[str, dict[str, Any]] = {}
        self.facts: list[tuple[str, Fact]] = []
        self._begun = 0  # bytes of states at the beginning
        whole = 0
        with open(path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, whole)  # written in part: nothing followed from it
                    break
                whole += len(line)
                self._take(line, whole)
        self.size = whole

    def _take(self, line: bytes, end: int) -> None:
        try:
            entry = json.loads(line)
            if "states" in entry:
                self.states, self._begun = dict(entry["states"]), end
            else:
                self.facts.append((str(entry["id"]), dict(entry["fact"])))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            print(f"facts: {self._path}: a damaged line before byte {end} is left out: {error!r}", flush=True)

    @property
    def full(self) -> bool:
        """Whether it is time to `compact`."""
        return self.size > 2 * self._begun + _SPARE

    def add(self, facts: list[tuple[str, Fact]]) -> None:
        """Keep what subscriptions are told. Raises OSError."""
        data = b"".join(json.dumps({"id": id, "fact": fact}).encode() + b"\n" for id, fact in facts)
        try:
            if os.write(self._file, data) < len(data):
                raise OSError(f"{self._path}: no space")
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += len(data)

    def compact(self, states: dict[str, dict[str, Any]], since: int) -> None:
        """Begin anew with what the facts up to byte `since` have led to, and those after it. Raises OSError; then all is as
        it was."""
        begin = json.dumps({"states": states}).encode() + b"\n"
        with open(self._path, "rb") as old, open(f"{self._path}.new", "wb") as file:
            old.seek(since)
            file.write(begin + old.read())
        new = _open(f"{self._path}.new")
        os.rename(f"{self._path}.new", self._path)
        os.close(self._file)
        self._file, self._begun, self.size = new, len(begin), os.fstat(new).st_size


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
