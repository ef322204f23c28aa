"""The running supervisord of an instance: how it is found, whatever started it, and how it is asked.

The plugin in `services/supervisord` writes the record into the lock file that it holds; a record without its lock is of a
supervisord that has ended.
"""

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from . import lock
from .paths import Paths

if TYPE_CHECKING:
    from xmlrpc.client import ServerProxy


_TIMEOUT = 20.0  # seconds; it answers in 1 ms, and in a second while it starts many programs


class Record(NamedTuple):
    """`config`: the file it was started with; `socket`: its XML-RPC; `services`: its folder of generated programs; `logs`:
    where its programs' output goes; `started`: seconds since the epoch."""

    pid: int
    config: str
    socket: str
    services: str
    logs: str
    python: str
    started: float


def running(paths: Paths) -> Record | None:
    """The supervisord that runs this instance, or None."""
    if not lock.is_held(paths.supervisord):
        return None
    try:
        with open(paths.supervisord) as file:
            fields: dict[str, Any] = json.load(file)
        return Record(**fields)
    except (OSError, ValueError, TypeError):  # it is starting, or ending
        return None


@contextlib.contextmanager
def connect(record: Record) -> "Iterator[ServerProxy]":
    """A proxy of its XML-RPC interface. Imported late: it costs 59 ms and 15 MB."""
    from xmlrpc.client import ServerProxy

    from supervisor.xmlrpc import SupervisorTransport

    transport = SupervisorTransport(None, None, f"unix://{record.socket}")
    open_ = transport._get_connection

    def opened() -> Any:
        made = open_()
        made.connect()
        made.sock.settimeout(_TIMEOUT)  # a frozen supervisord answers nothing, and holds nobody
        return made

    transport._get_connection = opened
    try:
        yield ServerProxy("http://127.0.0.1", transport=transport)
    finally:
        transport.close()
