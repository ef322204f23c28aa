"""What a follower says where something cannot be had any more: never silence, never an exception."""

from typing import NamedTuple


class Gap(NamedTuple):
    """Missing: events `start`..`end` (numbers), or of a `stream` the bytes from `start` up to `end`; and why."""

    start: int
    end: int
    reason: str
    stream: str | None = None
