"""Following the event log: one integer, and every loss is the same case. No socket in here: frames in, events out."""

from collections.abc import Callable, Iterator
from typing import Any

from ..shared.codec import parse_event
from ..shared.journal import fits
from ..shared.messages import Event, Filter, Get, Head, Request
from .gap import Gap

_PAGE = 1000


class EventFollower:
    """Takes what the bus brings, asks the logger for what it did not bring, gives every event once and in order.

    `position` is the number of the last event that was taken or passed over.
    """

    def __init__(self, ask: Callable[[Request], dict[str, Any]], wanted: Filter, position: int, log: str):
        self._ask = ask
        self._wanted = wanted
        self._log = log
        self.position = position

    def take(self, event: Event) -> Iterator[Event | Gap]:
        """An event from the bus."""
        if event.n > self.position + 1:
            yield from self.catch_up()
        if event.n == self.position + 1:
            self.position = event.n
            if fits(event, self._wanted):
                yield event

    def heard(self, head: Head) -> Iterator[Event | Gap]:
        """A heartbeat: is there something newer than what came?"""
        if head.log != self._log:
            yield Gap(self.position + 1, head.n, "the journal was replaced by a new one")
            self._log, self.position = head.log, 0
        if head.n > self.position:
            yield from self.catch_up()

    def catch_up(self) -> Iterator[Event | Gap]:
        """Everything up to the newest event, from the logger. Raises NoDaemon if it does not answer."""
        while True:
            page = self._ask(Get(self.position + 1, _PAGE, list(self._wanted)))
            if page["first"] > self.position + 1:
                yield Gap(self.position + 1, page["first"] - 1, "older than the journal keeps")
                self.position = page["first"] - 1
            for line in page["lines"]:
                event = parse_event(line)
                self.position = event.n
                yield event
            self.position = max(self.position, page["next"] - 1)
            if self.position >= page["head"]:
                return
