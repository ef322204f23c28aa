"""Has the matcher finish a pane's output before the pane's exit is reported, so that the exit comes after every match."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from ...shared.errors import CtmuxError
from ...shared.messages import Close, Finish, Status
from ...shared.rpc import Call
from ...shared.service import Service

_PATIENCE = 10.0  # seconds; a matcher that is busy answers all the same, one that is gone comes back in a tenth of one
_AGAIN = 1.0  # seconds until it is asked again for what it failed at


class _Asked(NamedTuple):
    request: Finish | Close
    done: Callable[[], object]


class Finisher:
    """Asks the matcher, one request after the other."""

    def __init__(self, service: Service, address: str):
        self._service = service
        self._address = address
        self._call = Call(service, address)
        self._closing = False
        self._queue: deque[_Asked] = deque()
        self._failed: list[_Asked] = []  # they are asked again

    @property
    def busy(self) -> bool:
        return self._call.busy or bool(self._queue or self._failed)

    def ask(self, request: Finish | Close, done: Callable[[], object]) -> None:
        """Call `done` when the matcher has done it."""
        self._put(_Asked(request, done))

    def _put(self, asked: _Asked) -> None:
        self._queue.append(asked)
        self._next()

    def _next(self) -> None:
        if self._call.busy or not self._queue:
            return
        asked = self._queue.popleft()

        def answered(_result: Any) -> None:
            asked.done()
            self._next()
            self._close_if_idle()

        def failed(error: CtmuxError) -> None:
            print(f"matcher: {error}; asking again", flush=True)
            self._failed.append(asked)
            self._service.after(_AGAIN, lambda: self._ask_again(asked))
            self._next()  # a request that always fails holds up no other

        self._call.start(asked.request, answered, failed)

    def _ask_again(self, asked: _Asked) -> None:
        self._failed.remove(asked)
        self._put(asked)

    def finish(self, request: Finish, done: Callable[[], object], gone: Callable[[], object]) -> None:
        """Call `done` when the stream is finished; before that `gone`, once, if no matcher is there that can finish it."""
        waiting = [True]

        def answered() -> None:
            waiting.clear()
            done()

        asked = _Asked(request, answered)
        self._put(asked)
        self._watch(asked, waiting, gone)

    def close(self) -> None:
        """Ask what waits, then close."""
        self._closing = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._closing and not self.busy:
            self._call.close()

    def _watch(self, asked: _Asked, waiting: list[bool], give_up: Callable[[], object]) -> None:
        """A matcher that answers will finish, however long its backlog is; one that does not, or fails, must not hide the
        exit."""

        def look() -> None:
            if not waiting:
                return
            if asked in self._failed:
                give_up()
                return
            probe = Call(self._service, self._address)

            def gone() -> None:
                probe.close()
                give_up()

            def alive(_answer: Any) -> None:
                late.cancel()
                probe.close()
                self._watch(asked, waiting, give_up)

            late = self._service.after(_PATIENCE, gone)
            probe.start(Status(), alive, alive)

        self._service.after(_PATIENCE, look)
