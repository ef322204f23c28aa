"""The moves beside a spool: from which offset on its pane is in another session, noted before the spool follows it."""

import bisect
import os
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from . import spool

_SUFFIX = "moves"
_offset = attrgetter("offset")


class Moved(NamedTuple):
    """What comes from byte `offset` on was printed in `session`, what came before in `origin`."""

    offset: int
    origin: str
    session: str


class Route(NamedTuple):
    """Which bytes of a stream are whose. `lies_in`: the session in whose folder the spool lies; it counts where no move is
    noted. `size`: of the notes, in bytes."""

    lies_in: str
    moves: Sequence[Moved] = ()
    size: int = 0

    def part(self, offset: int) -> tuple[str, int | None]:
        """The session that the byte at `offset` was printed in, and where its part ends (None: nowhere yet)."""
        following = bisect.bisect_right(self.moves, offset, key=_offset)
        session = self.moves[following - 1].session if following else self.moves[0].origin if self.moves else self.lies_in
        return session, self.moves[following].offset if following < len(self.moves) else None

    def session(self, offset: int) -> str:
        return self.part(offset)[0]

    def parts(self, start: int, end: int) -> list[tuple[str, int]]:
        """What is between two offsets, cut where the pane has moved: each session, and where its part ends."""
        found = []
        while start < end:
            session, until = self.part(start)
            start = end if until is None else min(end, until)
            found.append((session, start))
        return found

    def ahead(self, offset: int) -> set[str]:
        """The sessions from `offset` on, and where the spool lies."""
        return {self.lies_in, self.session(offset), *(moved.session for moved in self.moves if moved.offset > offset)}


def path(root: str, server: str, stream: str) -> str:
    return spool.meta(f"{root}/{server}", stream, _SUFFIX)


def read(notes: str) -> list[Moved]:
    """The moves in a file, oldest first; none if it is not there. What is damaged in it is left out."""
    found = []
    try:
        with open(notes, errors="replace") as file:
            for line in file:
                offset, _, sessions = line.partition(" ")
                origin, _, session = sessions.rstrip("\n").partition(" ")
                if line.endswith("\n") and offset.isdecimal() and session:
                    found.append(Moved(int(offset), origin, session))
    except FileNotFoundError:
        pass
    return found


def look(notes: str, known: Route, lies_in: str) -> Route:
    """The route as it is noted now. What was in the spool before this call has no move that is not in it."""
    size = spool.size(notes)
    return Route(lies_in, read(notes) if size != known.size else known.moves, size)


def add(notes: str, moved: Moved) -> None:
    """Raises OSError, and nothing is noted then."""
    line = b"%d %s %s\n" % (moved.offset, moved.origin.encode(), moved.session.encode())
    fd = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(fd).st_size
        if os.write(fd, line) < len(line):
            os.ftruncate(fd, size)
            raise OSError("no space left for a note")
    finally:
        os.close(fd)
