"""The lines around a line: the right ones, and no more is read for them than they need."""

from types import SimpleNamespace

import pytest
from ctmux.services.matcher import visible
from ctmux.services.matcher.around import Around
from ctmux.services.matcher.context import Context
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.options import read
from ctmux.services.matcher.sights import Sights
from ctmux.services.matcher.stream import Hit, StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared import spool
from hypothesis import given
from hypothesis import strategies as st

MARKS = [b"\x1b[?2004h$ ", b"\x1b[?2004l\r", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b]133;C\x07"]
PIECES = [b"text\n", b"x" * 5000 + b"\n", *MARKS]


class Printed:
    """A stream that was printed; it counts what is read of it."""

    def __init__(self, data):
        self.data, self.read = data, 0

    def __call__(self, offset, limit):
        found = self.data[offset : offset + limit]
        self.read += len(found)
        return spool.Range(offset, found, 0, len(self.data))


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.lists(st.integers(0, 60_000), max_size=20))
def test_what_is_seen_is_the_same_in_whatever_order_it_is_asked(pieces, asked):
    printed, sights = Printed(b"".join(pieces)), Sights()
    starts = [at + 1 for at, byte in enumerate(printed.data) if byte == 10]
    for wanted in asked:
        place = next((start for start in starts if start >= wanted), 0)
        assert sights.at("x", printed, place) == visible.at(printed, place)


@pytest.mark.parametrize("steps", [(0, 64_000), (0, 64_000, 2_000_000)])
def test_places_that_are_asked_for_in_turns_are_read_once(steps):
    """What is far behind is looked through once, not for each of them."""
    printed, sights = Printed(b"0123456789abcde\n" * 500_000), Sights()
    sights.at("x", printed, 4_000_000)
    for back in steps:
        sights.at("x", printed, 4_000_000 - back)
    printed.read = 0
    for place in range(4_000_000, 5_000_000, 1600):
        for back in steps:
            sights.at("x", printed, place - back)
    assert printed.read < 20_000_000


def test_of_what_lies_between_two_places_far_apart_only_the_last_part_is_taken_apart(monkeypatch):
    printed, sights, taken = Printed(b"\x1b[?1049h" + b"\x1b[?25l\x1b[?25h" * 400_000), Sights(), []
    parts = visible.parts
    monkeypatch.setattr(visible, "parts", lambda raw, state: taken.append(len(raw)) or parts(raw, state))
    sights.at("x", printed, 2_000_000)
    printed.read = 0
    assert sights.at("x", printed, 4_000_000).alternate
    assert sum(taken) <= 2 << 18 and printed.read < 3_000_000


@pytest.fixture
def stream(tmp_path):
    (tmp_path / "x" / "s1").mkdir(parents=True)
    return tmp_path / "x" / "s1" / "p1.2.w3.k.raw"


@pytest.fixture
def world(tmp_path):
    """The parts around a context: facts that are told, and timers that never come."""
    told = []
    return SimpleNamespace(root=str(tmp_path), by_id={}, told=told, tell=told.extend, after=lambda _seconds, _action: None)


def around(world, before=0, after=0):
    """A subscription that wants so many lines, and its context."""
    options = read("pattern", ["A"], {"before": before, "after": after})
    wanted = Subscription("s1", 1, "pattern", ["A"], None, None, None, "", 0.0, options)
    world.by_id["s1"] = SimpleNamespace(subscription=wanted, held={})
    return wanted, Context(world, world, Governor())


def hit(wanted, offset, end):
    world_line = StreamState("x", "$1", "%1", "p1.2.w3.k", end)
    return world_line, Hit(wanted, offset, end, end, "A", [], False, False)


def before(context, state, found):
    return context.before(context.around(state.server, state.name, found.offset), found)["before"]


