"""The policy as it is now: read again when its file has changed; a file that cannot be trusted allows nothing."""

import os

from ...shared import policy
from ...shared.actions import Action
from ...shared.errors import CtmuxError, Refused
from ...shared.policy import Policy

Signature = tuple[int, int, int, int, int] | None


class Rules:
    """Asked for each event: it costs a stat."""

    def __init__(self) -> None:
        self._path = policy.path()
        self._seen: Signature | str = "never"
        self._policy = Policy()
        self.trouble: str | None = None

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

    def limit(self, action: Action) -> str | None:
        """Why an action must not run, as far as that is known before."""
        try:
            policy.check(self.current(), action)
        except Refused as error:
            return str(error)
        return None

    def _signature(self) -> Signature:
        try:
            info = os.stat(self._path)
        except OSError:
            return None
        return info.st_ino, info.st_mtime_ns, info.st_size, info.st_mode, info.st_uid
