"""Subscriptions as they are kept over restarts: a file of JSON lines, one for each that was made and each that ended."""

import contextlib
import json
import os
from dataclasses import asdict
from typing import Any

from ...shared.errors import NoTarget
from ...shared.paths import ensure_private
from .subscription import Subscription

_SPARE = 100  # lines of subscriptions that have ended, before the file is written anew


class Store:
    """`active` are looked for; `ending` are not any more, but their end is not in the journal yet."""

    def __init__(self, path: str):
        ensure_private(os.path.dirname(path))
        self._path = path
        self._next = 1
        self._lines = 0
        self.active: dict[str, Subscription] = {}
        self.ending: dict[str, Subscription] = {}
        self._by_token: dict[str, Subscription] = {}
        self._file = _open(path)
        with open(path, "rb") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, whole)  # written in part, so nobody was told of it
                    break
                whole += len(line)
                self._lines += 1
                try:
                    self._take(json.loads(line))
                except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                    self._next += 1  # whoever it was had a number
                    shown = f"({error}): {line[:200]!r}"
                    print(f"subscriptions: {path}: a line that cannot be read is left out {shown}", flush=True)

    def _take(self, entry: dict[str, Any]) -> None:
        self._next = max(self._next, entry.get("next", 0))
        if "made" in entry:
            self._next = max(self._next, entry["made"]["number"] + 1)
            subscription = Subscription(**entry["made"])
            self.active[subscription.id] = self._by_token[subscription.token] = subscription
        elif "ended" in entry:
            ended = self.active.pop(entry["ended"], None)
            if ended:
                self._by_token.pop(ended.token, None)

    def next_number(self) -> int:
        """A number that no subscription of this instance ever had."""
        self._next += 1
        return self._next - 1

    def by_token(self, token: str) -> Subscription | None:
        """The one that a request made which is asked again."""
        return self._by_token.get(token)

    def find(self, wanted: str) -> Subscription:
        """By id, or by name if only one has it. Raises NoTarget."""
        known = {**self.ending, **self.active}  # who asks again for an end that is under way is answered, too
        if wanted in known:
            return known[wanted]
        named = [found for found in self.active.values() if found.options.name == wanted]
        if len(named) == 1:
            return named[0]
        if named:
            ids = ", ".join(found.id for found in named)
            raise NoTarget(f"{len(named)} subscriptions are named {wanted!r}; use an id: {ids}")
        raise NoTarget(f"no subscription {wanted!r}; see: ctmux subscription list")

    def add(self, subscription: Subscription) -> None:
        """Keep it. Raises OSError."""
        self._append({"made": asdict(subscription)})
        self.active[subscription.id] = self._by_token[subscription.token] = subscription

    def end(self, subscription: Subscription) -> None:
        """It is over from now on, until `forget`."""
        self.ending[subscription.id] = self.active.pop(subscription.id, subscription)

    def forget(self, subscription: Subscription) -> None:
        """Its end is in the journal. Raises OSError."""
        if subscription.id in self.ending:
            self._append({"ended": subscription.id})
            del self.ending[subscription.id]
            self._by_token.pop(subscription.token, None)
            if self._lines > 2 * len(self.active) + _SPARE:
                with contextlib.suppress(OSError):  # no space: the file is right as it is
                    self._compact()

    def _append(self, entry: dict[str, Any]) -> None:
        size = os.fstat(self._file).st_size
        line = json.dumps(entry).encode() + b"\n"
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(f"{self._path}: no space")
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        self._lines += 1

    def _compact(self) -> None:
        """Replace the file as a whole by what is still of use."""
        kept = [{"made": asdict(found)} for found in {**self.ending, **self.active}.values()]
        with open(f"{self._path}.new", "w") as file:
            file.writelines(f"{json.dumps(entry)}\n" for entry in ({"next": self._next}, *kept))
            file.flush()
            os.fsync(file.fileno())
        new = _open(f"{self._path}.new")
        os.rename(f"{self._path}.new", self._path)
        os.close(self._file)
        self._file = new
        self._lines = len(kept) + 1


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
