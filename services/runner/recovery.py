"""Events that nobody can be told any more: what they would have set off is not done, and that is said.

What was armed by them is known by the matcher; until it has answered no event is decided.
"""

import time
from collections.abc import Callable

from ...client.gap import Gap
from ...shared.errors import CtmuxError
from ...shared.messages import Draft, Status, Subscriptions
from ...shared.service import Service
from .ask import Answer, ask
from .registry import Registry

_PATIENCE = 30.0  # seconds


class Recovery:
    """`done` is called when an answer has come."""

    def __init__(self, service: Service, registry: Registry, done: Callable[[], None]):
        self._service, self._registry, self._done = service, registry, done
        self._asked = 0

    @property
    def busy(self) -> bool:
        return self._asked > 0

    def missed(self, gap: Gap) -> Draft:
        """What is said of it."""
        self._asked += 2
        ask(self._service, "matcher", Subscriptions(), _PATIENCE, self._learn_armed)
        ask(self._service, "keeper", Status(), _PATIENCE, self._learn_servers)
        data = {"what": "actions", "start": gap.start, "end": gap.end, "reason": gap.reason}
        return Draft("runner/gaps", int(time.time() * 1e6), "", "gap", time.time(), data=data)

    def _learn_armed(self, answer: Answer) -> None:
        self._asked -= 1
        if not isinstance(answer, CtmuxError):
            for one in answer["subscriptions"]:
                self._registry.arm(one)
        self._done()

    def _learn_servers(self, answer: Answer) -> None:
        self._asked -= 1
        if not isinstance(answer, CtmuxError):
            self._registry.sockets |= {one["server"]: one["socket"] for one in answer["servers"]}
        self._done()
