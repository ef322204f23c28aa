"""How many actions led to the program in a pane: what an action has started says so in its environment."""

import functools

from ...shared import spool
from ...shared.messages import Event


def depth(event: Event) -> int:
    """Of the program that an event is about: a stream's name has its pid."""
    stream = event.data.get("stream")
    return _of_stream(event.server, stream) if isinstance(stream, str) else 0


@functools.lru_cache(maxsize=1000)
def _of_stream(_server: str | None, stream: str) -> int:
    found = spool.parse_stream(stream)  # a pid alone may be another program's later
    return _of_process(found.pid) if found else 0


def _of_process(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            found = next((one for one in file.read().split(b"\0") if one.startswith(b"CTMUX_DEPTH=")), b"=0")
        return int(found.partition(b"=")[2][:3])
    except (OSError, ValueError):
        return 0
