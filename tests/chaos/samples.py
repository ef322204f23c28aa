"""Memory and disk of a chaos run over time: private memory of each process of ours, and of tmux."""

import contextlib
import os
import re
import time
from pathlib import Path

from harness import World

EVERY_SECONDS = 60.0


class Samples:
    """One line each minute; `show` prints them."""

    def __init__(self, world: World):
        self._world = world
        self._began = time.monotonic()
        self._taken: list[tuple[float, dict[str, float]]] = []

    def take_if_due(self) -> None:
        if not self._taken or time.monotonic() - self._began - self._taken[-1][0] >= EVERY_SECONDS:
            self._taken.append((time.monotonic() - self._began, self._sample()))

    def _sample(self) -> dict[str, float]:
        """MB by what it is of."""
        found: dict[str, float] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                environ = (folder / "environ").read_bytes().decode(errors="replace")
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                name = _name(words)
                if name and self._world.root in environ:
                    found[name] = max(found.get(name, 0.0), _private(folder))
        found["spools"] = _disk(self._world.paths.spool)
        found["journal"] = _disk(self._world.paths.journal)
        return found

    def show(self) -> None:
        """MB over time, a column each."""
        names = sorted({name for _at, sample in self._taken for name in sample})
        print("\nprivate memory and disk, MB\n" + " ".join([f"{'min':>4s}", *(f"{name:>11s}" for name in names)]))
        for at, sample in self._taken:
            print(" ".join([f"{at / 60:4.0f}", *(f"{sample.get(name, float('nan')):11.1f}" for name in names)]))


def _name(words: list[str]) -> str | None:
    for word in words:
        if word.startswith("ctmux.services."):
            return word.rpartition(".")[2]
        if word == "supervisor.supervisord":
            return "supervisord"
        if word.endswith("subscriber.py"):
            return f"sub-{words[words.index(word) + 1]}"
    return "tmux" if words[0].endswith("tmux") and "new-session" in words else None


def _private(folder: Path) -> float:
    text = (folder / "smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE)) / 1024


def _disk(root: str) -> float:
    total = 0
    for folder, _folders, files in os.walk(root):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.stat(f"{folder}/{name}").st_blocks * 512
    return total / 1e6
