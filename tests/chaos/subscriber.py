"""A subscriber of a chaos run, a process of its own; it keeps an account of the lines that it has seen.

    subscriber.py events|output|plain FILE [SERVER SESSION]

`events` and `output` use the client library and go on from what the file says when they are killed or the daemon is.
`plain` is the control: a SUB socket that takes what comes.
"""

import contextlib
import functools
import json
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack
import zmq
from account import Account
from ctmux import Chunk, Client, Event, Gap, NoDaemon
from ctmux.shared import inotify, supervised
from ctmux.shared.paths import resolve

SAVE_SECONDS = 0.2


class Step(NamedTuple):
    """What came, and the position behind it."""

    position: Any
    lines: list[str]
    gap: str | None = None


def wait_daemon() -> None:
    """Between a death of supervisord and its next start nobody announces anything: the next one notes that it runs."""
    paths = resolve()
    changes = inotify.Inotify()
    with contextlib.closing(changes):
        changes.watch(paths.runtime, inotify.CREATE | inotify.MODIFY)
        while supervised.running(paths) is None:
            select.select([changes.fd], [], [])
            changes.read()


def events(position: Any) -> Iterator[Step]:
    at = position or 0
    while True:
        try:
            with Client() as client:
                stream = client.events(since=at + 1)
                for item in stream:
                    at = stream.position - 1
                    if isinstance(item, Gap):
                        yield Step(at, [], repr(item))
                    else:
                        yield Step(at, [item.data["line"]] if item.kind == "pattern.matched" else [])
        except NoDaemon:
            wait_daemon()


def output(server: str, session: str, position: Any) -> Iterator[Step]:
    """Positions go on at whole lines: the rest of a line is given again."""
    position = position or {}
    while True:
        rests: dict[str, bytes] = {}
        try:
            with Client() as client:
                stream = client.output(server, session=session, since=position)
                for item in stream:
                    lines: list[bytes] = []
                    if isinstance(item, Gap):
                        rests.pop(str(item.stream), None)
                    elif isinstance(item, Chunk):
                        *lines, rest = (rests.pop(item.stream, b"") + item.data).split(b"\n")
                        if rest:
                            rests[item.stream] = rest
                    position = stream.position
                    for name, rest in rests.items():
                        position[name] -= len(rest)
                    gap = repr(item) if isinstance(item, Gap) else None
                    yield Step(position, [text.decode().rstrip("\r") for text in lines], gap)
                    if isinstance(item, Event) and item.kind == "session.closed":
                        return
        except NoDaemon:
            wait_daemon()


def plain(_position: Any) -> Iterator[Step]:
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RECONNECT_IVL, 10)
    socket.subscribe(b"event.")
    socket.connect(f"ipc://{resolve().subscribers}")
    while True:
        event = msgpack.unpackb(socket.recv_multipart()[1])
        yield Step(event["n"], [event["data"]["line"]] if event["kind"] == "pattern.matched" else [])


class Notes:
    """What was seen, and the position behind it, replaced as a whole: a kill falls before or after, never in between."""

    def __init__(self, path: str):
        self._path = path
        self._heard = 0.0
        self._fresh = False
        self._lock = threading.Lock()
        self.account = Account()
        self.position: Any = None
        if os.path.exists(path):
            with open(path) as file:
                kept = json.load(file)
            self.account, self.position = Account.load(kept["account"]), kept["position"]
        threading.Thread(target=self._save_again, daemon=True).start()

    def take(self, step: Step) -> None:
        with self._lock:
            if step.lines:
                now = time.monotonic()
                if self._heard:
                    self.account.stall = max(self.account.stall, now - self._heard)
                self._heard = now
            for line in step.lines:
                self.account.line(line)
            if step.gap:
                self.account.gaps.append(step.gap)
            self.position, self._fresh = step.position, True

    def _save_again(self) -> None:
        while True:
            time.sleep(SAVE_SECONDS)  # the clock of this thread
            with self._lock:
                if not self._fresh:
                    continue
                kept = json.dumps({"account": self.account.dump(), "position": self.position})
                self._fresh = False
            with open(f"{self._path}.new", "w") as file:
                file.write(kept)
            os.rename(f"{self._path}.new", self._path)


def main() -> None:
    mode, path, *scope = sys.argv[1:]
    notes = Notes(path)
    modes = {"events": events, "output": functools.partial(output, *scope), "plain": plain}
    for step in modes[mode](notes.position):
        notes.take(step)


if __name__ == "__main__":
    main()
