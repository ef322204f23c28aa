"""What each pattern costs: one that burns the processor is given up, so that the others go on. Pure.

RE2 is linear in the text, but also in the size of its program: the worst that `pattern.check` lets through takes some 2 µs
a byte on text made for it (bench/hostile.py), a hundred times as long as others.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

_WINDOW = 10.0  # seconds
_MOST = 0.5  # seconds of the processor in that time
_EACH = 10e-6  # seconds that a match, and a call, may cost: whoever matches each line has not been slow
_SLOW = 0.25e-6  # seconds a byte: who is quicker may work for as long as there is text


class Account(NamedTuple):
    since: float
    seconds: float
    size: int


class Governor:
    """Takes what searches cost, and says who has to go."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._burning: dict[str, str] = {}

    def charge(self, pattern: str, seconds: float, size: int, matches: int) -> None:
        """A search through `size` bytes took `seconds` of the processor, to find `matches`."""
        seconds = max(0.0, seconds - (matches + 1) * _EACH)
        now = self._clock()
        account = self._accounts.get(pattern)
        if account is None or now - account.since > _WINDOW:
            account = Account(now, 0.0, 0)
        account = Account(account.since, account.seconds + seconds, account.size + size)
        self._accounts[pattern] = account
        if account.seconds > _MOST and account.seconds > _SLOW * account.size:
            self._burning[pattern] = (
                f"too expensive: {account.seconds:.1f} s of the processor for {account.size / 1e6:.1f} MB of output; "
                "use smaller repetitions, text that must be there, or fewer lines of context"
            )

    def forget(self, pattern: str) -> None:
        """Nobody looks for it any more."""
        self._accounts.pop(pattern, None)

    def burning(self) -> Iterator[tuple[str, str]]:
        """Patterns that have to go, and why; each once."""
        while self._burning:
            pattern, reason = self._burning.popitem()
            self.forget(pattern)
            yield pattern, reason
