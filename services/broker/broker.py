"""The broker's loop: forward what publishers say to whoever subscribed, in C."""

import os
import sys
import threading

import zmq

from ...shared import bus, lock
from ...shared.errors import Refused
from ...shared.paths import Paths, ensure_private
from ...shared.service import die_with_parent, under_supervisord


def run(paths: Paths) -> None:
    """Bind both sides and forward until a signal ends the process. It holds nothing that would have to be saved.

    Raises Refused if this instance has a broker: a second bind on a live ipc path would silently steal it.
    """
    os.umask(0o077)
    ensure_private(paths.runtime)
    held = lock.acquire(paths.lock("broker"))
    if held is None:
        raise Refused(f"another broker of instance {paths.instance!r} is running; see: ctmux status")
    if under_supervisord():
        die_with_parent()
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    context = bus.context()
    publishers = bus.socket(context, zmq.XSUB)
    publishers.bind(f"ipc://{paths.publishers}")
    subscribers = bus.socket(context, zmq.XPUB)
    # Every subscription reaches the watchers, also one that somebody else has too: they answer it with where they are.
    subscribers.setsockopt(zmq.XPUB_VERBOSE, 1)
    subscribers.bind(f"ipc://{paths.subscribers}")
    print("ready", flush=True)
    zmq.proxy(publishers, subscribers)


def _end_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)