@pytest.mark.parametrize("long", [10, 3000])
def test_the_lines_before_and_after_a_line(world, stream, long):
    printed = b"".join(b"%d %s\r\n" % (number, b"x" * long) for number in range(9))
    stream.write_bytes(printed + b"A\r\n" + printed + b"half")
    wanted, context = around(world, 2, 3)
    state, found = hit(wanted, len(printed), len(printed) + 3)
    assert [line[0] for line in before(context, state, found)] == ["7", "8"]
    world.by_id["s1"].held[f"{state.name}/{found.offset}"] = {}
    state.lines.skip(2 * len(printed) + 3)
    context.follow(state, [found])
    [(_id, fact)] = world.told
    assert [line[0] for line in fact["lines"]] == ["0", "1", "2"] and len(fact["lines"][2]) == long + 2


def test_many_lines_that_wait_are_looked_at_for_what_they_need(world, stream, monkeypatch):
    """Each in the lines behind it, not in all that has come."""
    stream.write_bytes(b"A\n" * 32768)
    wanted, context = around(world, 3, 3)
    read_so_far, really = [0], spool.read

    def count(path, offset, limit):
        found = really(path, offset, limit)
        read_so_far[0] += len(found.data)
        return found

    monkeypatch.setattr("ctmux.shared.spool.read", count)
    state = hit(wanted, 0, 2)[0]
    hits = [hit(wanted, offset, offset + 2)[1] for offset in range(0, 65536, 64)]
    world.by_id["s1"].held |= {f"{state.name}/{one.offset}": {} for one in hits}
    state.lines.skip(65536)
    for one in hits:
        before(context, state, one)
    context.follow(state, hits)
    assert len(world.told) == len(hits) and read_so_far[0] < 20_000_000


LINES = [b"text\n", b"a\r\n", b"\n", b"\r\n", b"10%\r20%\r30%\n", b"x" * 5000 + b"\n", b"\x1b[1mbold\x1b[m\r\n"]


@given(st.lists(st.sampled_from(LINES), max_size=60), st.integers(1, 50), st.data())
def test_lines_around_many_places_are_those_around_each(pieces, wanted, data):
    """Whatever was asked before, and however long the lines are."""
    printed = Printed(b"".join(pieces) + b"A\n")
    ends = [at + 1 for at, byte in enumerate(printed.data) if byte in b"\r\n"]
    lines = [span for span in zip([0, *ends], ends, strict=False) if printed.data[max(0, span[0] - 1) :][:2] != b"\r\n"]
    spans = data.draw(st.lists(st.sampled_from(lines), max_size=20).map(sorted))

    def around():
        return Around(printed, lambda _offset: visible.State(), len(printed.data))

    one, other = around(), around()
    for start, end in spans:
        assert one.before(start, wanted) == around().before(start, wanted)
        assert other.after(start, end, wanted) == around().after(start, end, wanted)
        assert around().before(start, wanted) == shown(printed.data[max(0, start - 65536) : start], start > 65536)[-wanted:]
        assert (
            around().after(start, end, wanted) == shown(printed.data[end:], printed.data[end - 1 : end] == b"\r")[:wanted]
        )


def shown(raw, torn):
    """The lines of a text, the simple way; `torn`: it begins in a line, whose rest counts only if it shows anything."""
    units = raw.replace(b"\x1b[1m", b"").replace(b"\x1b[m", b"").split(b"\n")
    lines = []
    for number, unit in enumerate(units):
        texts = [text.decode()[:4096] for text in unit.split(b"\r") if text]
        whole = number < len(units) - 1 and not (torn and number == 0)
        lines += texts or ([""] if whole else [])
    return lines


def test_a_blank_line_is_a_line_and_what_overwrites_itself_is_several():
    printed = Printed(b"a\r\n\r\n10%\r\r20%\r\nA\r\n\r\nb\r\n")
    around = Around(printed, lambda _offset: visible.State(), len(printed.data))
    at = printed.data.index(b"A")
    assert around.before(at, 9) == ["a", "", "10%", "20%"] and around.after(at, at + 2, 9) == ["", "b"]


def test_what_is_not_kept_any_more_is_left_out():
    def read(offset, limit):
        start = max(offset, 100)
        return spool.Range(start, (b"0123456789abcde\n" * 20)[start : start + limit], 100, 320)

    around = Around(read, lambda _offset: visible.State(), 160)
    assert around.before(160, 9) == ["0123456789abcde"] * 3
