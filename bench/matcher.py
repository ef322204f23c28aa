#!/usr/bin/env python
"""The matcher's heart on a generated build log: MB/s of one process at 1 to 10,000 subscriptions.

Baselines of the same run: the assembly of lines alone (cut, escapes taken out), and Python's `re`, one pattern after the
other. Rare: about 20 matching lines a MB; chatty: about 700. Raw bytes per second of CPU time, the best of several rounds.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import partial

from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.filters import Finder, Literal, aho_corasick, hyperscan
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import terminal

FIRST, SECOND = ("build", "cache", "core", "net", "render"), ("er", "ing", "_io", "set", "link", "d")
WORDS = [f"{first}{second}" for first in FIRST for second in SECOND]
PIECE = 1 << 16


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
    """Distinct patterns as people write them; most never match, the others some twenty lines of a MB, or hundreds."""
    made: dict[str, None] = {}
    for n in range(7 if chatty else 1):
        made[
            f"(warning): unused variable '{WORDS[n]}'" if chatty else f"test_{WORDS[n]}.py::test_{WORDS[n + 1]}.*PASSED"
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


def speed(run: Callable[[], object], size: int, rounds: int) -> float:
    """MB/s of CPU time."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        run()
        best = min(best, time.process_time() - begun)
    return size / best / 1e6


def pieces(text: bytes) -> list[bytes]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def assembly(text: bytes) -> int:
    state = StreamState("s", "$1", "%1", "p1.2.w3.k", 0)
    return sum(len(terminal.clean(block.raw)) for piece in pieces(text) for block in state.lines.feed(piece))


def looked_for(patterns: list[str], finder: Callable[[Sequence[bytes]], Finder]) -> tuple[Engine, Index]:
    engine, index = Engine(), Index()
    for n, pattern in enumerate(patterns):
        engine.add(pattern)
        index.add(Subscription(f"s{n}", n, "pattern", [pattern], None, None, None, "", 0.0))
    engine.install(Literal(patterns, finder))
    return engine, index


def matched(text: bytes, engine: Engine, index: Index) -> int:
    state = StreamState("s", "$1", "%1", "p1.2.w3.k", 0)
    governor = Governor()
    return sum(
        len(state.hits(block, engine, index, governor)) for piece in pieces(text) for block in state.lines.feed(piece)
    )  # fmt: skip


def one_by_one(text: bytes, patterns: list[str]) -> int:
    compiled = [re.compile(pattern.encode()) for pattern in patterns]
    state = StreamState("s", "$1", "%1", "p1.2.w3.k", 0)
    return sum(
        bool(one.search(line))
        for piece in pieces(text)
        for block in state.lines.feed(piece)
        for line in terminal.clean(block.raw).split(b"\n")
        for one in compiled
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    random_ = random.Random(1)
    text = log_of(int(options.mb * 1e6), random_)
    base = speed(partial(assembly, text), len(text), options.rounds)
    print(f"assembly of lines alone: {base:.0f} MB/s")
    print(f"{'subscriptions':>14} {'events/MB':>10} {'hyperscan':>9} {'ratio':>6} {'aho-c.':>9} {'ratio':>6} {'re':>8}")
    for chatty in (False, True):
        for count in (1, 10, 100, 1000, 10_000):
            patterns = patterns_of(count, chatty, random_)
            events = matched(text, *looked_for(patterns, hyperscan)) / len(text) * 1e6
            by_hyperscan, by_aho_corasick = (
                speed(partial(matched, text, *looked_for(patterns, way)), len(text), options.rounds)
                for way in (hyperscan, aho_corasick)
            )
            part = text[: max(20_000, 2_000_000 // count)]
            one = speed(partial(one_by_one, part, patterns), len(part), 1)
            kind = "chatty" if chatty else "rare"
            print(
                f"{count:>7} {kind:>6} {events:>10.0f} {by_hyperscan:>9.0f} {by_hyperscan / base:>6.2f} "
                f"{by_aho_corasick:>9.0f} {by_aho_corasick / base:>6.2f} {one:>8.2f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
