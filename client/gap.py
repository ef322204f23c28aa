"""What a follower says where something cannot be had any more: never silence, never an exception."""

from typing import NamedTuple


class Gap(NamedTuple):
    """Missing: events `start`..`end` (numbers), or of a `stream` the bytes from `start` up to `end`; and why."""

    start: int
    end: int
    reason: str
    stream: str | None = None

    def __str__(self) -> str:
        """For people."""
        if self.end == 0:  # it is not known how much
            return self.reason
        what = f"bytes {self.start}-{self.end} of {self.stream}" if self.stream else f"events {self.start}-{self.end}"
        return f"{what} are missing: {self.reason}"
