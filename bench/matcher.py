#!/usr/bin/env python
"""The matcher from a spool to events, on a generated build log: MB/s of one process at 1 to 10,000 subscriptions.

Baselines of the same run: the assembly of lines alone (read from the spool, cut, escapes taken out), and Python's `re`, one
pattern after the other. Rare: some 20 matching lines a MB; chatty: hundreds. Raw bytes per second of CPU time. All take
turns, and of each the best round counts: on a shared machine only ratios mean something.
"""

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ctmux.services.matcher import drafts, facts, visible
from ctmux.services.matcher.commands import Commands
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.filters import Finder, Literal, aho_corasick, hyperscan
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import Block
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import spool, terminal

FIRST, SECOND = ("build", "cache", "core", "net", "render"), ("er", "ing", "_io", "set", "link", "d")
WORDS = [f"{first}{second}" for first in FIRST for second in SECOND]


def log_of(size: int, random_: random.Random) -> bytes:
    """A build's output as a terminal gets it: colours, progress bars, CR LF, some letters that are not ASCII."""
    lines: list[bytes] = []
    length = 0
    while length < size:
        word, other = random_.choice(WORDS), random_.choice(WORDS)
        number = random_.randrange(100_000)
        line = random_.choice(
            (
                f"\x1b[32m   Compiling\x1b[0m {word}-{other} v{number % 9}.{number % 13}.{number % 31} (/src/{word})",
                f"src/{word}/{other}.c:{number % 900}:{number % 80}: \x1b[1;35mwarning:\x1b[0m unused variable '{other}'",
                f"tests/test_{word}.py::test_{other}[{number}] \x1b[32mPASSED\x1b[0m \x1b[36m[{number % 100:3d}%]\x1b[0m",
                f"\r\x1b[K[{'#' * (number % 30):30s}] {number % 100}% {word}",
                f"2026-11-22T10:{number % 60:02d}:00Z INFO {word}.{other} id={number} took {number % 999}ms status=ok",
                f"✓ {word} - {other} ({number % 50} ms)",
            )
        ).encode()
        lines.append(line + b"\r\n")
        length += len(lines[-1])
    return b"".join(lines)


def patterns_of(count: int, chatty: bool, random_: random.Random) -> list[str]:
    """Distinct patterns as people write them. Most never match, the others some twenty lines of a MB, or hundreds."""
    made: dict[str, None] = {}
    for n in range(7 if chatty else 1):
        made[
            f"(warning): unused variable '{WORDS[n]}'" if chatty else rf"test_{WORDS[n]}\.py::\S+ PASSED \[ ([12]\d)%\]"
        ] = None
    while len(made) < count:
        word, other, n = random_.choice(WORDS), random_.choice(WORDS), random_.randrange(10**6)
        made[
            random_.choice(
                (
                    f"{word} {other} failed {n}",
                    f"id=({n}|{n + 1}|{n + 2})x",
                    f"^(ERROR|FATAL) {word} {n}",
                    rf"{word}{n}=(\w+) .*took (\d+)ms",
                    f"(?i)cannot {word} {other} {n}",
                    rf"\b{word}-{n}\b",
                    rf"https?://{word}\.example/{n}/(\S+)",
                )
            )
        ] = None
    return list(made)[:count]


Finders = Callable[[Sequence[bytes]], Finder]


class Log:
    """A build log in a spool, which is read in pieces."""

    def __init__(self, path: str, text: bytes, piece: int):
        self.path, self.size, self._piece = path, len(text), piece
        with open(path, "wb") as file:
            file.write(text)

    def pieces(self) -> Iterator[spool.Range]:
        return (spool.read(self.path, at, self._piece) for at in range(0, self.size, self._piece))

    def blocks(self) -> Iterator[Block]:
        state = new_state()
        return (block for found in self.pieces() for block in state.lines.feed(found.data))


def new_state() -> StreamState:
    return StreamState("s", "$1", "%1", "p1.2.w3.k", 0)


