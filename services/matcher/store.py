"""Subscriptions as they are kept over restarts: a file of JSON lines, one for each that was made and each that ended."""

import json
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ...shared.errors import NoTarget
from ...shared.paths import ensure_private
from ...shared.service import Service
from .kept import Kept
from .subscription import Subscription

_SPARE = 100  # lines of subscriptions that have ended, before the file is written anew
_TOKENS_MOST = 500  # ended ones that are known by their token: a request whose answer was lost is asked again
_ID = re.compile(rb'\{"made": \{"id": "(s\d{1,15})"')


class Store:
    """`active` are looked for; `ending` are not any more, but their end is not in the journal yet. `lost`: ids of those
    whose line in the file is damaged."""

    def __init__(self, path: str):
        ensure_private(os.path.dirname(path))
        self._path = path
        self._next = 1
        self.active: dict[str, Subscription] = {}
        self.ending: dict[str, Subscription] = {}
        self.lost: set[str] = set()
        self._by_token: dict[str, Subscription] = {}
        self._ended: deque[Subscription] = deque()  # the latest
        self._kept = Kept(path, self._read, sync=True)

    def _read(self, line: bytes, _end: int) -> None:
        try:
            self._take(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            found = _ID.match(line)
            if found:
                self.lost.add(found[1].decode())
                self._next = max(self._next, int(found[1][1:]))
            self._next += 1  # whoever it was had a number
            shown = f"({error}): {line[:200]!r}"
            print(f"subscriptions: {self._path}: a line that cannot be read is left out {shown}", flush=True)

    def _take(self, entry: dict[str, Any]) -> None:
        self._next = max(self._next, entry.get("next", 0))
        if "made" in entry:
            self._next = max(self._next, entry["made"]["number"] + 1)
            subscription = Subscription(**entry["made"])
            self.active[subscription.id] = self._by_token[subscription.token] = subscription
        elif "ended" in entry:
            self.lost.discard(entry["ended"])
            ended = self.active.pop(entry["ended"], None)
            if ended:
                self._bury(ended)

    def _bury(self, subscription: Subscription) -> None:
        """Know it by its token for a while."""
        subscription.armed.clear()
        self._ended.append(subscription)
        if len(self._ended) > _TOKENS_MOST:
            token = self._ended.popleft().token
            if token in self._by_token and self._by_token[token].id not in self.active:
                del self._by_token[token]

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
        self._kept.append([{"made": asdict(subscription)}])
        self.active[subscription.id] = self._by_token[subscription.token] = subscription

    def end(self, subscription: Subscription) -> None:
        """It is over from now on, until `forget`."""
        self.ending[subscription.id] = self.active.pop(subscription.id, subscription)

    def forget(self, id: str) -> None:
        """Its end is in the journal. Raises OSError."""
        if id in self.ending or id in self.lost:
            self._kept.append([{"ended": id}])
            self.lost.discard(id)
            ended = self.ending.pop(id, None)
            if ended:
                self._bury(ended)

    def renew(self, service: Service) -> None:
        """Begin the file anew with what is still of use, if it is time for that."""
        if not self._kept.renewing and self._kept.lines > 2 * (len(self.active) + len(self._ended)) + _SPARE:
            self._kept.renew(service, self._of_use(), lambda place: place())

    def _of_use(self) -> Iterator[dict[str, Any]]:
        yield {"next": self._next}
        for ended in list(self._ended):
            yield from ({"made": asdict(ended)}, {"ended": ended.id})
        for known in [*self.ending.values(), *self.active.values()]:
            if known.id in self.ending or known.id in self.active:
                yield {"made": asdict(known)}
