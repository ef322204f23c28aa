"""What it takes to do an action: the loop, the bounds, the policy, what is known of servers, and who is told."""

import os
from collections.abc import Callable
from typing import NamedTuple

from ...shared.config import RunnerConfig
from ...shared.messages import Draft
from ...shared.policy import Policy
from ...shared.service import Service
from .book import Book
from .intent import Intent
from .kin import RUNNER
from .plan import Cause, Plan, make


class Means(NamedTuple):
    """`policy`: as it is now; `token`: of this runner, in the environment of all that it starts; `log`: which journal;
    `tell`: takes what happens between the intent of an action and its end."""

    service: Service
    config: RunnerConfig
    book: Book
    policy: Callable[[], Policy]
    token: str
    log: str
    tell: Callable[[list[Draft]], None]

    def cause(self, intent: Intent) -> Cause:
        assert intent.event
        server = intent.action.server or intent.event.server or ""
        socket = self.book.registry.sockets.get(server)
        return Cause(intent.event, intent.id, intent.attempt, intent.depth, intent.name, socket)

    def plan(self, intent: Intent, policy: Policy, group: int | None = None, clients: tuple[str, ...] = ()) -> Plan:
        """What would run. Raises CtmuxError."""
        action = intent.action
        action = action._replace(timeout=action.timeout or self.config.timeout)
        environ = {**os.environ, "CTMUX_INSTANCE": self.service.paths.instance}
        made = make(action, self.cause(intent), environ, policy, group, clients)
        return made._replace(env={**made.env, RUNNER: self.token})
