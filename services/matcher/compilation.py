"""The compiler at work: one at a time, in another process that can be given up."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import msgpack

from ...shared.service import Service, Timer

_PATIENCE = 120.0  # seconds; 10,000 patterns take 5-8


class Compilation:
    """`done` is called with (what was asked, what could be compiled, the database of that): empty where it failed."""

    def __init__(self, service: Service, done: Callable[[Sequence[str], list[str], bytes], None]):
        self.possible = find_spec("hyperscan") is not None  # some platforms have no wheel
        self._service = service
        self._done = done
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._output = -1
        self._late: Timer | None = None
        self._asked: Sequence[str] = ()

    @property
    def busy(self) -> bool:
        return self._process is not None

    def start(self, patterns: Sequence[str]) -> None:
        """Compile these; nothing is under way."""
        self._asked = patterns
        # Files in memory, not pipes: neither side ever waits for the other.
        given, self._output = os.memfd_create("patterns"), os.memfd_create("database")
        with os.fdopen(given, "wb+") as file:
            file.write(msgpack.packb(patterns))
            file.seek(0)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ctmux.services.matcher.compiler"], stdin=file, stdout=self._output
            )
        self._pidfd = os.pidfd_open(self._process.pid)
        self._service.register(self._pidfd, self._ended)
        self._late = self._service.after(_PATIENCE, self._kill)

    def _kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        assert self._process is not None and self._late is not None
        self._service.unregister(self._pidfd)
        os.close(self._pidfd)
        self._late.cancel()
        status = self._process.wait()
        self._process = None
        with os.fdopen(self._output, "rb") as file:
            file.seek(0)
            answer = file.read()
        compiled, database = msgpack.unpackb(answer) if status == 0 else ([], b"")
        if status:
            print(f"patterns: the compiler ended with {status}; they are looked for by their literals", flush=True)
        self._done(self._asked, compiled, database)
