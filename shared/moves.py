"""The moves beside a spool: from which offset on its pane is in another session, noted before the spool follows it."""

import contextlib
import os
from collections.abc import Sequence
from typing import NamedTuple

SUFFIX = "moves"


class Moved(NamedTuple):
    """What comes from byte `offset` on was printed in `session`, what came before in `origin`."""

    offset: int
    origin: str
    session: str


def read(path: str) -> list[Moved]:
    """The moves in the file, oldest first; none if it is not there."""
    try:
        with open(path) as file:
            return [Moved(int(offset), origin, session) for offset, origin, session in map(str.split, file)]
    except FileNotFoundError:
        return []


def add(path: str, moved: Moved) -> None:
    """Note a move, once. Raises OSError; the file is as it was then."""
    known = read(path)
    if moved in known[-1:]:
        return
    try:
        with open(f"{path}.new", "w") as file:
            file.writelines(f"{offset} {origin} {session}\n" for offset, origin, session in [*known, moved])
        os.rename(f"{path}.new", path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.new")
        raise


class Part(NamedTuple):
    """Bytes up to `end` (None: all that come) were printed in `session`."""

    session: str
    end: int | None


class Route(NamedTuple):
    """`folder`: the session that the spool lies in; it counts where no move is noted. `size`: of the notes, in bytes."""

    folder: str
    moves: Sequence[Moved] = ()
    size: int = 0

    def part(self, offset: int) -> Part:
        """The part that the byte at `offset` is in."""
        session = self.moves[0].origin if self.moves else self.folder
        for moved in self.moves:
            if moved.offset > offset:
                return Part(session, moved.offset)
            session = moved.session
        return Part(session, None)

    def parts(self, start: int, end: int) -> list[tuple[str, int]]:
        """What is between two offsets, cut where the pane has moved: each session, and where its part ends."""
        found = []
        while start < end:
            session, until = self.part(start)
            start = end if until is None else min(end, until)
            found.append((session, start))
        return found

    def sessions(self, offset: int) -> set[str]:
        """Those that the stream is in from `offset` on, and where its spool lies."""
        return {self.folder, self.part(offset).session, *(moved.session for moved in self.moves if moved.offset > offset)}
