"""Has the matcher finish a pane's output before the pane's exit is reported, so that the exit comes after every match."""

from collections import deque
from collections.abc import Callable
from typing import Any

from ...shared.messages import Close, Finish, Status
from ...shared.rpc import Call
from ...shared.service import Service

_PATIENCE = 10.0  # seconds; a matcher that is busy answers all the same, one that is gone comes back in a tenth of one


class Finisher:
    """Asks the matcher, one request after the other."""

    def __init__(self, service: Service, address: str):
        self._service = service
        self._address = address
        self._call = Call(service, address)
        self._closing = False
        self._queue: deque[tuple[Finish | Close, Callable[[], object]]] = deque()

    @property
    def busy(self) -> bool:
        return self._call.busy or bool(self._queue)

    def ask(self, request: Finish | Close, done: Callable[[], object]) -> None:
        """Call `done` when the matcher has answered, whatever it says."""
        self._queue.append((request, done))
        self._next()

    def _next(self) -> None:
        if self._call.busy or not self._queue:
            return
        request, done = self._queue.popleft()

        def answered(_result: Any) -> None:
            done()
            self._next()
            self._close_if_idle()

        self._call.start(request, answered, answered)

    def finish(self, request: Finish, done: Callable[[], object], gone: Callable[[], None]) -> None:
        """Call `done` when the stream is finished; before that `gone`, once, if no matcher is there to finish it."""
        waiting = [True]

        def answered() -> None:
            waiting.clear()
            done()

        self.ask(request, answered)
        self._watch(waiting, gone)

    def close(self) -> None:
        """Ask what waits, then close."""
        self._closing = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._closing and not self.busy:
            self._call.close()

    def _watch(self, waiting: list[bool], give_up: Callable[[], None]) -> None:
        """A matcher that answers will finish, however long its backlog is; one that does not must not hide the exit."""

        def look() -> None:
            if not waiting:
                return
            probe = Call(self._service, self._address)

            def gone() -> None:
                probe.close()
                give_up()

            def alive(_answer: Any) -> None:
                late.cancel()
                probe.close()
                self._watch(waiting, give_up)

            late = self._service.after(_PATIENCE, gone)
            probe.start(Status(), alive, alive)

        self._service.after(_PATIENCE, look)
