"""A pane that prints what a test tells it, and a subscription in one call."""

import os
import tempfile
from pathlib import Path

from ctmux.shared import spool
from harness import World, until


class Printer:
    """A pane that prints what it is told, byte for byte and without echo, and ends when it is told to."""

    def __init__(self, world: World, session: str = "main"):
        self._world = world
        path = f"{tempfile.mkdtemp(dir=world.root)}/fifo"
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR)
        command = f"stty -opost; cat {path}; sleep 0.1"
        self.pane = world.tmux("new-window", "-d", "-t", f"{session}:", "-P", "-F", "#{pane_id}", command)
        until(self.stream)
        self("ready\n")

    def stream(self) -> spool.Spool:
        (found,) = self._world.spools(self.pane)
        return found

    def printed(self) -> bytes:
        return Path(self.stream().path).read_bytes()

    def __call__(self, text: str) -> None:
        """Print, and wait until it is printed."""
        wanted = len(self.printed()) + len(text.encode())
        os.write(self._fd, text.encode())
        until(lambda: len(self.printed()) >= wanted)

    def end(self) -> None:
        os.close(self._fd)
        self._world.wait_event("pane.exited", pane=self.pane)


def subscribe(world: World, *arguments: str) -> str:
    """The id of a new subscription; it is armed."""
    return world.ctmux("subscribe", *arguments).stdout.strip()
