"""The policy as it is now: read again when its file has changed; a file that cannot be trusted allows nothing."""

import os
import time
from typing import NamedTuple

from ...shared import policy
from ...shared.actions import Action
from ...shared.errors import CtmuxError, Refused
from ...shared.policy import Policy

Signature = tuple[int, int, int, int, int] | None


_SECOND = 1.0
_KNOWN_MOST = 10_000


class Known(NamedTuple):
    action: Action
    reason: str | None
    until: float


class Rules:
    """Each answer costs a stat of the file."""

    def __init__(self) -> None:
        self._path = policy.path()
        self._seen: Signature | str = "never"
        self._policy = Policy()
        self.trouble: str | None = None
        self._known: dict[str, Known] = {}

    def current(self) -> Policy:
        """Raises Refused if nothing may run."""
        signature = self._signature()
        if signature != self._seen:
            self._seen = signature
            try:
                self._policy, self.trouble = policy.load(), None
            except CtmuxError as error:
                self.trouble = str(error)
                print(f"policy: {error}", flush=True)
        if self.trouble:
            raise Refused(self.trouble)
        return self._policy

    def limit(self, key: str, action: Action) -> str | None:
        """Why an action must not run, as far as that is known before. `key`: what it is known by, for a second: a program
        is looked for in many directories."""
        now, known = time.monotonic(), self._known.get(key)
        if known and known.action is action and known.until > now and self._signature() == self._seen:
            return known.reason
        if len(self._known) > _KNOWN_MOST:
            self._known.clear()
        try:
            policy.check(self.current(), action)
            reason = None
        except Refused as error:
            reason = str(error)
        self._known[key] = Known(action, reason, now + _SECOND)
        return reason

    def _signature(self) -> Signature:
        try:
            info = os.stat(self._path)
        except OSError:
            return None
        return info.st_ino, info.st_mtime_ns, info.st_size, info.st_mode, info.st_uid
