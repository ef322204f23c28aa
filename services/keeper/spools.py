"""The spools of one tmux server's panes: they follow their panes, and outlive them for a while."""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable

from ...shared import moves, spool
from .kept import Kept
from .pane import Move, Pane


def remove(directory: str) -> None:
    """Remove the spools of a server that is gone."""
    from shutil import rmtree  # 10 ms, which the keeper's first answer does not wait for

    rmtree(directory, ignore_errors=True)


class Spools:
    """The directory `<runtime>/spool/<server>`, as its keeper handles it."""

    def __init__(self, root: str, server: str, kept: Kept, lives: Callable[[str], bool]):
        self._kept = kept
        self._lives = lives  # is there such a session?
        self._root = root
        self._server = server
        self.directory = f"{root}/{server}"
        os.makedirs(f"{self.directory}/meta", mode=0o700, exist_ok=True)

    def walk(self) -> list[spool.Spool]:
        return spool.walk_server(self._root, self._server)

    def has(self, pane: str) -> bool:
        """Whether there is a stream of this pane, told or not."""
        return any(found.stream.pane == pane and not self.is_over(found.stream.name) for found in self.walk())

    def find(self, stream: str | None) -> str | None:
        """Where a stream's spool lies; None if it is gone."""
        return spool.find(self._root, self._server, stream) if stream else None

    def size(self, stream: str | None) -> int:
        path = self.find(stream)
        return spool.size(path) if path else 0

    def follow(self, due: list[Move]) -> None:
        """Put spools where their panes are now, and take the moves as made; those that a full disk hinders stay `due`."""
        while due:
            try:
                self._follow(due[0])
            except OSError as error:
                print(f"{self.directory}: {due[0].stream} cannot follow its pane: {error}", flush=True)
                return
            del due[0]

    def _follow(self, move: Move) -> None:
        """The old and the new watcher see it, the spool's writer does not notice. Raises OSError."""
        path = self.find(move.stream)  # a keeper that was killed may have put it elsewhere, and not said so
        if path:
            self._note(move, path)  # first: whoever reads it there, knows
            folder = f"{self.directory}/{spool.session_folder(move.session)}"
            os.makedirs(folder, mode=0o700, exist_ok=True)
            os.rename(path, f"{folder}/{move.stream}{spool.RAW}")
            self.tidy(spool.parse_session(os.path.basename(os.path.dirname(path))))
        self.tidy(move.origin)

    def note(self, move: Move) -> int:
        """Note a move, unless it is; the offset from which on the stream is in the other session. What a full disk hinders
        is noted when the spool follows."""
        path = self.find(move.stream)
        if path is None:
            return 0
        try:
            return self._note(move, path)
        except OSError:
            return spool.size(path)

    def _note(self, move: Move, path: str) -> int:
        """Raises OSError."""
        notes = moves.path(self._root, self._server, move.stream)
        last = moves.read(notes)[-1:]
        if last and last[0].session == move.session:
            return last[0].offset
        offset = spool.size(path)
        moves.add(notes, moves.Moved(offset, move.origin, move.session))
        return offset

    def astray(self, panes: Iterable[Pane]) -> list[Move]:
        """Moves of a keeper that was killed before it said so, where the panes have gone back meanwhile."""
        found = []
        for pane in panes:
            last = moves.read(moves.path(self._root, self._server, pane.stream))[-1:] if pane.stream else []
            if pane.stream and last and last[0].session != pane.session:
                found.append(Move(pane.stream, last[0].session, pane.session))
        return found

    def is_over(self, stream: str) -> bool:
        """Whether nothing will follow in this stream, which is kept for its history."""
        return spool.is_over(self._root, self._server, stream)

    def mark_over(self, stream: str) -> bool:
        """Say to whoever starts later that all of this stream is matched. False if the disk is full."""
        try:
            with open(spool.meta(self.directory, stream, "done"), "wb"):
                return True
        except OSError:
            return False

    def keep_for_a_while(self, stream: str) -> bool:
        """Mark a spool as over, and have it dropped when nobody can be reading it any more. Whether it could be marked."""
        marked = self.mark_over(stream)
        self._kept.add(self._server, stream)
        return marked

    def tidy_old(self, listed: Collection[str]) -> None:
        """Remove the empty folders of sessions that went while no keeper ran. tmux's ids only grow: one above all that are
        listed may be just beginning."""
        newest = max((int(session[1:]) for session in listed), default=-1)
        for session in filter(None, map(spool.parse_session, os.listdir(self.directory))):
            if session not in listed and int(session[1:]) < newest:
                self.tidy(session)

    def tidy(self, session: str | None) -> None:
        """Remove the folder of a session that is gone, unless spools in it are kept: somebody watches each folder."""
        if session and not self._lives(session):
            with contextlib.suppress(OSError):
                os.rmdir(f"{self.directory}/{spool.session_folder(session)}")
