"""Following the event log: one integer, and every loss is the same case. No socket in here: frames in, events out."""

from ..shared import topics
from ..shared.codec import DecodeError, decode_event, decode_head
from ..shared.journal import DAMAGED, entries, fits
from ..shared.messages import Event, Filter, Get, Head, Status
from .gap import Gap
from .requests import check_filter
from .script import Ask, Receive, Script

_PAGE = 1000
_PATIENCE = 1.0  # seconds for a page: output waits behind it, and a frozen logger answers nobody


class EventFollower:
    """Takes what the bus brings, asks the logger for what it did not bring, gives every event once and in order.

    `live`: the event given last was given as it happened, and not from the journal. `behind`: the logger did not answer;
    what is missing is asked for at the next heartbeat, or silence.
    """

    def __init__(self, wanted: Filter, since: int | None):
        check_filter(wanted, since)
        self._wanted = wanted
        self._since = since
        self._log = ""
        self._taken = max(0, (since or 1) - 1)  # the number of the last event that was given or passed over
        self.live = False
        self.behind = False

    @property
    def position(self) -> int:
        """The number to go on from: everything before it was given, or is not wanted."""
        return self._taken + 1

    @property
    def begun(self) -> bool:
        """Whether the position is one of the journal, and not only what was asked for."""
        return bool(self._log)

    def follow(self) -> Script[None]:
        """Every event from `since` on (None: those that come), without end."""
        yield from self.begin()
        while True:
            yield from self.hear((yield Receive()))

    def begin(self) -> Script[None]:
        """Find out where the journal is, and give what is in it already."""
        yield from self.locate()
        yield from self.catch_up()

    def locate(self) -> Script[None]:
        """Find out where the journal is: from now on there is a position."""
        status = yield Ask("logger", Status())
        self._log = status["log"]
        self._taken = status["head"] if self._since is None else max(0, self._since - 1)
        if self._taken > status["head"]:  # the position is of a journal that is no more
            yield from self._replaced(status["log"], status["head"])

    def _replaced(self, log: str, head: int) -> Script[None]:
        """Go on at the first event of another journal."""
        missing = self._taken + 1
        self._log, self._taken = log, 0
        yield Gap(missing, missing, f"the journal was replaced by a new one, which ends at {head}")

    def hear(self, frames: list[bytes] | None) -> Script[None]:
        """A message of the bus; None: it is silent, so the logger is asked what there is."""
        if frames is None:
            yield from self.catch_up()
            return
        try:
            message = decode_head(frames[1:]) if frames[0] == topics.HEAD else decode_event(frames[1:])
        except DecodeError:
            return  # a newer version's; its number is missing then, and asked for
        yield from self.heard(message) if isinstance(message, Head) else self.take(message)

    def take(self, event: Event) -> Script[None]:
        """An event from the bus."""
        if event.n > self._taken + 1 and not self.behind:  # or each of a thousand that wait would wait for the logger
            yield from self.catch_up()
        if event.n == self._taken + 1:
            self._taken, self.live = event.n, True
            if fits(event, self._wanted):
                yield event

    def heard(self, head: Head) -> Script[None]:
        """A heartbeat: is there something newer than what came? It may be an old one, of a journal that is no more."""
        if head.log != self._log or head.n > self._taken:
            yield from self.catch_up()

    def catch_up(self) -> Script[None]:
        """Everything up to the newest event, from the logger, if it answers."""
        while True:
            page = yield Ask("logger", Get(self._taken + 1, _PAGE, list(self._wanted)), _PATIENCE, needed=False)
            self.behind = page is None
            if page is None:
                return
            self.live = False
            if page["log"] != self._log:
                yield from self._replaced(page["log"], page["head"])
                continue
            if page["first"] > self._taken + 1:
                start, self._taken = self._taken + 1, page["first"] - 1
                yield Gap(start, self._taken, "older than the journal keeps")
            following = self._taken + 1
            for found in entries(page["lines"], page.get("damaged", ())):  # an older logger does not say it
                if isinstance(found, Event):
                    self._taken = found.n
                    yield found
                else:
                    self._taken = found[1]
                    yield Gap(*found, DAMAGED)
            if not page["lines"] and page["next"] <= following <= page["head"]:
                self._taken = page["head"]
                yield Gap(following, self._taken, "not in the journal's files")
            self._taken = max(self._taken, page["next"] - 1)
            if self._taken >= page["head"]:
                return
