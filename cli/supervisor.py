"""The daemon from the outside: write its configuration, start it, wait until it serves, stop it."""

import importlib.resources
import os
import select
import signal
import subprocess
import sys
from typing import Any

from ..shared import supervised
from ..shared.errors import BY_CODE, CtmuxError, DeadlinePassed, NoDaemon, Refused, UsageError
from ..shared.paths import Paths, ensure_private

START_SECONDS = 30.0
STOP_SECONDS = 60.0
ROLES = ("logger", "matcher", "keeper", "runner")


def write_config(paths: Paths) -> None:
    """The shipped supervisord.conf with its directories moved to the instance's own. Raises UsageError."""
    if "%" in paths.runtime:
        raise UsageError(f"{paths.runtime}: supervisord cannot log below a name with '%'; set CTMUX_RUNTIME_DIR")
    ensure_private(paths.runtime)
    for folder in (paths.services, paths.logs):
        ensure_private(folder)
    shipped = importlib.resources.files("ctmux").joinpath("supervisord.conf").read_text()
    with open(paths.config, "w") as file:
        file.write(shipped.replace("%(here)s/var", "%(here)s").replace("files = var/", "files = "))


def start(paths: Paths) -> supervised.Record:
    """Start the daemon and wait until it serves. Raises Refused if it runs."""
    record = supervised.running(paths)
    if record:
        raise Refused(
            f"instance {paths.instance!r} is already running (supervisord {record.pid}, started with {record.config}); "
            "stop it first: ctmux daemon stop"
        )
    write_config(paths)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", paths.config],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "CTMUX_INSTANCE": paths.instance, "CTMUX_RUNTIME_DIR": paths.runtime,
             "CTMUX_STATE_DIR": paths.state},
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["supervisord did not start"]
        said = [line.removeprefix("ctmux: ") for line in lines if line.startswith("ctmux: ")]
        kind = next((kind for kind in BY_CODE.values() if kind.exit_code == done.returncode), CtmuxError)
        raise kind(said[0]) if said else CtmuxError(lines[-1])
    wait_ready(paths)
    found = supervised.running(paths)
    if found is None:
        raise CtmuxError(f"supervisord ended again; see {paths.logs}/supervisord.log")
    return found


def wait_ready(paths: Paths) -> None:
    """Until the bus carries and every role answers. Raises DeadlinePassed."""
    import zmq

    from ..shared import bus, topics
    from ..shared.messages import Status
    from ..shared.rpc import Client, wait_answer

    ctx = bus.context()
    try:
        heartbeat = bus.subscriber(ctx, paths.subscribers, topics.HEAD)
        for role in ROLES:
            wait_answer(Client(ctx, paths.control(role)), Status(), START_SECONDS)
        if not heartbeat.poll(int(START_SECONDS * 1000), zmq.POLLIN):
            raise DeadlinePassed(f"the broker does not forward; see {paths.logs}/broker.log")
    finally:
        ctx.destroy(linger=0)


def stop(paths: Paths) -> supervised.Record:
    """Stop the daemon and wait until it has ended. Raises NoDaemon, DeadlinePassed."""
    record = supervised.running(paths)
    if record is None:
        raise NoDaemon(f"no ctmux daemon runs (instance {paths.instance!r})")
    try:
        fd = os.pidfd_open(record.pid)
    except ProcessLookupError:
        raise NoDaemon(f"instance {paths.instance!r} has just ended") from None
    try:
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        ended = select.poll()
        ended.register(fd, select.POLLIN)
        if not ended.poll(int(STOP_SECONDS * 1000)):
            raise DeadlinePassed(f"supervisord {record.pid} has not ended within {STOP_SECONDS:g} s")
    finally:
        os.close(fd)
    return record


def require(paths: Paths) -> supervised.Record:
    """The running supervisord. Raises NoDaemon."""
    record = supervised.running(paths)
    if record is None:
        raise NoDaemon(f"no ctmux daemon runs (instance {paths.instance!r}); start it: ctmux daemon start")
    return record


def programs(record: supervised.Record) -> list[dict[str, Any]]:
    """What supervisord says of its programs. Raises NoDaemon."""
    from xmlrpc.client import Fault

    try:
        with supervised.connect(record) as proxy:
            infos: Any = proxy.supervisor.getAllProcessInfo()
    except (OSError, Fault) as error:
        raise NoDaemon(f"supervisord {record.pid} is starting or ending ({error}); try again") from error
    return [
        {"name": info["name"], "state": info["statename"], "pid": info["pid"] or None, "uptime": _uptime(info)}
        for info in infos
    ]


def hooked(paths: Paths) -> bool:
    """Whether a tmux server still has hooks of this instance."""
    from ..shared import tmux

    folder = tmux.socket_directory()
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            if f"{paths.runtime}/spool/".encode() in tmux.run(f"{folder}/{name}", "show-hooks", "-g", timeout=1.0):
                return True
        except CtmuxError:
            continue
    return False


def forwards(paths: Paths) -> bool:
    """Whether the broker does: the logger's heartbeat comes as soon as somebody subscribes."""
    from ..shared import bus, topics

    ctx = bus.context()
    try:
        return bool(bus.subscriber(ctx, paths.subscribers, topics.HEAD).poll(2000))
    finally:
        ctx.destroy(linger=0)


def gather(paths: Paths) -> dict[str, Any]:
    """Everything that can be asked of the instance. Raises NoDaemon."""
    record = require(paths)
    running = programs(record)
    watchers = sorted(str(item["name"]) for item in running if str(item["name"]).startswith("watcher-"))
    answers = roles(paths, [*ROLES, *watchers])
    if answers["logger"]:  # without its heartbeat nobody can tell
        answers["broker"] = {"role": "broker"} if forwards(paths) else None
    return {"instance": paths.instance, "supervisord": record._asdict(), "programs": running, "roles": answers}


def _uptime(info: dict[str, Any]) -> int | None:
    return int(info["now"]) - int(info["start"]) if info["pid"] else None


def roles(paths: Paths, names: list[str]) -> dict[str, dict[str, Any] | None]:
    """What each role says of itself; None where it does not answer."""
    from ..shared import bus
    from ..shared.messages import Status
    from ..shared.rpc import Client

    ctx = bus.context()
    answers: dict[str, dict[str, Any] | None] = {}
    try:
        for name in names:
            try:
                answer = Client(ctx, paths.control(name)).ask(Status(), 1.0)
                answers[name] = {key: value for key, value in answer.items() if key not in ("v", "ok")}
            except CtmuxError:
                answers[name] = None
    finally:
        ctx.destroy(linger=0)
    return answers
