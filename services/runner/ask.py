"""One question to another role from inside the loop, with an end: an answer, an error, or silence."""

from collections.abc import Callable
from typing import Any

from ...shared.errors import CtmuxError, NoDaemon
from ...shared.messages import Request
from ...shared.rpc import Call
from ...shared.service import Service

Answer = dict[str, Any] | CtmuxError


def ask(service: Service, role: str, request: Request, seconds: float, done: Callable[[Answer], None]) -> None:
    """`done` is called once; with NoDaemon if nobody has answered in time."""
    call = Call(service, service.paths.control(role))

    def end(answer: Answer) -> None:
        timer.cancel()
        call.close()
        done(answer)

    timer = service.after(seconds, lambda: end(NoDaemon(f"the {role} has not answered within {seconds:g} s")))
    call.start(request, end, end)
