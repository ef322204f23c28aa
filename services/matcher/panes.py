"""What the matcher is told of panes and sessions: that one has ended, and what is typed into one."""

import time
from typing import Any

from ...shared.codec import build
from ...shared.messages import Close, Finish, Program, Sent
from ...shared.outbox import Outbox
from ...shared.rpc import Reply, Server
from .context import Context
from .echoes import Echoes
from .history import History
from .life import Life
from .reader import Reader
from .registry import Registry
from .rules import Rules
from .silence import Silence
from .subscription import EXIT

_SENT_MOST = 65536  # characters of a text whose echo is looked for


class Panes:
    """Ends are answered when all that follows from them is in the journal."""

    def __init__(
        self, server: Server, registry: Registry, rules: Rules, outbox: Outbox, life: Life, reader: Reader,
        silence: Silence, context: Context, echoes: Echoes, history: History,
    ):  # fmt: skip
        self._registry, self._rules, self._outbox, self._life, self._reader = registry, rules, outbox, life, reader
        self._silence, self._context, self._echoes, self._history = silence, context, echoes, history
        server.handle(Finish, self._finish)
        server.handle(Close, self._close)
        server.handle(Sent, self._sent)

    def _finish(self, request: Finish, reply: Reply) -> None:
        """Evaluate a stream to its end; answer when all of it is in the journal."""
        program = build(Program, request.program, []) if request.program is not None else None

        def finished() -> None:
            if request.over:
                self._context.over(request.server, request.stream)
                self._silence.over(request.server, request.stream)
            if program:
                self._exited(request, program)
            if request.over:
                stream = f"{request.server}/{request.stream}"
                for subscription in self._registry.store.active.values():
                    subscription.armed.pop(stream, None)
            self._rules.once_told(request.server, request.pane, ended)

        def ended() -> None:
            if request.exited:
                self._end_all(request.server, request.pane, "pane exited")
            self._answer(reply)

        def told() -> None:
            self._rules.once_told(request.server, request.pane, finished)

        self._reader.finish(request, lambda: self._history.once_told(request.server, request.stream, told))

    def _exited(self, request: Finish, program: Program) -> None:
        """Tell that a pane's program has ended, before that is in the journal: nothing of a pane comes after its exit."""
        owners = self._registry.index.owners(EXIT, request.server, request.session, request.pane)
        waiting = self._rules.waiting_for(request.server, request.pane)
        fact = {
            "is": "exit", "at": time.time(), "key": f"exit/{request.server}/{request.pane}/{program.pid}", "position": 0,
            "server": request.server, "session": request.session, "pane": request.pane, "stream": request.stream,
            **program._asdict(),
        }  # fmt: skip
        self._rules.tell([(id, fact) for id in (*(owner.id for owner in owners), *waiting)])

    def _close(self, request: Close, reply: Reply) -> None:
        self._end_all(request.server, request.session, "session closed")
        self._answer(reply)

    def _end_all(self, server: str, scope: str, reason: str) -> None:
        for subscription in self._registry.bound_to(server, scope):
            self._rules.settle(subscription.id)  # which may end it, or another
        for subscription in self._registry.bound_to(server, scope):
            self._life.end(subscription, reason)

    def _answer(self, reply: Reply) -> None:
        self._rules.once_saved(lambda: self._outbox.put([], lambda: reply({})))

    def _sent(self, request: Sent, _reply: Reply) -> dict[str, Any]:
        self._echoes.sent(request.server, request.pane, request.text[:_SENT_MOST])
        return {}