def best(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of CPU time of each, the least of some rounds."""
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - begun)
    return least


def assembly(log: Log) -> int:
    return sum(len(terminal.clean(block.raw)) for block in log.blocks())


def looked_for(patterns: list[str], finder: Finders) -> tuple[Engine, Index]:
    engine, index = Engine(), Index()
    for n, pattern in enumerate(patterns):
        engine.add(pattern)
        index.add(Subscription(f"s{n}", n, "pattern", [pattern], None, None, None, "", 0.0))
    engine.install(Literal(patterns, finder))
    return engine, index


def matched(log: Log, engine: Engine, index: Index) -> int:
    """What the matcher does with output, up to the drafts of events."""
    state, governor, events = new_state(), Governor(), 0
    for found in log.pieces():
        state.commands.feed(found.data, found.offset, lambda _end: 0.0)
        for block in state.lines.feed(found.data):
            hits = state.hits(block, engine, index, governor)
            events += len([drafts.matched(state, hit, facts.line(state, hit, 0.0)) for hit in hits])
    return events


def one_by_one(log: Log, patterns: list[str]) -> int:
    compiled = [re.compile(pattern.encode()) for pattern in patterns]
    return sum(
        bool(one.search(line))
        for block in log.blocks()
        for line in terminal.clean(block.raw).split(b"\n")
        for one in compiled
    )


def show_parts(log: Log, patterns: list[str], rounds: int) -> None:
    """Where the time goes at so many subscriptions."""
    engine, index = looked_for(patterns, hyperscan)
    pieces, blocks = list(log.pieces()), list(log.blocks())
    cleaned = [terminal.clean(block.raw) for block in blocks]

    def marks() -> None:
        shell = Commands()
        for found in pieces:
            shell.feed(found.data, found.offset, lambda _end: 0.0)

    parts: dict[str, Callable[[], object]] = {
        "reading": lambda: list(log.pieces()),
        "reading, and lines": lambda: list(log.blocks()),
        "reading, lines, text: the assembly": partial(assembly, log),
        "marks of shells": marks,
        "what is shown": lambda: [visible.parts(block.raw, visible.State()) for block in blocks],
        "the scan": lambda: [list(engine.candidates(text)) for text in cleaned],
        "all, with matches and events": partial(matched, log, engine, index),
    }
    print(f"\nns a byte at {len(patterns):,} subscriptions, rare:")
    for name, seconds in best(parts, rounds).items():
        print(f"{seconds / log.size * 1e9:6.2f} {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=float, default=2.0)
    parser.add_argument("--piece", type=int, default=1 << 16, help="bytes that are read at once")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    random_ = random.Random(1)
    text = log_of(int(options.mb * 1e6), random_)
    print(f"{'subscriptions':>14} {'events/MB':>10} {'assembly':>9} {'hyperscan':>9} {'ratio':>6} {'aho-c.':>9} {'re':>8}")
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"{folder}/log", text, options.piece)
        for chatty in (False, True):
            for count in (1, 10, 100, 1000, 10_000):
                patterns = patterns_of(count, chatty, random_)
                by_hyperscan = partial(matched, log, *looked_for(patterns, hyperscan))
                by_aho_corasick = partial(matched, log, *looked_for(patterns, aho_corasick))
                runs = {"a": partial(assembly, log), "h": by_hyperscan, "c": by_aho_corasick}
                seconds = best(runs, options.rounds)
                part = Log(f"{folder}/part", text[: max(20_000, 2_000_000 // count)], options.piece)
                one = best({"re": partial(one_by_one, part, patterns)}, 1)["re"]
                bare, found, fallback = (log.size / seconds[name] / 1e6 for name in runs)
                kind = "chatty" if chatty else "rare"
                print(
                    f"{count:>7} {kind:>6} {by_hyperscan() / log.size * 1e6:>10.0f} {bare:>9.0f} {found:>9.0f} "
                    f"{found / bare:>6.2f} {fallback:>9.0f} {part.size / one / 1e6:>8.2f}", flush=True,
                )  # fmt: skip
        show_parts(log, patterns_of(1000, False, random_), options.rounds)


if __name__ == "__main__":
    main()
