"""What the benchmarks share: a private instance with panes, a tmux without ctmux beside it, plain subscribers, tables."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgpack
import zmq

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

from ctmux.client import requests
from ctmux.shared import messages, supervised
from ctmux.shared.rpc import Client
from harness import World, until

IDLE = "exec sleep 100000"
Tmux = Callable[..., str]


class Pane(NamedTuple):
    """`tty`: its terminal; what is written there is pane output, as if a program in the pane had written it."""

    id: str
    tty: str
    session: str


@contextlib.contextmanager
def instance() -> Iterator[World]:
    """A world; `world.tmux` is for the observed server, `bare(world)` for the one that ctmux does not see."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))  # and clean up
    world = World()
    world.env.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start compiles anew: slower, and larger
    world.env["PYTHONPYCACHEPREFIX"] = f"{world.root}/pycache"
    try:
        yield world
    finally:
        bare(world)("kill-server")
        world.close()


def bare(world: World) -> Tmux:
    """A tmux outside the directory that ctmux watches."""

    def tmux(*arguments: str) -> str:
        done = subprocess.run([*bare_command(world), *arguments], env=world.env, capture_output=True, text=True)
        return done.stdout.rstrip("\n")

    return tmux


def bare_command(world: World) -> list[str]:
    return ["tmux", "-u", "-S", f"{world.root}/bare.sock", "-f", "/dev/null"]


def open_panes(tmux: Tmux, name: str, count: int = 1, command: str = IDLE) -> list[Pane]:
    """A new session with `count` windows of one pane."""
    report = ("-P", "-F", "#{pane_id} #{pane_tty} #{session_id}")
    size = ("-x", "80", "-y", "24")
    lines = [tmux("new-session", "-d", "-s", name, *size, *report, command)]
    lines += [tmux("new-window", "-d", "-t", f"{name}:", *report, command) for _ in range(count - 1)]
    return [Pane(*line.split()) for line in lines]


def wait_observed(world: World, count: int) -> None:
    """Until watchers follow `count` panes."""

    def streams() -> int:
        found = {(pane["server"], pane["session"][1:]) for pane in panes(world)}
        return sum(ask(world, f"watcher-{server}-{n}", messages.Status(), 2.0)["streams"] for server, n in found)

    until(lambda: streams() >= count, 60.0)


def panes(world: World) -> list[dict[str, Any]]:
    """The panes that are watched."""
    script = requests.panes()
    answer = None
    while True:
        try:
            answer = ask(world, *script.send(answer)[:2])
        except StopIteration as end:
            return end.value


def ask(world: World, role: str, request: Any, seconds: float = 5.0) -> dict[str, Any]:
    client = Client(zmq.Context.instance(), world.paths.control(role))
    try:
        return client.ask(request, seconds)
    finally:
        client.close()


def subscribe(world: World, pattern: str, pane: str | None = None) -> str:
    """Arm a pattern; the subscription's id."""
    fields = dict.fromkeys(messages.Subscribe._fields)
    fields |= {
        "token": f"bench-{time.monotonic_ns()}",
        "kind": "pattern",
        "patterns": [pattern],
        "pane": pane,
        "options": {},
    }
    return ask(world, "matcher", messages.Subscribe(**fields))["subscription"]["id"]


def listen(world: World, prefix: bytes) -> "zmq.Socket[bytes]":
    """A plain subscriber, as anybody would write it, that is known to be connected: it has had a heartbeat."""
    socket = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.RECONNECT_IVL, 10)
    socket.subscribe(prefix)
    socket.subscribe(b"head.")
    socket.connect(f"ipc://{world.paths.subscribers}")
    while not socket.recv_multipart()[0].startswith(b"head."):
        pass
    socket.unsubscribe(b"head.")
    return socket


def events(socket: "zmq.Socket[bytes]", seconds: float) -> Iterator[dict[str, Any]]:
    """The events that arrive within `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and socket.poll(left * 1000):
        topic, body = socket.recv_multipart()
        if topic.startswith((b"event.", b"subscription.")):
            yield msgpack.unpackb(body)


@contextlib.contextmanager
def writing(ttys: Iterable[str], rate: float, line: str = "line {n} {ns}") -> Iterator[None]:
    """A process of its own that writes `rate` numbered lines a second, to the terminals in turn."""
    program = (
        "import itertools,os,sys,time\n"
        "rate, line = float(sys.argv[1]), sys.argv[2]\n"
        "fds = [os.open(tty, os.O_WRONLY | os.O_NOCTTY) for tty in sys.argv[3:]]\n"
        "begin = time.monotonic()\n"
        "for n in itertools.count():\n"
        "    time.sleep(max(0.0, begin + n / rate - time.monotonic()))\n"
        "    os.write(fds[n % len(fds)], (line.format(n=n, ns=time.monotonic_ns()) + '\\n').encode())\n"
    )
    process = subprocess.Popen([sys.executable, "-S", "-c", program, str(rate), line, *ttys])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def programs(world: World) -> dict[str, int]:
    """Name and pid of each process that supervisord runs."""
    record = supervised.running(world.paths)
    assert record is not None
    with supervised.connect(record) as proxy:
        found: Any = proxy.supervisor.getAllProcessInfo()
    return {str(info["name"]): int(info["pid"]) for info in found}


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[round((len(ordered) - 1) * part)] if ordered else float("nan")


def show(title: str, header: list[str], rows: list[list[Any]]) -> None:
    """Print a table: the first column left, numbers right."""
    texts = [header, *([f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    print(f"\n{title}")
    for row in texts:
        cells = [
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), flush=True)


def options(text: str | None, **defaults: float) -> argparse.Namespace:
    """Command line options: a number each."""
    parser = argparse.ArgumentParser(description=text)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"default {value}")
    return parser.parse_args()
