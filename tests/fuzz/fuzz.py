"""`make fuzz`: random output and patterns through the matcher's heart in random chunks, against the slowest way to do it.

    fuzz.py --minutes 10 --seed 7 [--round 123]

Subscriptions come and go, merged filters are installed at any moment, unfinished lines are looked at. Each round has its
own seed: `--round` repeats one. Prints what it has done; exit status 1 with the round that failed.
"""

import argparse
import contextlib
import random
import sys
import time
import traceback
from collections import Counter

from ctmux.services.matcher import lines, pattern
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.filters import Literal, aho_corasick, hyperscan
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import Block
from ctmux.services.matcher.stream import Hit, StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared.errors import UsageError
from grammar import output
from grammar import pattern as written
from reference import Found, Stream, find

SERVER, NAME = "0123abcd", "p1.2.w3.k"
LONGEST = 400  # bytes, instead of 64 KB: so that lines are cut often
MOST = 8  # subscriptions at a time, but for a few rounds of many


class Checked(Governor):
    """A governor whose clock stands still, and which believes nothing."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)

    def charge(self, pattern: str, seconds: float, size: int, matches: int) -> None:
        assert seconds >= 0 and size >= 0 and matches >= 0, (pattern, seconds, size, matches)
        super().charge(pattern, seconds, size, matches)


class Round:
    """One stream from its first to its last byte."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.switches = self.random.random() < 0.5
        lines.LINE_MAX = 1 << 16 if self.switches else LONGEST
        self.stream = Stream(output(self.random, self.switches), lines.LINE_MAX)
        self.state = StreamState(SERVER, "$1", "%1", NAME, 0)
        self.engine, self.index, self.governor = Engine(), Index(), Checked()
        self.living: dict[str, tuple[Subscription, int]] = {}  # and which line was the first that it can have seen
        self.gone: list[tuple[Subscription, int, int]] = []  # ... and where those begin that it has not seen
        self.hits: list[Hit] = []
        self.most = 150 if self.random.random() < 0.03 else MOST
        self.merged: list[Literal] = []
        self.done: Counter[str] = Counter(bytes=len(self.stream.raw))

    def run(self) -> Counter[str]:
        for _ in range(self.random.randrange(1, self.most)):
            self.subscribe()
        if self.random.random() < 0.6:  # else most are tried by themselves
            self.engine.install(self.filter([one.patterns[0] for one, _from in self.living.values()]))
        raw, size = self.stream.raw, self.random.choice((1, 3, 20, 100, 5000))
        at = 0
        while at < len(raw):
            upto = at + self.random.randrange(1, 2 * size + 1)
            for block in self.state.lines.feed(raw[at:upto]):
                self.look(block)
            at = upto
            self.meddle()
        for last in [self.state.lines.flush()]:
            if last:
                self.look(last)
        for known in list(self.living):
            self.unsubscribe(known)
        self.compare()
        return self.done

    # ---- what happens ----------------------------------------------------------------------------------------------

    def subscribe(self) -> None:
        wanted = written(self.random)
        if self.living and self.random.random() < 0.2:
            wanted = self.random.choice([one.patterns[0] for one, _from in self.living.values()])
        try:
            pattern.check(wanted)
        except UsageError as error:
            assert str(error)
            self.done["refused"] += 1
            return
        number = self.done["patterns"] = self.done["patterns"] + 1
        armed = {f"{SERVER}/{NAME}": self.state.lines.end} if self.random.random() < 0.5 else {}
        made = Subscription(
            f"s{number}", number, "pattern", [wanted], None, None, None, "", 0.0, armed=armed,
        )  # fmt: skip
        self.living[made.id] = made, self.state.lines.offset
        self.engine.add(wanted)
        self.index.add(made)

    def unsubscribe(self, known: str) -> None:
        made, first = self.living.pop(known)
        self.gone.append((made, first, self.state.lines.offset))
        self.index.remove(made)
        if made.patterns[0] not in self.index.wanted:
            self.engine.remove(made.patterns[0])

    def filter(self, patterns: list[str]) -> Literal:
        return Literal(dict.fromkeys(patterns), self.random.choice((hyperscan, aho_corasick)))

    def meddle(self) -> None:
        deed = self.random.random()
        if deed < 0.05 and len(self.living) < self.most:
            self.subscribe()
        elif deed < 0.1 and self.living:
            self.unsubscribe(self.random.choice(list(self.living)))
        elif deed < 0.13:
            known = [one.patterns[0] for one, _from in self.living.values()]
            some = self.engine.to_merge() or self.random.sample(known, self.random.randrange(len(known) + 1))
            self.merged.append(self.filter(some))
        elif deed < 0.17 and self.merged:
            self.engine.install(self.merged.pop(self.random.randrange(len(self.merged))))
            self.done["merges"] += 1
        elif deed < 0.25:
            block = self.state.lines.unfinished()
            if block:
                self.look(block)
        for _pattern, reason in self.governor.burning():
            raise AssertionError(reason)

    def look(self, block: Block) -> None:
        found = self.state.hits(block, self.engine, self.index, self.governor)
        self.hits += found
        assert found == sorted(found, key=lambda hit: (hit.offset, hit.subscription.number))
        for hit in found:
            assert hit.subscription.id in self.living and hit.partial == block.partial

    # ---- what must have happened -----------------------------------------------------------------------------------

    def compare(self) -> None:
        fired = {}
        for hit in self.hits:
            key = hit.subscription.id, hit.offset
            assert key not in fired, ("twice", hit)
            fired[key] = hit
            start, end = self.stream.line_of(hit.offset)
            assert hit.offset == start and (hit.end <= end if hit.partial else hit.end == end), ("place", hit, start, end)
            assert self.expected(hit.subscription, start, hit.end) == shown(hit), (
                "wrong",
                hit,
                self.expected(hit.subscription, start, hit.end),
            )
        for subscription, first, last in self.gone:
            for start, end in zip(self.stream.starts, self.stream.ends, strict=True):
                if first <= start < last and (subscription.id, start) not in fired:
                    missed = self.expected(subscription, start, end)
                    assert missed is None, ("missed", subscription.patterns[0], subscription.armed, start, missed)
        self.done["lines"] = len(self.stream.starts)
        self.done["hits"] = len(fired)
        self.done["partial hits"] = sum(hit.partial for hit in self.hits)

    def expected(self, subscription: Subscription, start: int, end: int) -> Found | None:
        """Armed in the middle of a line: the line must match, and what came after that, too."""
        since, wanted = subscription.since(SERVER, NAME), subscription.patterns[0]
        found = find(wanted, self.stream.shown(start, end)) if end > since else None
        return find(wanted, self.stream.shown(since, end)) if found and since > start else found


def shown(hit: Hit) -> Found:
    return Found(hit.line, hit.match.text, hit.match.captures, hit.match.named)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--round", type=int)
    options = parser.parse_args()
    done: Counter[str] = Counter()
    number = options.round or 0
    deadline = time.monotonic() + 60 * options.minutes
    print(f"seed {options.seed}", flush=True)
    while time.monotonic() < deadline:
        try:
            done += Round(f"{options.seed}-{number}").run()
        except Exception:
            traceback.print_exc()
            print(f"round {number} of seed {options.seed} failed: fuzz.py --seed {options.seed} --round {number}")
            return 1
        done["rounds"] += 1
        if options.round is not None:
            break
        number += 1
    print(", ".join(f"{count} {what}" for what, count in sorted(done.items())))
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
