"""What is to be seen at places of streams, each found from a known one shortly before it. Pure."""

from collections.abc import Callable

from ...shared import spool
from . import visible

_STEP = 1 << 12  # bytes: what is closer to a known place is not noted
_MOST = 16  # places of a stream


class Sights:
    """By stream, its known places; those that were of use last come last."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, visible.State]] = {}

    def at(self, stream: str, read: Callable[[int, int], spool.Range], offset: int) -> visible.State:
        """The state at the beginning of a line. `read` is `spool.read` of a path."""
        known = self._known.setdefault(stream, {})
        begin = max((place for place in known if place <= offset), default=0)
        before = known[begin] = known.pop(begin, visible.State())
        found = read(begin, offset - begin) if offset - begin < visible.REACH else None
        if found is None or found.offset != begin:
            state = visible.at(read, offset, known=(begin, before.alternate))
        else:
            state = visible.parts(found.data, before)[2]
            if offset - begin < _STEP:
                return state
        known[offset] = state
        while len(known) > _MOST:
            del known[next(iter(known))]
        return state

    def forget(self, stream: str) -> None:
        """Nobody looks at it any more."""
        self._known.pop(stream, None)
