"""A thread that keeps supervisord's programs equal to what tmux has: one watcher for each session, no more, no fewer.

A thread, because XML-RPC takes 10-80 ms. The wanted programs are generated include files, so they survive a restart of
supervisord; the loop is idempotent, so a keeper that is killed at any point heals at its next start.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ...shared import supervised
from ...shared.errors import CtmuxError
from ...shared.messages import Draft, Positions
from ...shared.paths import Paths
from ...shared.rpc import Client, wait_answer
from ...shared.service import Service
from .starts import start

if TYPE_CHECKING:
    from xmlrpc.client import ServerProxy

_SHUTDOWN_STATE, _STILL_RUNNING = 6, 91  # supervisor.xmlrpc.Faults
_AGAIN = 0.5  # seconds
_END_SECONDS = 4.0  # until a program has ended: stopwaitsecs, and a little
_PREFIX = "watcher-"
_PROGRAM = """\
[program:{name}]
command=/bin/sh -c 'exec "$CTMUX_PYTHON" -P -m ctmux.services.watcher {server} {number}'
priority=50
autorestart=unexpected
startsecs=1
startretries=1000000
stopwaitsecs=3
umask=077
redirect_stderr=true
stdout_logfile=%(here)s/../log/{name}.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=1
"""


class Session(NamedTuple):
    server: str
    number: int

    @property
    def program(self) -> str:
        """Made of ids: tmux's session names are not fit for supervisord (facts/reliability.md, A.1)."""
        return f"{_PREFIX}{self.server}-{self.number}"


class Supervision:
    """Reconciles in its own thread; `report` gets a draft for each process that started."""

    def __init__(self, service: Service, paths: Paths, report: Callable[[Draft], None]):
        self._service = service
        self._paths = paths
        self._report = report
        self._record = supervised.running(paths)
        self._wanted: set[Session] | None = None
        self._pids: dict[str, int] = {}
        self._wake = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="supervision").start()

    def want(self, sessions: set[Session]) -> None:
        """These sessions shall have a watcher."""
        self._wanted = sessions
        self._wake.set()

    def look(self) -> None:
        """A process has changed its state."""
        self._wake.set()

    def _run(self) -> None:
        if self._record is None:
            return  # run by hand, without supervisord
        self._wake.wait()
        from http.client import HTTPException  # 35 ms, which the keeper's first answer does not wait for
        from xmlrpc.client import Error, Fault

        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                with supervised.connect(self._record) as proxy:
                    if self._wanted is not None:
                        self._reconcile(proxy, set(self._wanted))
                    self._report_starts(proxy)
            except (OSError, Error, HTTPException, CtmuxError) as error:
                if isinstance(error, Fault) and error.faultCode == _SHUTDOWN_STATE:
                    return
                print(f"supervision: {error}; trying again", flush=True)
                self._wake.wait(_AGAIN)  # supervisord is starting or ending
                self._wake.set()

    def _reconcile(self, proxy: "ServerProxy", wanted: set[Session]) -> None:
        assert self._record is not None
        folder = self._record.services
        programs = {session.program: session for session in wanted}
        have = {name.removesuffix(".conf") for name in os.listdir(folder) if name.endswith(".conf")}
        for name in programs.keys() - have:
            self._write(folder, programs[name])
        for name in have - programs.keys():
            os.unlink(f"{folder}/{name}.conf")  # first: a restart of supervisord must not bring it back
        infos: Any = proxy.supervisor.getAllProcessInfo()
        running = {str(info["group"]) for info in infos}
        if have != programs.keys() or programs.keys() - running:
            proxy.supervisor.reloadConfig()
        missing = sorted(programs.keys() - running)
        if missing:
            calls: Any = [{"methodName": "supervisor.addProcessGroup", "params": [name]} for name in missing]
            proxy.system.multicall(calls)
        locks = {name.removesuffix(".lock") for name in os.listdir(self._paths.runtime) if name.endswith(".lock")}
        for name in sorted((running | have | locks) - programs.keys()):
            if name in running and name.startswith(_PREFIX):
                self._remove(proxy, name)
            if name.startswith(_PREFIX):
                self._forget(name)  # also of one that died between its removal and this

    def _write(self, folder: str, session: Session) -> None:
        path = f"{folder}/{session.program}"
        with open(f"{path}.tmp", "w") as file:
            file.write(_PROGRAM.format(name=session.program, server=session.server, number=session.number))
        os.rename(f"{path}.tmp", f"{path}.conf")  # the include pattern never sees half a file

    def _remove(self, proxy: "ServerProxy", name: str) -> None:
        assert self._record is not None
        from xmlrpc.client import Fault

        with contextlib.suppress(Fault):
            proxy.supervisor.stopProcessGroup(name, False)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            self._wake.clear()
            try:
                proxy.supervisor.removeProcessGroup(name)
            except Fault as fault:
                if fault.faultCode == _STILL_RUNNING:
                    self._wake.wait(_AGAIN)  # our plugin tells of its end
                    continue
            break
        self._wake.set()  # what it told of others is not seen yet

    def _forget(self, name: str) -> None:
        """Remove the files of a watcher that will never run again: no session has the same name."""
        assert self._record is not None
        logs = f"{self._record.logs}/{name}.log"
        for path in (logs, f"{logs}.1", self._paths.control(name), self._paths.lock(name)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _report_starts(self, proxy: "ServerProxy") -> None:
        """Report every process that is another one than at the last look, or than the journal knows."""
        assert self._record is not None
        logger: Client | None = None
        infos: Any = proxy.supervisor.getAllProcessInfo()
        for info in infos:
            name, pid = str(info["name"]), int(info["pid"])
            if not pid or self._pids.get(name) == pid:
                continue
            logger = logger or Client(self._service.context, self._paths.control("logger"))
            [known] = wait_answer(logger, Positions([f"service/{name}"]), 30.0)["positions"]
            self._pids[name] = pid
            draft = start(self._record.started, name, pid, int(info["start"]), known)
            if draft:
                self._report(draft)
        names = {info["name"] for info in infos}
        self._pids = {name: pid for name, pid in self._pids.items() if name in names}
        if logger:
            logger.close()
