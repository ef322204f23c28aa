"""Tests that leave an instance as it is share one: each has tmux servers, a home and events of its own."""

import itertools
import os
from typing import Any

from ctmux.shared import spool, supervised
from harness import Command, World, until


def processes(world: World) -> dict[str, int]:
    """The pids of all programs of an instance: of its roles, and of the watchers of sessions."""
    record = supervised.running(world.paths)
    assert record, "no supervisord runs"
    with supervised.connect(record) as proxy:
        infos: Any = proxy.supervisor.getAllProcessInfo()
    return {info["name"]: info["pid"] for info in infos} | {"supervisord": record.pid}


class Guest(World):
    """A world in an instance that runs: it sees what happens from its begin on, and ends what it began."""

    def __init__(self, host: World, number: int) -> None:
        super().__init__(command=host.command)
        self._host, self._number = host, number
        self.env |= {name: host.env[name] for name in ("TMUX_TMPDIR", "CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR")}
        self.paths, self.log = host.paths, host.log
        self.first = self.log.forget(self.paths.journal) + 1

    def tmux(self, *arguments: str, name: str = "t", config: str = "/dev/null", check: bool = True) -> str:
        return super().tmux(*arguments, name=f"{name}{self._number}", config=config, check=check)

    def socket(self, name: str = "t") -> str:
        return self._host.socket(f"{name}{self._number}")

    def start(self) -> None:
        """It runs: only wait until it has found the tmux server."""
        self.wait_event("pane.observed", pane="%0")

    def stop(self) -> None:
        raise AssertionError("a guest must not stop the instance: use the fixture `daemon`")

    def spools(self, pane: str) -> list[spool.Spool]:
        mine = {event["server"] for event in self.events("server.found")}
        return [found for found in super().spools(pane) if found.server in mine]

    def close(self) -> None:
        """End its tmux servers and subscriptions, and wait until that is reported."""
        try:
            folder = os.path.dirname(self.socket())
            for name in os.listdir(folder):
                self._host.tmux("kill-server", name=name, check=False)
            until(lambda: len(self.events("server.lost")) == len(self.events("server.found")))
            while left := self.data("subscription", "list"):  # the newest first: it may look at others
                self.ctmux("subscription", "remove", left[-1]["id"])
                self.wait_event("subscription.ended", subscription=left[-1]["id"])
        finally:
            until(self._removed)


class Shared:
    """The instance that guests share. After a guest that failed, or left it otherwise than it was, there is another one."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._numbers = itertools.count()
        self._host: World | None = None
        self._processes: dict[str, int] = {}

    def welcome(self) -> Guest:
        if self._host is None:
            self._host = World(command=self._command)
            try:
                self._host.start()
                self._processes = processes(self._host)
            except BaseException:
                self.close()
                raise
        return Guest(self._host, next(self._numbers))

    def part(self, guest: Guest, failed: bool) -> None:
        host = self._host
        assert host
        try:
            guest.close()
            until(lambda: processes(host) == self._processes)
        except BaseException:
            failed = True
            raise
        finally:
            if failed:
                self.close()

    def close(self) -> None:
        host, self._host = self._host, None
        if host:
            host.close()
