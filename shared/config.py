"""Settings: one frozen structure, a section for each reader, from one TOML file; every setting has a default."""

import math
import os
from typing import Any, NamedTuple, TypeVar

from .codec import fits
from .errors import UsageError

MIB = 1 << 20
S = TypeVar("S")


class LoggerConfig(NamedTuple):
    """`[logger]`: the journal. Sizes in bytes, times in seconds."""

    segment_bytes: int = 2 * MIB  # read again when the logger starts: 24 ms each MiB
    segment_seconds: float = 3600.0
    keep_bytes: int = 256 * MIB
    keep_seconds: float = 30 * 86400.0
    sync: str = "second"  # fdatasync: "always" (each write), "second" (at most once a second), "never"


class WatcherConfig(NamedTuple):
    """`[watcher]`: `keep_bytes` of each pane's output stay readable, what is older is given back to the disk."""

    keep_bytes: int = 16 * MIB


class MatcherConfig(NamedTuple):
    """`[matcher]`: an unfinished line is looked at after `quiet_seconds` without output."""

    quiet_seconds: float = 0.15


class KeeperConfig(NamedTuple):
    """`[keeper]`: `sockets`: tmux sockets to watch; none means every socket in tmux's own directory. Spools of panes that
    have ended are kept for `keep_seconds`, and of all of them together `keep_bytes`."""

    sockets: list[str] = []  # noqa: RUF012
    keep_seconds: float = 3600.0
    keep_bytes: int = 256 * MIB


class RunnerConfig(NamedTuple):
    """`[runner]`: the bounds of an action that names none of its own. `together`: of all subscriptions; `queue`: actions of
    a subscription that wait; at most `rate_events` of an action in `rate_seconds`; an event older than `max_age` sets off
    nothing, unless delivery is at least once. What an action does to a pane counts as the cause of what the pane prints
    within `loop_seconds`; after `loop_depth` such steps nothing follows any more."""

    timeout: float = 60.0
    grace: float = 5.0
    concurrency: int = 4
    together: int = 16
    queue: int = 100
    rate_events: int = 10
    rate_seconds: float = 60.0
    output_bytes: int = 4096
    max_age: float = 30.0
    loop_depth: int = 3
    loop_seconds: float = 10.0


class Config(NamedTuple):
    logger: LoggerConfig = LoggerConfig()
    watcher: WatcherConfig = WatcherConfig()
    matcher: MatcherConfig = MatcherConfig()
    keeper: KeeperConfig = KeeperConfig()
    runner: RunnerConfig = RunnerConfig()


def path(environ: dict[str, str] | None = None) -> str:
    env = os.environ if environ is None else environ
    home = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".config")
    return env.get("CTMUX_CONFIG") or f"{home}/ctmux/config.toml"


def load(file: str | None = None) -> Config:
    """The settings in `file`. No file means defaults, unless `$CTMUX_CONFIG` names it.

    Raises UsageError that names the file and the key.
    """
    where = file or path()
    if not os.path.exists(where):
        if file or os.environ.get("CTMUX_CONFIG"):
            raise UsageError(f"{where}: no such configuration file (named by CTMUX_CONFIG)")
        return Config()
    import tomllib  # only now: most instances have no file, and every watcher would pay for it

    try:
        with open(where, "rb") as opened:
            tables = tomllib.load(opened)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{where}: {error}") from error
    unknown = set(tables) - set(Config._fields)
    if unknown:
        raise UsageError(f"{where}: unknown section [{min(unknown)}]; there are: {', '.join(Config._fields)}")
    return Config(
        logger=_section(where, "logger", LoggerConfig, tables),
        watcher=_section(where, "watcher", WatcherConfig, tables),
        matcher=_section(where, "matcher", MatcherConfig, tables),
        keeper=_section(where, "keeper", KeeperConfig, tables),
        runner=_section(where, "runner", RunnerConfig, tables),
    )


def _section(where: str, name: str, kind: type[S], tables: dict[str, Any]) -> S:
    values = tables.get(name, {})
    if not isinstance(values, dict):
        raise UsageError(f"{where}: [{name}] must be a section")
    known = kind.__annotations__
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{where}: [{name}] has no key {key!r}; there are: {', '.join(known)}")
        if not fits(value, known[key]) or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            wanted = getattr(known[key], "__name__", known[key])
            meant = {"int": "a whole number", "float": "a number", "str": "a text"}.get(str(wanted), "a list of texts")
            raise UsageError(f"{where}: [{name}] {key} = {value!r}: {meant} is expected")
        if isinstance(value, int | float) and not (value > 0 and math.isfinite(value)):
            raise UsageError(f"{where}: [{name}] {key} = {value!r}: must be a number above 0")
        if key == "sockets":
            values[key] = [os.path.expanduser(socket) for socket in value]
            if not all(map(os.path.isabs, values[key])):
                raise UsageError(f"{where}: [{name}] {key} = {value!r}: whole paths are expected, such as /tmp/tmux-0/work")
        if key == "sync" and value not in ("always", "second", "never"):
            raise UsageError(f"{where}: [{name}] sync = {value!r}: use always, second or never")
    return kind(**values)
