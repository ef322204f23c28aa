"""The chaos: ends and freezes processes of an instance at random, and starts it again when supervisord was among them."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from ctmux.shared import supervised
from harness import World, until

STOP_SECONDS = (0.2, 6.0)


class Killer:
    """One deed after the other, in a thread, `every` seconds on average; `deeds` counts them by what and whom."""

    def __init__(self, world: World, every: float, rng: random.Random, stops: bool, others: Callable[[], dict[str, int]]):
        self._world, self._every, self._rng, self._stops = world, every, rng, stops
        self._others = others  # name -> pid of what supervisord does not run: our subscribers
        self._ending = threading.Event()
        self._frozen: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.deeds: Counter[str] = Counter()
        self.failure: str | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No deed any more; everybody goes on."""
        self._ending.set()
        self._thread.join()
        for timer in self._frozen:
            timer.join()

    def _run(self) -> None:
        while not self._ending.wait(self._rng.uniform(0.2, 1.8) * self._every):
            try:
                self._deed()
            except Exception as error:  # told in the report: a run without its chaos proves nothing
                self.failure = repr(error)
                return

    def _deed(self) -> None:
        targets = self.pids()
        what = self._rng.choices(["kill", "stop", "all"], [10, 3 if self._stops else 0, 1])[0]
        if what == "all":
            for pid in targets.values():
                _send(pid, signal.SIGKILL)
            self.deeds["kill all at once"] += 1
            self._start_again()
            return
        name = self._rng.choice(sorted(targets))
        role = name.partition("-")[0]
        if what == "kill":
            _send(targets[name], signal.SIGKILL)
            self.deeds[f"kill {role}"] += 1
            if role == "supervisord":
                self._start_again()
        elif _send(targets[name], signal.SIGSTOP):
            timer = threading.Timer(self._rng.uniform(*STOP_SECONDS), _send, (targets[name], signal.SIGCONT))
            timer.start()
            self._frozen.append(timer)
            self.deeds[f"stop {role}"] += 1

    def pids(self) -> dict[str, int]:
        """Name -> pid of everything of ours that runs."""
        record = supervised.running(self._world.paths)
        if record is None:
            return {}
        found = {"supervisord": record.pid}
        with contextlib.suppress(Exception), supervised.connect(record) as proxy:  # it is frozen, or starting
            infos: Any = proxy.supervisor.getAllProcessInfo()
            found |= {info["name"]: info["pid"] for info in infos if info["pid"]}
        return found | self._others()

    def _start_again(self) -> None:
        """As an init system would."""
        until(lambda: supervised.running(self._world.paths) is None, 20.0)
        self._world.start()


def _send(pid: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False
