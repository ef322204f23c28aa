"""The wire's closed sets of frozen types: chunks, events, heartbeats, requests. Encoded in `codec.py` only.

NamedTuples, not dataclasses: importing `dataclasses` costs every watcher 0.9 MB private (measured).
"""

from typing import Any, NamedTuple

VERSION = 1

KINDS = frozenset(
    {
        "gap",
        "journal.stalled",
        "service.started",
        "service.restarted",
        "server.found",
        "server.lost",
        "session.created",
        "session.renamed",
        "session.closed",
        "window.renamed",
        "pane.opened",
        "pane.observed",
        "pane.unobserved",
        "pane.moved",
        "pane.respawned",
        "pane.exited",
        "pattern.matched",
        "sequence.matched",
        "threshold.matched",
        "exit.matched",
        "command.matched",
        "prompt.matched",
        "any.matched",
        "all.matched",
        "timeout.expired",
        "absence.expired",
        "idle.expired",
        "not-then.expired",
        "command.started",
        "command.finished",
        "subscription.created",
        "subscription.ended",
        "action.intended",
        "action.started",
        "action.finished",
        "action.interrupted",
        "action.refused",
        "action.suppressed",
        "action.rehearsed",
    }
)
USER = "user."  # what follows is the publisher's choice: the one open end of the set


def unknown_kind(kinds: str) -> str | None:
    """Of kinds as in a filter (`pane,gap`), the first that no event can be of or below; None if all can."""
    return next((kind for kind in kinds.split(",") if not _is_kind(kind)), None)


def _is_kind(wanted: str) -> bool:
    """Whether an event can be of this kind, or below it."""
    return f"{wanted}.".startswith(USER) or any(known == wanted or known.startswith(f"{wanted}.") for known in KINDS)


class Chunk(NamedTuple):
    """A piece of a pane's output.

    `stream` names one uninterrupted observation of a pane (its spool); `offset` counts its bytes from 0;
    `time` is when it was published (seconds since the epoch); `end`: nothing follows, `data` is empty.
    """

    server: str
    session: str
    pane: str
    stream: str
    offset: int
    time: float
    end: bool
    data: bytes


class Draft(NamedTuple):
    """An event before it has a number.

    `producer` and its source position (`position`, `key`) are its identity: the logger takes each once, so a
    restarted producer may send again what it does not know to be written. Positions of a producer only grow; at one
    position the keys differ. `ends`: producers that will never send again, so that the logger may forget them.
    """

    producer: str
    position: int
    key: str
    kind: str
    time: float
    server: str | None = None
    session: str | None = None
    window: str | None = None
    pane: str | None = None
    subscription: str | None = None
    data: dict[str, Any] = {}  # noqa: RUF012 (never changed: every producer makes its own)
    ends: list[str] = []  # noqa: RUF012


class Event(NamedTuple):
    """A numbered fact. `time` is ISO 8601 in UTC; `prev` has the number of the event before it in its own session,
    pane and subscription (0: none), so that a filtered subscriber sees a hole. The last four fields are the logger's."""

    n: int
    time: str
    kind: str
    server: str | None
    session: str | None
    window: str | None
    pane: str | None
    subscription: str | None
    data: dict[str, Any]
    prev: dict[str, int]
    producer: str
    position: int
    key: str
    ends: list[str]


class Head(NamedTuple):
    """The logger's heartbeat: the newest number `n` of the journal `log`."""

    log: str
    n: int


class Filter(NamedTuple):
    """Which events: each field that is set must fit. `kind` fits itself and what is below it (`pane` fits
    `pane.exited`); it may be several: `pane,gap`."""

    kind: str | None = None
    server: str | None = None
    session: str | None = None
    pane: str | None = None
    subscription: str | None = None


class Program(NamedTuple):
    """A pane's program that has ended; nulls where nobody knows how."""

    pid: int
    exit_status: int | None
    signal: int | None


# ---- requests: one type per verb; what their fields may hold beside their types is in `codec.decode_request` --------


