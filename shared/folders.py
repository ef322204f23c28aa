"""The folders of all spools, watched: which spool was made, has grown, was closed or has moved, in which session."""

import os
from typing import NamedTuple

from . import inotify, spool


class Touched(NamedTuple):
    """Something happened (`mask` of inotify) to a stream's spool in a session's folder."""

    server: str
    session: str
    stream: spool.Stream
    path: str
    mask: int


class Folders:
    """Poll `fileno()`, then `read()`. With `every`, servers and sessions that come later are watched by themselves."""

    def __init__(self, root: str, mask: int, every: bool):
        self._root, self._mask = root, mask
        self._inotify = inotify.Inotify()
        self._servers: dict[int, str] = {}
        self._sessions: dict[int, tuple[str, str]] = {}
        self._root_wd = self._inotify.watch(root, inotify.CREATE) if every else -1
        for server in os.listdir(root) if every else ():
            self.add(server)

    def fileno(self) -> int:
        return self._inotify.fd

    def add(self, server: str) -> list[Touched]:
        """Watch a server's folders; what is in them already, as if it had just been touched in every way."""
        found = []
        directory = f"{self._root}/{server}"
        try:
            self._servers[self._inotify.watch(directory, inotify.CREATE)] = server
            for folder in os.listdir(directory):
                found += self._add_session(server, folder)
        except (FileNotFoundError, NotADirectoryError):
            pass  # gone again
        return found

    def _add_session(self, server: str, folder: str) -> list[Touched]:
        session = spool.parse_session(folder)
        if session is None:
            return []
        path = f"{self._root}/{server}/{folder}"
        try:
            self._sessions[self._inotify.watch(path, self._mask)] = (server, session)
            names = os.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [each for name in names for each in self._touched(server, session, name, self._mask)]

    def _touched(self, server: str, session: str, name: str, mask: int) -> list[Touched]:
        stream = spool.parse_stream(name)
        if stream is None or not name.endswith(spool.RAW):
            return []
        path = f"{self._root}/{server}/{spool.session_folder(session)}/{name}"
        return [Touched(server, session, stream, path, mask)]

    def read(self) -> list[Touched]:
        """What has happened, in order. If the kernel lost some of it: everything that is there."""
        found: list[Touched] = []
        for event in self._inotify.read():
            if event.mask & inotify.Q_OVERFLOW:
                for server in {*self._servers.values(), *(os.listdir(self._root) if self._root_wd >= 0 else ())}:
                    found += self.add(server)
            elif event.mask & inotify.IGNORED:
                self._servers.pop(event.wd, None)
                self._sessions.pop(event.wd, None)
            elif event.wd == self._root_wd:
                found += self.add(event.name)
            elif event.wd in self._servers:
                found += self._add_session(self._servers[event.wd], event.name)
            elif event.wd in self._sessions:
                found += self._touched(*self._sessions[event.wd], event.name, event.mask)
        return found

    def close(self) -> None:
        self._inotify.close()
