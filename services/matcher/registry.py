"""All subscriptions: kept over restarts, found by scope and pattern, their patterns looked for together."""

import threading
from collections import deque

from ...shared.paths import Paths
from ...shared.service import Service, Timer
from .engine import Engine
from .filters import Literal
from .governor import Governor
from .index import Index
from .store import Store
from .subscription import Subscription

_GATHER = 0.1  # seconds from a new pattern to a merge: others come with it, and none waits for that


class Registry:
    """What is in the `store` as active is in the `index`, and its pattern in the `engine`."""

    def __init__(self, service: Service, paths: Paths):
        self._service = service
        self.store = Store(paths.subscriptions)
        self.index = Index()
        self.governor = Governor()
        self._bound: dict[str, dict[str, Subscription]] = {}  # pane or session -> those that end with it
        for subscription in self.store.active.values():
            self._enlist(subscription)
        self.engine = Engine(text for subscription in self.store.active.values() for text in subscription.texts)
        self._gathering: Timer | None = None
        self._made: deque[Literal] = deque()
        self._thread: threading.Thread | None = None

    @property
    def merging(self) -> bool:
        return self._thread is not None or self._gathering is not None

    def add(self, subscription: Subscription) -> None:
        """Keep it, and look for it from now on. Raises OSError."""
        self.store.add(subscription)
        self._enlist(subscription)
        self.engine.add(*subscription.texts)
        self._merge()

    def _enlist(self, subscription: Subscription) -> None:
        self.index.add(subscription)
        for scope in filter(None, (subscription.pane, subscription.session)):
            self._bound.setdefault(scope, {})[subscription.id] = subscription

    def bound_to(self, server: str, scope: str) -> list[Subscription]:
        """Those that look at this pane, or this session, alone."""
        return [found for found in self._bound.get(scope, {}).values() if found.server in (None, server)]

    def end(self, subscription: Subscription) -> None:
        """Look for it no more; it is kept until `forget`, when its end is in the journal."""
        if subscription.id in self.store.active:
            self.index.remove(subscription)
            for pattern in set(subscription.texts):
                if not self.index.wanted[pattern]:
                    self.engine.remove(pattern)
                    self.governor.forget(pattern)
            for scope in filter(None, (subscription.pane, subscription.session)):
                del self._bound[scope][subscription.id]
                if not self._bound[scope]:
                    del self._bound[scope]
        self.store.end(subscription)

    def forget(self, id: str) -> None:
        """Its end is in the journal. Raises OSError."""
        self.store.forget(id)
        self.store.renew(self._service)

    # ---- large filters, which a thread makes ----------------------------------------------------------------------

    def _merge(self) -> None:
        if not self.merging:
            self._gathering = self._service.after(_GATHER, self._merge_now)

    def _merge_now(self) -> None:
        self._gathering = None
        wanted = self.engine.to_merge()
        if wanted:
            self._thread = threading.Thread(target=self._make, args=(wanted,), daemon=True, name="filter")
            self._thread.start()

    def _make(self, patterns: list[str]) -> None:
        """In the thread. Hyperscan compiles without Python's lock, so matching goes on."""
        self._made.append(Literal(patterns))
        self._service.wake()

    def take(self) -> None:
        """Use what the thread has made; called after a wake."""
        while self._made:
            self._thread = None
            self.engine.install(self._made.popleft())
            self._merge()
