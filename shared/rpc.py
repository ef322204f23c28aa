"""Requests and replies: a ROUTER that answers, a DEALER that asks, with numbers, deadlines and one shape of failure.

Frames from client to server: [request number (8 bytes), request]; back: [request number, reply].
"""

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import zmq

from .bus import socket
from .codec import DecodeError, decode_reply, decode_request, encode_failure, encode_reply, encode_request
from .errors import CtmuxError, DeadlinePassed, NoDaemon, UsageError
from .messages import Request

Reply = Callable[[dict[str, Any]], None]
Handler = Callable[[Any, Reply], dict[str, Any] | None]
R = TypeVar("R")


class Server:
    """Answers requests. A handler returns the result, or None and calls `reply` later, or raises a CtmuxError."""

    def __init__(self, ctx: "zmq.Context[zmq.Socket[bytes]]", address: str):
        self.socket = socket(ctx, zmq.ROUTER)
        self.socket.bind(f"ipc://{address}")
        self._handlers: dict[type[Any], Handler] = {}

    def handle(self, kind: type[Any], handler: Handler) -> None:
        self._handlers[kind] = handler

    def receive(self) -> None:
        """Answer every request that waits."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) == 3:
                self._answer(frames[0], frames[1], frames[2])

    def _answer(self, peer: bytes, number: bytes, frame: bytes) -> None:
        def send(body: bytes) -> None:
            # A peer that has gone, or does not read, loses its answer; it asks again with a fresh socket.
            try:
                self.socket.send_multipart([peer, number, body], zmq.NOBLOCK)
            except zmq.Again:
                return

        try:
            request = decode_request(frame)
            handler = self._handlers.get(type(request))
            if handler is None:
                raise UsageError(f"this process does not answer {type(request).__name__.lower()!r}")
            result = handler(request, lambda late: send(encode_reply(late)))
        except DecodeError as error:
            send(encode_failure(UsageError(str(error))))
        except CtmuxError as error:
            send(encode_failure(error))
        except Exception as error:  # who asks would ask again, and end the next process, too
            sys.excepthook(type(error), error, error.__traceback__)
            send(encode_failure(CtmuxError(f"the service has a fault: {error!r}; see: ctmux daemon logs")))
        else:
            if result is not None:
                send(encode_reply(result))


class Client:
    """Asks one address, one request at a time, and waits for the answer."""

    def __init__(self, ctx: "zmq.Context[zmq.Socket[bytes]]", address: str):
        self._ctx = ctx
        self._address = address
        self._socket: zmq.Socket[bytes] | None = None
        self._number = 0

    def ask(self, request: Request, seconds: float = 5.0) -> dict[str, Any]:
        """The result. Raises NoDaemon if nobody answers in time, or the error of the reply."""
        deadline = time.monotonic() + seconds
        if self._socket is None:
            self._socket = dealer(self._ctx, self._address)
        self._number += 1
        number = self._number.to_bytes(8, "big")
        self._socket.send_multipart([number, encode_request(request)])
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not self._socket.poll(int(left * 1000) + 1):
                self.close()  # a late answer must not meet the next request
                raise NoDaemon(f"no answer within {seconds:g} s from {self._address}; see: ctmux status")
            frames = self._socket.recv_multipart()
            if len(frames) == 2 and frames[0] == number:
                return decode_reply(frames[1])

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None


def dealer(ctx: "zmq.Context[zmq.Socket[bytes]]", address: str) -> "zmq.Socket[bytes]":
    made = socket(ctx, zmq.DEALER)
    made.setsockopt(zmq.RECONNECT_IVL, 10)
    made.connect(f"ipc://{address}")
    return made


class Call:
    """One request at a time from inside a service's loop: sent again with a fresh socket until it is answered."""

    PATIENCE = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds of silence before it is sent again: a restart takes 0.1-0.2 s

    def __init__(self, service: Any, address: str):
        self._service = service
        self._address = address
        self._socket: zmq.Socket[bytes] | None = None
        self._number = 0
        self._request: Request | None = None
        self._done: Callable[[dict[str, Any]], None] = lambda _result: None
        self._failed: Callable[[CtmuxError], None] | None = None
        self._timer: Any = None
        self._tries = 0

    @property
    def busy(self) -> bool:
        return self._request is not None

    def start(
        self,
        request: Request,
        done: Callable[[dict[str, Any]], None],
        failed: Callable[[CtmuxError], None] | None = None,
    ) -> None:
        """Ask; `done` gets the result, `failed` the error of the reply."""
        self._request, self._done, self._failed, self._tries = request, done, failed, 0
        self._send()

    def _send(self) -> None:
        if self._request is None:
            return
        if self._socket is None:
            self._socket = dealer(self._service.context, self._address)
            self._service.register(self._socket, self._receive)
        self._number += 1
        self._socket.send_multipart([self._number.to_bytes(8, "big"), encode_request(self._request)], zmq.NOBLOCK)
        patience = self.PATIENCE[min(self._tries, len(self.PATIENCE) - 1)]
        self._tries += 1
        self._timer = self._service.after(patience, self._again)

    def _again(self) -> None:
        self._drop()
        self._send()

    def close(self) -> None:
        """Forget the request, if there is one."""
        self._request = None
        if self._timer is not None:
            self._timer.cancel()
        self._drop()

    def _drop(self) -> None:
        if self._socket is not None:
            self._service.unregister(self._socket)
            self._socket.close(linger=0)
            self._socket = None

    def _receive(self) -> None:
        while self._socket is not None:
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) != 2 or frames[0] != self._number.to_bytes(8, "big") or self._request is None:
                continue
            self._request = None
            self._timer.cancel()
            try:
                result = decode_reply(frames[1])
            except CtmuxError as error:
                if self._failed is None:
                    raise
                self._failed(error)
            else:
                self._done(result)


def wait_answer(client: Client, request: Request, seconds: float) -> dict[str, Any]:
    """Ask until somebody answers. Raises DeadlinePassed."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return client.ask(request, 0.25)
        except NoDaemon as error:
            if time.monotonic() > deadline:
                raise DeadlinePassed(str(error)) from error
