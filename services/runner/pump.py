"""A script of the client library inside a service's loop: what it asks is asked, what comes by the bus is given to it."""

import functools
from collections.abc import Callable
from typing import Any

import zmq

from ...client.script import SILENCE, Ask, Item, Receive, Script
from ...shared.errors import CtmuxError
from ...shared.rpc import Call
from ...shared.service import Service

_RETRY = 1.0  # seconds
_AT_ONCE = 200  # messages; then others have their turn


class Pump:
    """`take` gets each item, in order; no more is read while `full` says so, until `resume`."""

    def __init__(
        self, service: Service, socket: "zmq.Socket[bytes]", script: Script[None], take: Callable[[Item], None],
        full: Callable[[], bool],
    ):  # fmt: skip
        self._service, self._socket, self._script = service, socket, script
        self._take, self._full = take, full
        self._calls: dict[str, Call] = {}
        self._waits: Any = None  # what the script waits for
        self._held: Any = None  # an answer that it gets when there is room again
        self._listening = False
        self._heard = False  # since it was looked whether the bus is silent
        self._ended = False

    def start(self) -> None:
        self._go(None)
        self._service.after(SILENCE, self._look)

    def stop(self) -> None:
        """Nothing is taken any more."""
        self._ended = True
        self._listen(False)
        for call in self._calls.values():
            call.close()

    def resume(self) -> None:
        """There may be room again."""
        if self._held is not None and not self._full() and not self._ended:
            answer, self._held = self._held, None
            self._go(answer[0])

    def _go(self, answer: Any) -> None:
        """Run the script until it waits."""
        while not self._ended:
            if self._full():
                self._held = (answer,)
                self._listen(False)
                return
            step = self._script.send(answer)
            answer = None
            if isinstance(step, Ask):
                self._listen(False)  # or the loop would spin on what cannot be taken now
                call = self._calls.setdefault(step.role, Call(self._service, self._service.paths.control(step.role)))
                call.start(step.request, self._go, functools.partial(self._again, step))
                return
            if isinstance(step, Receive):
                self._listen(True)
                return
            self._take(step)

    def _again(self, step: Ask, _error: CtmuxError) -> None:
        """It was refused: by a logger that is just beginning, say."""

        def ask() -> None:
            if not self._ended:
                self._calls[step.role].start(step.request, self._go, functools.partial(self._again, step))

        self._service.after(_RETRY, ask)

    def _listen(self, wanted: bool) -> None:
        if wanted != self._listening:
            self._listening = wanted
            if wanted:
                self._service.register(self._socket, self._receive)
            else:
                self._service.unregister(self._socket)

    def _receive(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._listening:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._heard = True
            self._go(frames)

    def _look(self) -> None:
        """Tell the script if the bus is silent."""
        if self._ended:
            return
        silent, self._heard = not self._heard, False
        if silent and self._listening:
            self._go(None)
        self._service.after(SILENCE, self._look)
