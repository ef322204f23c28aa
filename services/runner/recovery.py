"""Events that nobody can be told any more: what they would have set off is not done, and that is said.

What was armed by them is known by the matcher; until it has answered no event is decided.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from ...client.gap import Gap
from ...shared.errors import CtmuxError
from ...shared.messages import Draft, Request, Status, Subscriptions
from ...shared.service import Service
from .ask import Answer, ask
from .registry import Registry

_PATIENCE = 30.0  # seconds; then it is asked anew
_AGAIN = 1.0  # seconds


class Recovery:
    """`done` is called when all answers have come. Without one nothing is decided: a matcher that is not there matches
    nothing, either."""

    def __init__(self, service: Service, registry: Registry, done: Callable[[], None]):
        self._service, self._registry, self._done = service, registry, done
        self._asked = 0

    @property
    def busy(self) -> bool:
        return self._asked > 0

    def missed(self, gap: Gap) -> Draft:
        """What is said of it."""
        self._asked += 2
        self._ask("matcher", Subscriptions(0), self._learn_armed)
        self._ask("keeper", Status(), self._learn_servers)
        data = {"what": "actions", "start": gap.start, "end": gap.end, "reason": gap.reason}
        producer = f"runner/gaps/{uuid.uuid4().hex}"  # its own: the clock, as a position, may be set back
        return Draft(producer, 0, "", "gap", time.time(), data=data, ends=[producer])

    def _ask(self, role: str, request: Request, learn: Callable[[dict[str, Any]], None]) -> None:
        def answered(answer: Answer) -> None:
            if isinstance(answer, CtmuxError):
                print(f"what is armed after a gap: {answer}; asking again", flush=True)
                self._service.after(_AGAIN, lambda: self._ask(role, request, learn))
                return
            learn(answer)
            self._asked -= 1
            self._done()

        ask(self._service, role, request, _PATIENCE, answered)

    def _learn_armed(self, answer: dict[str, Any]) -> None:
        for one in answer["subscriptions"]:
            self._registry.arm(one)
        if answer["next"] is not None:
            self._asked += 1
            self._ask("matcher", Subscriptions(answer["next"]), self._learn_armed)

    def _learn_servers(self, answer: dict[str, Any]) -> None:
        self._registry.sockets |= {one["server"]: one["socket"] for one in answer["servers"]}
