"""A storm of lines that all match, with lines around each: through the real parts, from a block of output to events."""

import pytest
from ctmux.services.matcher.context import Context
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import Block
from ctmux.services.matcher.options import read
from ctmux.services.matcher.output import Output
from ctmux.services.matcher.rules import Rules
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.services.matcher.times import Times
from ctmux.shared import spool

MANY = 3000
NAME, STORM = "p1.2.w3.k", b"error: 0123456789abc\n" * MANY


class Storm:
    """A matcher with one pane and one subscription; `reads` counts how often the spool is read."""

    def __init__(self, folder, monkeypatch, **options):
        wanted = Subscription("s1", 1, "pattern", ["error"], None, None, None, "", 0.0, read("pattern", ["error"], options))
        self.path = folder / "spool" / "x" / "s1" / f"{NAME}.raw"
        self.path.parent.mkdir(parents=True)
        self.outbox = self.registry = self.life = self.history = self
        self.engine, self.index, self.governor = Engine(["error"]), Index(), Governor()
        self.index.add(wanted)
        self.events, self.ends, self.reads = [], [], 0
        self.rules = Rules(self, self, str(folder / "facts.jsonl"), str(folder / "spool"))
        self.rules.add(wanted)
        self.context = Context(self, self.rules, self.governor)
        self.output = Output(self, self.rules, self, None, self, None, self.context, self)
        self.state = StreamState("x", "$1", "%1", NAME, 0)
        really = spool.read
        monkeypatch.setattr("ctmux.shared.spool.read", lambda *where: self.count(really(*where)))

    def count(self, found):
        self.reads += 1
        return found

    def prints(self, data):
        offset = self.state.lines.end
        self.path.write_bytes((self.path.read_bytes() if offset else b"") + data)
        self.state.lines.skip(offset + len(data))
        self.output.evaluate(self.state, Block(offset, data), Times(1.0))

    def put(self, drafts, _done=None):
        self.events += drafts

    def hides(self, _hit, _state):
        return False

    def ended(self, subscription, reason, _by):
        self.end(subscription, reason)

    def end(self, subscription, reason, _by=None):
        self.ends.append(reason)
        self.rules.remove(subscription)

    def after(self, _seconds, _action):
        return None

    def released(self):
        pass


@pytest.fixture
def storm(tmp_path, monkeypatch):
    return lambda **options: Storm(tmp_path, monkeypatch, **options)


@pytest.mark.parametrize("options", [{}, {"before": 50}, {"after": 50}, {"before": 50, "after": 50}])
def test_what_is_over_pays_for_no_more_lines(storm, options):
    one = storm(count=1, **options)
    one.prints(b"first\n" * 60)
    one.prints(STORM)
    [event] = one.events
    assert event.data.get("before", ["first"] * 50) == ["first"] * 50 and one.ends == ["once"]
    assert one.reads < 5 * max(1, len(options))
    assert (one.path.parents[3] / "facts.jsonl").read_bytes().count(b"\n") == 1 + bool(options.get("after"))


@pytest.mark.parametrize("options", [{"before": 50}, {"before": 3}, {"after": 50}, {"after": 3}, {"before": 3, "after": 3}])
def test_a_block_is_read_a_few_times_however_many_lines_of_it_match(storm, options):
    one = storm(**options)
    for _ in range(2):
        one.reads = 0
        one.prints(STORM)
        assert one.reads < 30
    assert len(one.events) == 2 * MANY - options.get("after", 0)
    for event in one.events[MANY:]:
        assert [event.data.get(side) for side in ("before", "after")] == [
            options.get(side) and ["error: 0123456789abc"] * options[side] for side in ("before", "after")
        ]


def test_a_line_that_is_far_from_others_has_little_read_for_it(storm):
    one = storm(before=3, after=3)
    quiet = b"%050d\n" % 0 * 600
    one.prints(quiet + b"error\n" + quiet + b"error\n" + quiet)
    assert [event.data["before"] + event.data["after"] for event in one.events] == [["0" * 50] * 6] * 2 and one.reads < 20


def test_lines_around_are_charged(storm, monkeypatch):
    """Whoever has too much of them is ended, like one whose search is slow."""
    monkeypatch.setattr("time.thread_time", iter(range(1_000_000)).__next__)
    one = storm(before=50)
    one.prints(STORM)
    assert one.ends and one.ends[0].startswith("too expensive") and "context" in one.ends[0]
