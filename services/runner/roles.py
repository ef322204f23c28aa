"""Questions to the other roles before there is a loop: each waits for its answer."""

from typing import Any

from ...shared.messages import Request
from ...shared.paths import Paths
from ...shared.rpc import Client, wait_answer

_PATIENCE = 30.0  # seconds


class Roles:
    def __init__(self, context: Any, paths: Paths):
        self._context, self._paths = context, paths
        self._clients: dict[str, Client] = {}

    def ask(self, role: str, request: Request) -> dict[str, Any]:
        """The answer. Raises CtmuxError."""
        client = self._clients.setdefault(role, Client(self._context, self._paths.control(role)))
        return wait_answer(client, request, _PATIENCE)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
