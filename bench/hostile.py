#!/usr/bin/env python
"""Hostile patterns on hostile lines of 4 KB: the longest time of the processor that one line takes, in ms; aim: 50.

Each pattern is let through by `pattern.check`, or its refusal is shown. Beside it what Python's `re` takes, given up
after a second.
"""

import random
import re
import signal
import time
from collections.abc import Callable

from common import options
from ctmux.services.matcher import pattern as patterns
from ctmux.shared import terminal
from ctmux.shared.errors import UsageError

SIZE = 4096
PATTERNS = (
    r"(a+)+$", r"(a|aa)+$", r"(.*)*x", r"(\w+\s?)*!", r".*.*.*=.*;", r"(x+x+)+y", r".{0,100}x.{0,100}y", r".{0,200}x",
    r"(?:[a-z]{1,20}\d?){1,20}!", r"[b-z]+\d.{20}[A-Z]{4}", r"(\pL\w*\s){1}z", r"(.{0,50}x){0,3}y", "(?i)(k){1,90}z",
    r"(a{0,40}b{0,40}){1,9}c", r"(((a{0,9}){0,9}b?){0,9})c", r"[ab]*a[ab]{150}c", r"(?:a|b)*a(?:a|b){200}z$",
    r".*a.{100}b.{60}c", r".*a.{190}b", r"(.*)(.*)(.*)(.*)(.*)[a-c]{100}9", r"(?:(a)|(b)|(x)|(.)){100}z", r"\pL+\d",
    r"(a{1,100}){1,100}", r"\pL{500}x", r".{0,500}x.{0,500}y",
)  # fmt: skip
random_ = random.Random(1)


def of(letters: str) -> Callable[[], bytes]:
    """Lines of these letters, each another one."""
    return lambda: "".join(random_.choices(letters, k=SIZE)).encode()[:SIZE].decode(errors="ignore").encode()


LINES: dict[str, Callable[[], bytes]] = {
    "x": of("x"),
    "a": of("a"),
    "ab": of("ab"),
    "abxy1": of("abxy1 "),
    "é": of("éaſk "),  # noqa: RUF001
    "esc": lambda: terminal.clean(b"\x1b[" * (SIZE // 2)) + terminal.clean(b"\x1b]0;" * (SIZE // 4)) + b"ab",
    "bytes": lambda: terminal.clean(random_.randbytes(SIZE).replace(b"\n", b"")).decode(errors="replace").encode(),
}


def longest(search: Callable[[bytes], object], line: Callable[[], bytes], times: int) -> float:
    worst = 0.0
    for _ in range(times):
        text = line()
        began = time.thread_time()
        search(text)
        worst = max(worst, time.thread_time() - began)
    return worst * 1000


def python(pattern: str, line: Callable[[], bytes]) -> str:
    """The same by `re`."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    try:
        compiled = re.compile(pattern.encode())
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        return f"{longest(compiled.search, line, 1):.2f}"
    except TimeoutError:
        return ">1000"
    except (re.error, OverflowError):
        return "-"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def main() -> None:
    times = int(options(__doc__, times=20).times)
    worst = 0.0
    print(f"{'pattern':40} {'size':>5} " + " ".join(f"{name:>7}" for name in LINES) + f" {'re, ab':>8}")
    for pattern in PATTERNS:
        try:
            patterns.check(pattern)
        except UsageError as error:
            print(f"{pattern:40} refused: {str(error)[:80]}")
            continue
        found = [longest(lambda text, p=pattern: list(patterns.search(p, text)), line, times) for line in LINES.values()]
        worst = max(worst, *found)
        cells = " ".join(f"{each:7.2f}" for each in found)
        print(f"{pattern:40} {patterns.cost(pattern):>5} {cells} {python(pattern, LINES['ab']):>8}", flush=True)
    print(f"the longest: {worst:.1f} ms")


if __name__ == "__main__":
    main()
