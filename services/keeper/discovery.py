"""Finding tmux servers: those that run, and those that start later. A socket file that nobody answers on is not one."""

import contextlib
import os
import stat
from collections.abc import Callable

from ...shared import inotify, tmux
from ...shared.service import Service
from . import patience

# A server binds its socket a moment before it listens, and answers when it has read its configuration.
_TRIES = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_OLDEST = (3, 2)
_AGAIN = 10.0  # seconds


class Discovery:
    """Calls `found` for each server that answers, once or more often."""

    def __init__(
        self,
        service: Service,
        sockets: list[str],
        found: Callable[[tmux.ServerInfo], None],
        identify: Callable[[str, float], tmux.ServerInfo] = tmux.identify,
    ):
        self._service = service
        self._found = found
        self._identify = identify
        self.refused: dict[str, str] = {}  # sockets where somebody is who is not watched, and why
        self._slow: dict[str, int] = {}  # sockets where somebody is who does not answer, and how often in a row
        self._only = {os.path.abspath(path) for path in sockets}
        self._folders: dict[int, str] = {}
        self._inotify = inotify.Inotify()
        for folder in sorted({os.path.dirname(path) for path in self._only} or {tmux.socket_directory()}):
            self._watch_again(folder, self.attempt)  # now: a keeper that answers observes what was there
        service.register(self._inotify, self._look)

    def _watch(self, folder: str) -> None:
        """tmux makes this directory in the same way when it is missing: tmux.c, make_label()."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, mode=0o700)
        self._folders[self._inotify.watch(folder, inotify.CREATE | inotify.MOVED_TO)] = folder

    def _inside(self, folder: str) -> list[str]:
        paths = [f"{folder}/{name}" for name in sorted(os.listdir(folder))]
        return [path for path in paths if not self._only or path in self._only]

    def _look(self) -> None:
        for event in self._inotify.read():
            folder = self._folders.get(event.wd)
            if folder and event.mask & inotify.IGNORED:  # somebody has removed it; the next server makes it again
                del self._folders[event.wd]
                self._watch_again(folder, self._soon)
            elif folder and event.name:
                self._consider(f"{folder}/{event.name}")

    def _watch_again(self, folder: str, then: Callable[[str], None]) -> None:
        try:
            self._watch(folder)
        except OSError as error:
            print(f"{folder}: {error}; trying again", flush=True)
            self._service.after(_AGAIN, lambda: self._watch_again(folder, self._soon))
            return
        for path in self._inside(folder):
            then(path)

    def _consider(self, path: str) -> None:
        if not self._only or path in self._only:
            self._soon(path)

    def _soon(self, path: str) -> None:
        self._try(path, 0)

    def _try(self, path: str, turn: int) -> None:
        self._service.after(_TRIES[turn], lambda: self.attempt(path, turn))

    def attempt(self, path: str, turn: int = 0) -> None:
        """Ask who listens on a socket."""
        slow = self._slow.pop(path, 0)
        before = self.refused.pop(path, None)
        try:
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                return
            info = self._identify(path, patience.limit(slow))
        except FileNotFoundError:
            return
        except tmux.ServerGone:
            if turn + 1 < len(_TRIES):
                self._try(path, turn + 1)
            return
        except tmux.Untrusted as error:
            self._refuse(path, str(error), before)
            return
        except tmux.TmuxError as error:  # somebody is there, and slow; or tmux cannot be run
            self._refuse(path, str(error), before)
            self._slow[path] = slow + 1
            self._service.after(patience.pause(slow + 1), lambda: self.attempt(path, len(_TRIES) - 1))
            return
        if info.is_at_least(*_OLDEST):
            self._found(info)
        else:
            self._refuse(path, f"tmux {info.version} is too old: ctmux needs 3.2 or later", before)

    def _refuse(self, path: str, reason: str, before: str | None) -> None:
        self.refused[path] = reason
        if reason != before:
            print(f"tmux server {path}: {reason}", flush=True)
