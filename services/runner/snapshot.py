"""What a runner knows when everything up to an event is decided, in a file: a start need not read the whole log."""

import json
import os
from typing import Any, NamedTuple

from .book import Book

_FORMAT = 1


class Snapshot(NamedTuple):
    """`n`: everything up to it is decided, and nothing behind it; no open action has a cause before `oldest`."""

    log: str
    n: int
    oldest: int
    book: dict[str, Any]

    @classmethod
    def take(cls, log: str, n: int, oldest: int, book: Book) -> "Snapshot":
        """Of now: what ends later has actions yet to be decided."""
        return cls(log, n, min(oldest, n + 1), book.dump())

    @classmethod
    def load(cls, path: str, log: str, head: int) -> "Snapshot | None":
        """The one in the file, if it is of this log, and not ahead of it: a power loss may have taken the log's end."""
        try:
            with open(path) as file:
                kept: dict[str, Any] = json.load(file)
        except (OSError, ValueError):
            return None
        if kept.pop("format", None) != _FORMAT or kept.get("log") != log or kept["n"] > head:
            return None
        return cls(kept.pop("log"), kept.pop("n"), kept.pop("oldest"), kept)

    def save(self, path: str) -> None:
        """All that it says of decisions is in the log."""
        kept = {"format": _FORMAT, "log": self.log, "n": self.n, "oldest": self.oldest, **self.book}
        try:
            with open(f"{path}.new", "w") as file:
                json.dump(kept, file)
            os.rename(f"{path}.new", path)
        except OSError as error:  # a full disk: the log has it all
            print(f"{path}: {error}", flush=True)
