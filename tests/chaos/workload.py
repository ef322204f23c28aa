"""The panes of a chaos run: some print for the whole run, others come and go, with their windows and sessions."""

import itertools
import os
import random
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from harness import World

PRINTER = str(Path(__file__).with_name("printer.py"))
LONG_PANES = 6
CHURN_SECONDS = 1.5  # between two births of panes that live for a moment


class Made(NamedTuple):
    """A pane whose fate is known: what it is called, how it will end, and whether its session ends with it."""

    name: str
    pane: str
    status: int
    session: str
    ends_session: bool


class Workload:
    """Opens panes in a thread until `stop`; `printed()` says how many lines came out of each in the end."""

    def __init__(self, world: World, seconds: float, rate: float, rng: random.Random):
        self._world, self._seconds, self._rate, self._rng = world, seconds, rate, rng
        self.folder = f"{world.root}/printed"
        self._stopping = threading.Event()
        self._numbers = itertools.count(1)
        self._thread = threading.Thread(target=self._churn, daemon=True)
        self.made: list[Made] = []
        os.makedirs(self.folder)

    def start(self) -> None:
        """The panes that print for the whole run, in two sessions."""
        for n in range(LONG_PANES):
            self._open(self._rate, self._seconds, ("new-window", "-d", "-t", f"{('main', 'other')[n % 2]}:"))
        self._thread.start()

    def _churn(self) -> None:
        while not self._stopping.wait(CHURN_SECONDS):
            n = next(self._numbers)
            if n % 4 == 0:
                self._open(40, 1.0, ("new-session", "-d", "-s", f"short{n}"), session=True)
            elif n % 4 == 1:
                self._open(40, 1.0, ("split-window", "-d", "-t", "other:0"))
                self._world.tmux("select-layout", "-t", "other:0", "tiled", check=False)
            else:
                self._open(40, 1.0, ("new-window", "-d", "-t", "main:"))

    def _open(self, rate: float, seconds: float, where: tuple[str, ...], session: bool = False) -> None:
        name, status = f"p{len(self.made)}", self._rng.randrange(100)
        arguments = [sys.executable, "-S", PRINTER, name, str(rate), str(seconds), self.folder, str(status)]
        pane, its = self._world.tmux(*where, "-P", "-F", "#{pane_id} #{session_id}", *arguments).split()
        self.made.append(Made(name, pane, status, its, ends_session=session))

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def printed(self) -> dict[str, int]:
        """Name -> lines, of the printers that have ended."""
        return {path.stem: int(path.read_text()) for path in Path(self.folder).glob("*.done")}

    def printed_in_main(self) -> dict[str, int]:
        """Those of the first session."""
        main = {made.name for made in self.made if made.session == "$0"}
        return {name: lines for name, lines in self.printed().items() if name in main}