class Put(NamedTuple):
    """To the logger: write these drafts (fields of `Draft` as lists). Answer: {head}."""

    drafts: list[list[Any]]


class Get(NamedTuple):
    """To the logger: events from number `since` on. Answer: {lines, next, damaged, head, first, log}; `lines` are JSON,
    `next` is where to go on, `damaged` the ranges [first, last] before that of which there are no events, whatever was
    wanted, `first` the oldest number kept."""

    since: int
    limit: int
    filter: list[Any]


class Positions(NamedTuple):
    """To the logger: where did these producers stop? Answer: {positions}, for the first of them, as many as fit a frame, a
    list [position, keys]; position -1 if one is unknown."""

    producers: list[str]


class Tip(NamedTuple):
    """To the logger: the newest event of this subscription. Answer: {n}, 0 if there is none."""

    subscription: str


class Status(NamedTuple):
    """To any role: how are you? Answer: {role, pid, started} and what the role counts."""


class Read(NamedTuple):
    """To a watcher: bytes of a stream. Answer: {offset, data, first, end, closed}: `offset` is moved up to `first`, the
    first byte still kept, where an older range was reclaimed; `end` is the spool's size."""

    stream: str
    offset: int
    limit: int


class Panes(NamedTuple):
    """To the keeper: the sessions and panes it knows, behind the place `after` (an empty text: from the first). Answer:
    {panes: [...], sessions: [...], next}, as many as fit a frame; `next` is the `after` to go on with, None behind the
    last."""

    after: str


class Finish(NamedTuple):
    """To the matcher: read this stream up to `end`. `over`: nothing follows in it; `exited`: nor in its pane. `program`:
    what has ended, a `Program` as a map. Answered when every event of it is in the journal."""

    server: str
    session: str
    pane: str
    stream: str
    end: int
    over: bool
    exited: bool
    program: dict[str, Any] | None = None


class Close(NamedTuple):
    """To the matcher: this session is closed; end the subscriptions that watch only it."""

    server: str
    session: str


class Subscribe(NamedTuple):
    """To the matcher: arm a subscription. The same `token` twice arms it once. `options`: those of
    `services/matcher/options.py`. Answer: {subscription}."""

    token: str
    kind: str
    patterns: list[str]
    server: str | None
    session: str | None
    pane: str | None
    options: dict[str, Any]


class Subscriptions(NamedTuple):
    """To the matcher: the subscriptions, by age, behind the one with the number `after` (0: from the first). Answer:
    {subscriptions: [...], next}, as many as fit a frame; `next` is the `after` to go on with, None behind the last."""

    after: int


class Explain(NamedTuple):
    """To the matcher: what a subscription (id or name) waits for, where, and what it has seen. Answer: {subscription,
    state, streams, ...}."""

    subscription: str


class Unsubscribe(NamedTuple):
    """To the matcher: end this subscription (id or name). Answer: {subscription}."""

    subscription: str


class Sent(NamedTuple):
    """To the matcher: this text is about to be typed into this pane; its echo is no output. Answer: {}."""

    server: str
    pane: str
    text: str


class Cancel(NamedTuple):
    """To the runner: end this action, or do not start it. Answer: {action}."""

    action: str


class Acted(NamedTuple):
    """To the runner: a command inside an action of this depth is about to act on this pane. Answer: {}."""

    server: str
    pane: str
    depth: int


Request = (
    Put | Get | Positions | Tip | Status | Read | Panes | Finish | Close
    | Subscribe | Subscriptions | Explain | Unsubscribe | Sent | Cancel | Acted
)  # fmt: skip
_KINDS: tuple[type[Request], ...] = (
    Put, Get, Positions, Tip, Status, Read, Panes, Finish, Close, Subscribe, Subscriptions, Explain, Unsubscribe, Sent,
    Cancel, Acted,
)  # fmt: skip
REQUESTS: dict[str, type[Request]] = {kind.__name__.lower(): kind for kind in _KINDS}
