"""Whether a follower is behind the bus, which throws away what its queues cannot hold: also the last word of a stream that
then falls silent, which no later chunk shows to be missing."""

import time

_LATE = 1.0  # seconds; a heartbeat comes each second
_LONG = 2 * _LATE  # without one: whoever waits for it was frozen


class Pace:
    """Told of each message, it says at a heartbeat whether the follower has to look for itself what there is."""

    def __init__(self) -> None:
        self._late = self._fresh = False  # behind; there was a sign of it since the last heartbeat
        self._asked = self._heard = self._beat = time.monotonic()

    def waits(self) -> None:
        """The next message is asked for: what was given before it has been taken."""
        self._asked = time.monotonic()
        self._sign(self._asked - self._heard > _LATE)

    def comes(self) -> None:
        self._heard = time.monotonic()
        self._sign(self._heard - self._asked > _LONG)

    def chunk(self, published: float) -> None:
        """It was published at this time (by the clock)."""
        self._sign(time.time() - published > _LATE)

    def beat(self) -> bool:
        """A heartbeat: whether to look. It is over when one comes as late after another as they are sent: the queues are
        empty."""
        late, between = self._late, time.monotonic() - self._beat
        self._beat += between
        if not self._fresh and _LATE / 2 < between < _LONG:
            self._late = False
        self._fresh = False
        return late

    def _sign(self, late: bool) -> None:
        if late:
            self._late = self._fresh = True
