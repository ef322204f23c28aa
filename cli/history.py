"""The last lines of what panes have printed already: where they begin in each stream."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..shared import spool

if TYPE_CHECKING:
    from ..client import Client


def begin(
    client: "Client", server: str, panes: list[str] | None, session: str | None, lines: int,
    show: Callable[[spool.Spool, bytes], None],
) -> dict[str, int]:  # fmt: skip
    """The offset in each stream where its last `lines` begin, of a pane's earlier streams their ends; shows what an
    adopted pane had printed before its stream."""
    root = client.paths.spool
    wanted = [
        found
        for found in spool.walk_server(root, server)
        if (found.stream.pane in panes if panes is not None else found.session == session)
    ]
    offsets = {found.stream.name: spool.size(found.path) for found in wanted}
    for found in {found.stream.pane: found for found in wanted}.values():
        try:
            offset, missing = last_lines(found.path, lines)
        except FileNotFoundError:  # the pane has moved in this moment: all of it is shown
            offset, missing = 0, 0
        offsets[found.stream.name] = offset
        before = spool.meta(f"{root}/{server}", found.stream.name, "history")
        if missing and os.path.exists(before):
            with open(before, "rb") as file:
                shown = file.read().splitlines(keepends=True)
            show(found, b"".join(shown[-missing:]))
    return offsets


def last_lines(path: str, lines: int) -> tuple[int, int]:
    """(offset where the last `lines` lines of a spool begin, how many lines fewer it has)."""
    end = at = spool.size(path)
    left = lines
    with open(path, "rb") as file:
        first = spool.first_offset(file.fileno(), end)
        while at > first:
            begin = max(first, at - 65536)
            piece = os.pread(file.fileno(), at - begin, begin)
            position = len(piece) if at < end or not piece.endswith(b"\n") else len(piece) - 1
            while (found := piece.rfind(b"\n", 0, position)) >= 0:
                left -= 1
                if left == 0:
                    return begin + found + 1, 0
                position = found
            at = begin
    if lines == 0:
        return end, 0
    return first, max(0, left - (1 if end > first else 0))
