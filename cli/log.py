"""The log as the command line reads it: from its files, and from the daemon when it follows."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..shared import paths as where
from ..shared.errors import NoDaemon, NoTarget, UsageError
from .output import end_with_reader, say

if TYPE_CHECKING:
    from ..shared.messages import Event, Filter


def say_missing(number: int) -> None:
    """Events that were asked for by number and are no longer kept."""
    from ..shared import journal

    kept = journal.segments(where.resolve().journal)
    if number > 1 and kept and kept[0].first > number:
        say(f"ctmux: events {number}-{kept[0].first - 1} are missing: older than the journal keeps")


def subscription_id(wanted: str) -> str:
    """The id of the subscription that an id or a name means: of those that are armed, else of the last that had the name.
    Raises NoTarget."""
    if re.fullmatch(r"s\d+", wanted):
        return wanted
    from ..client import Client
    from ..shared.messages import Filter

    with contextlib.suppress(NoDaemon), Client() as client:
        armed = [known["id"] for known in client.subscriptions() if known["name"] == wanted]
        if len(armed) > 1:
            raise NoTarget(f"{len(armed)} subscriptions are named {wanted!r}; use an id: {', '.join(armed)}")
        if armed:
            return str(armed[0])
    ended = {
        event.subscription: event.n
        for event in stored(Filter(kind="subscription"), 1)
        if event.subscription and wanted == event.data.get("subscription", event.data).get("name")
    }
    if not ended:
        raise NoTarget(f"no subscription is named {wanted!r}, and the log has none that was; see: ctmux subscription list")
    last = max(ended, key=lambda id: ended[id])
    if len(ended) > 1:
        say(f"ctmux: {len(ended)} subscriptions were named {wanted!r}; this is the last, {last}")
    return last


def check_subscription(wanted: str) -> None:
    """Raise NoTarget if there is no such subscription, and was none as far back as the log goes."""
    from ..client import Client
    from ..shared.messages import Filter

    if next(stored(Filter(subscription=wanted), 1), None):
        return
    with contextlib.suppress(NoDaemon), Client() as client:
        if any(known["id"] == wanted for known in client.subscriptions()):
            return
    raise NoTarget(f"no subscription has the id {wanted!r}, and the log has no event of one; see: ctmux subscription list")


def stored(wanted: "Filter", number: int) -> Iterator["Event"]:
    """What the files have; the daemon need not run. What is damaged is told, and passed over."""
    from ..shared import journal
    from ..shared.messages import Event

    directory = where.resolve().journal
    while True:
        page = journal.read(directory, number, 1000, wanted)
        for found in journal.entries(page.lines, page.damaged):
            if isinstance(found, Event):
                yield found
            else:
                from ..client import Gap  # seldom, and it costs a command its sockets

                say(f"ctmux: {Gap(*found, journal.DAMAGED)}; see: ctmux events verify")
        if page.next <= number:
            return
        number = page.next


def former_session(name: str, socket: str) -> tuple[str | None, str] | None:
    """(server key, id) of the last session with this name on the tmux server of a socket, as far as the log goes back."""
    from ..shared.messages import Filter

    servers, found = set(), {}
    for event in stored(Filter("server.found,session"), 1):
        if event.kind == "server.found" and os.path.realpath(event.data["socket"]) == os.path.realpath(socket):
            servers.add(event.server)
        elif event.server in servers and event.session and name in (event.data.get("name"), event.data.get("previous")):
            found[event.server, event.session] = event.n
    if not found:
        return None
    last = max(found, key=lambda one: found[one])
    if len(found) > 1:
        say(f"ctmux: {len(found)} sessions were named {name!r}; this is the last, {last[1]}")
    return last


def following(since: int | None, wanted: "Filter", timeout: float | None) -> Iterator["Event"]:
    """What comes; with `since`, from that number on."""
    from ..client import Client, Gap
    from ..shared.messages import Tip

    end_with_reader()
    with Client() as client:
        head = client.status("logger")["head"]
        if since is not None and since > head + 1:  # waiting for it could mean to pass over all events of a newer log
            raise UsageError(f"--since {since}: the log ends with event {head}; without --since you see what comes")
        if wanted.subscription and not client.ask("logger", Tip(wanted.subscription))["n"]:
            check_subscription(wanted.subscription)
        for item in client.events(since, **wanted._asdict(), timeout=timeout):
            if isinstance(item, Gap):
                say(f"ctmux: {item}")
            else:
                yield item
