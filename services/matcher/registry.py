"""All subscriptions: kept over restarts, found by scope and pattern, their patterns looked for together."""

from collections.abc import Sequence

from ...shared.paths import Paths
from ...shared.service import Service, Timer
from .cache import Cache
from .compilation import Compilation
from .engine import Engine
from .filters import Compiled
from .index import Index
from .store import Store
from .subscription import Subscription

_GATHER = 0.1  # seconds from a new pattern to its compilation: others come with it, and none waits for that


class Registry:
    """What is in the `store` as active is in the `index`, and its pattern in the `engine`."""

    def __init__(self, service: Service, paths: Paths):
        self._service = service
        self.store = Store(paths.subscriptions)
        self.index = Index()
        self.engine = Engine()
        self._gathering: Timer | None = None
        self._compilation = Compilation(service, self._compiled)
        self._cache = Cache(f"{paths.runtime}/filters")
        wanted = {found.pattern for found in self.store.active.values() if found.pattern}
        for compiled in self._cache.load():
            self.engine.restore(compiled, wanted)
        for subscription in self.store.active.values():
            self._enlist(subscription)

    @property
    def compiling(self) -> bool:
        return self._compilation.busy or self._gathering is not None

    def add(self, subscription: Subscription) -> None:
        """Keep it, and look for it from now on. Raises OSError."""
        self.store.add(subscription)
        self._enlist(subscription)

    def end(self, subscription: Subscription) -> None:
        """Look for it no more; it is kept until `forget`, when its end is in the journal."""
        if subscription.id in self.store.active:
            self.index.remove(subscription)
            if subscription.pattern is not None and not self.index.patterns[subscription.pattern]:
                self.engine.remove(subscription.pattern)
        self.store.end(subscription)

    def _enlist(self, subscription: Subscription) -> None:
        self.index.add(subscription)
        if subscription.pattern is not None:
            self.engine.add(subscription.pattern)
            self._compile()

    # ---- compiling -------------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        """Have the compiler make what is looked for more quickly together, a moment from now: more may come."""
        if not self.compiling and self._compilation.possible:
            self._gathering = self._service.after(_GATHER, self._compile_now)

    def _compile_now(self) -> None:
        self._gathering = None
        wanted = self.engine.to_compile()
        if wanted:
            self._compilation.start(wanted)

    def _compiled(self, asked: Sequence[str], patterns: list[str], database: bytes) -> None:
        """What the compiler did not take is looked for as before."""
        if patterns:
            compiled = Compiled(patterns, database)
            self.engine.install(compiled, asked)
            self._cache.keep(compiled, database, self.engine.compiled)
        else:
            self.engine.refuse(asked)
        self._compile()
