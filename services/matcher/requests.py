"""What is asked of the matcher by those who subscribe: subscribe, unsubscribe, list, explain."""

import time
from collections.abc import Mapping
from typing import Any

from ...shared import spool
from ...shared.errors import CtmuxError
from ...shared.messages import Explain, Subscribe, Subscriptions, Unsubscribe
from ...shared.outbox import Outbox
from ...shared.page import page
from ...shared.rpc import Reply, Server
from . import arming, drafts
from .explain import explain
from .life import Life
from .reader import Reader
from .registry import Registry
from .rules import Rules
from .stream import StreamState
from .subscription import Subscription


class Requests:
    """Answers them when what follows from them is in the journal."""

    def __init__(
        self, server: Server, root: str, registry: Registry, rules: Rules, outbox: Outbox, life: Life, reader: Reader,
        streams: Mapping[str, StreamState],
    ):  # fmt: skip
        self._root, self._registry, self._store, self._rules = root, registry, registry.store, rules
        self._outbox, self._life, self._reader, self._streams = outbox, life, reader, streams
        server.handle(Subscribe, self._subscribe)
        server.handle(Subscriptions, self._list)
        server.handle(Explain, self._explain)
        server.handle(Unsubscribe, self._unsubscribe)

    def _subscribe(self, request: Subscribe, reply: Reply) -> dict[str, Any] | None:
        known = self._store.by_token(request.token)
        if known:  # asked again: the answer is the same, and not sooner
            self._outbox.put([], lambda: reply({"subscription": known.public()}))
            return None
        if self._outbox.trouble:
            raise CtmuxError(f"nothing can be subscribed now: {self._outbox.trouble}")
        subscription = arming.subscription(request, self._store, self._root)
        self._arm(subscription)
        try:
            self._registry.add(subscription)
        except OSError as error:
            raise CtmuxError(f"the subscription cannot be saved: {error}") from error
        created = drafts.created(subscription)
        self._outbox.put([created], lambda: reply({"subscription": subscription.public()}))
        if not subscription.plain:
            self._rules.add(subscription)
        self._life.begin(subscription)
        return None

    def _arm(self, subscription: Subscription) -> None:
        """From here on it counts: everything that is in the spools now was there before."""
        for found in spool.walk(self._root):
            key = f"{found.server}/{found.stream.name}"
            if subscription.pane in (None, found.stream.pane):
                start = arming.start(subscription, self._root, found)
                if start is not None:
                    subscription.armed[key] = start
            covered = subscription.covers(found.server, found.session, found.stream.pane)
            if covered and not self._is_wanted(found) and not spool.is_over(self._root, found.server, found.stream.name):
                self._reader.begin(found)

    def _is_wanted(self, found: spool.Spool) -> bool:
        """Whether others look at what comes in this stream, or at what is still to be read of it."""
        state = self._streams.get(f"{found.server}/{found.stream.name}")
        if state is None:
            return False
        self._reader.look_at_moves(state, found.session)
        ahead = state.route.ahead(state.lines.end)
        return any(self._registry.index.covers(state.server, session, state.pane) for session in ahead)

    def _list(self, request: Subscriptions, _reply: Reply) -> dict[str, Any]:
        known = ((one.number, one) for one in self._store.active.values())
        shown, following = page(known, request.after, Subscription.public)
        return {"subscriptions": shown, "next": following}

    def _explain(self, request: Explain, _reply: Reply) -> dict[str, Any]:
        subscription = self._store.find(request.subscription)
        return explain(subscription, self._rules.by_id.get(subscription.id), self._streams.values(), time.time())

    def _unsubscribe(self, request: Unsubscribe, reply: Reply) -> None:
        subscription = self._store.find(request.subscription)
        self._life.end(subscription, "removed", done=lambda: reply({"subscription": subscription.public()}))
