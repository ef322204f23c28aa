"""A request to subscribe becomes a subscription, or is refused with one clear line."""

import json
import os
import re
import time
from collections.abc import Iterable
from typing import Any

from ...shared import policy, specs, spool
from ...shared.errors import NoTarget, UsageError
from ...shared.messages import Subscribe
from . import options, pattern
from .store import Store
from .subscription import Subscription

_BACK = 4 << 20  # bytes
_SIZE_MOST = 1 << 17  # bytes: it is in the journal whole, where an event has at most four times as much
_LEVELS_MOST = 5  # of any and all that look at each other: an event has those of its members in it


def subscription(request: Subscribe, store: Store, root: str) -> Subscription:
    """The subscription that is asked for, not kept and not looked for yet. `root`: of the spools. Raises UsageError,
    NoTarget, Refused."""
    given = _read(request.kind, request.patterns, request.options)
    _check_ids(request.session, request.pane)
    if given.actions:
        allowed = policy.load()
        for action in map(specs.read, given.actions):
            policy.check(allowed, action)
            _check_secret(action.secret_file)
    given.members = [_member(member, store).id for member in given.members]
    if _levels(given.members, store) > _LEVELS_MOST:
        raise UsageError(f"{request.kind}: at most {_LEVELS_MOST} levels of any and all are supported")
    if given.start.isdigit() and not request.pane:
        raise UsageError("from an offset: name one pane, offsets are of one stream")
    if request.pane and request.server:
        _check_alive(root, request.server, request.pane)
    number = store.next_number()
    wanted = Subscription(
        f"s{number}", number, request.kind, request.patterns, request.server, request.session, request.pane, request.token,
        time.time(), given,
    )  # fmt: skip
    if len(json.dumps(wanted.public())) > _SIZE_MOST:
        raise UsageError(f"patterns and options are too large: at most {_SIZE_MOST >> 10} KiB as JSON are supported")
    return wanted


def _read(kind: str, patterns: list[str], asked: dict[str, Any]) -> options.Options:
    """What is asked for; what its actions would arm can be understood, too, as far as that is known before."""
    given = options.read(kind, patterns, asked)
    for text in patterns:
        pattern.check(text)
    _check("until", given.until)
    _check("text", given.text)
    for armed in (action.subscription for action in map(specs.read, given.actions)):
        if armed is not None:
            try:
                _read(armed["kind"], armed.get("patterns", []), specs.options_of(armed))
                _check_ids(armed.get("session"), armed.get("pane"))
            except UsageError as error:
                raise UsageError(f"arm: {error}") from None
    return given


def _check_ids(session: str | None, pane: str | None) -> None:
    """Names are for the command line, which knows of which tmux server. Raises UsageError."""
    for what, given, example in (("session", session, "$3"), ("pane", pane, "%12")):
        if given is not None and not re.fullmatch(rf"\{example[0]}\d+", given):
            raise UsageError(f"{what} {given!r}: an id such as {example} is expected")


def _check(option: str, text: str | None) -> None:
    """Raises UsageError, with the option that has the pattern."""
    try:
        if text is not None:
            pattern.check(text)
    except UsageError as error:
        raise UsageError(f"{option}: {error}") from None


def _check_secret(path: str | None) -> None:
    if path is not None and not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise UsageError(f"webhook: secret file {path}: it is no file that can be read")
    if path is not None and not os.path.getsize(path):
        raise UsageError(f"webhook: secret file {path}: it is empty")


def _member(wanted: str, store: Store) -> Subscription:
    found = store.find(wanted)
    if found.id not in store.active:
        raise NoTarget(f"{wanted} has ended")
    return found


def _levels(members: Iterable[str], store: Store) -> int:
    levels = 0
    while members := {of for id in members if id in store.active for of in store.active[id].options.members}:
        levels += 1
    return levels + 1


def _check_alive(root: str, server: str, pane: str) -> None:
    streams = [found for found in spool.walk_server(root, server) if found.stream.pane == pane]
    done = [spool.is_over(root, found.server, found.stream.name) for found in streams]
    if done and all(done):
        raise NoTarget(f"{pane} has exited")


def start(wanted: Subscription, root: str, found: spool.Spool) -> int | None:
    """From which offset of a stream on it counts, which is there when it is armed; None if it is gone by now."""
    return spool.wherever(root, found, lambda path: _start(wanted, path))


def _start(wanted: Subscription, path: str) -> int:
    """Raises FileNotFoundError: a spool that is gone is not an empty one, or the whole past would fire."""
    size = os.path.getsize(path)
    what, _, lines = wanted.options.start.partition(" ")
    if what == "now":
        return size
    if what == "start":
        return 0
    return _lines_back(path, size, int(lines)) if what == "last" else min(int(what), size)


def _lines_back(path: str, end: int, lines: int) -> int:
    """Where the last so many lines begin, prompts too, as `ctmux pane tail -n` counts; as far as that is looked for."""
    if not lines:
        return end
    piece = spool.read(path, max(0, end - _BACK), min(end, _BACK))
    data = piece.data[: max(0, end - piece.offset)]
    at = len(data) - data.endswith(b"\n")
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            break
    return piece.offset + at + 1
