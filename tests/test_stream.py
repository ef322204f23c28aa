"""One stream through the matcher: which subscription fires on which line, once."""

from itertools import pairwise

import pytest
from ctmux.services.matcher import visible
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import LINE_MAX
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.services.matcher.times import Times
from ctmux.shared import spool
from ctmux.shared.marks import Mark
from hypothesis import given
from hypothesis import strategies as st

SERVER, STREAM = "0123abcd", "p1.2.w3.k"


def subscription(pattern, number=1, armed=None):
    return Subscription(
        f"s{number}", number, "pattern" if pattern else "exit", [pattern] if pattern else [], None, None, None, "", 0.0,
        armed={} if armed is None else {f"{SERVER}/{STREAM}": armed},
    )  # fmt: skip


def stream(offset=0, fired=()):
    return StreamState(SERVER, "$1", "%1", STREAM, offset, fired)


def looking_for(*subscriptions):
    engine, index = Engine(), Index()
    for found in subscriptions:
        for pattern in found.texts:
            engine.add(pattern)
        index.add(found)
    return engine, index, Governor()


def feed(state, data, *subscriptions):
    return [hit for block in state.lines.feed(data) for hit in state.hits(block, *looking_for(*subscriptions))]


def quiet(state, *subscriptions):
    block = state.lines.unfinished()
    return state.hits(block, *looking_for(*subscriptions)) if block else []


def flush(state, *subscriptions):
    block = state.lines.flush()
    return state.hits(block, *looking_for(*subscriptions)) if block else []


def places(hits):
    return [(hit.subscription.id, hit.offset, hit.end, hit.line) for hit in hits]


FOO = subscription("foo")


# ---- lines ---------------------------------------------------------------------------------------------------------


def test_a_line_and_its_place():
    state = stream(1000)
    assert places(feed(state, b"one\r\n\x1b[31mfoo\x1b[0m two\r\nthree\r\n", FOO)) == [("s1", 1005, 1022, "foo two")]


def test_the_match_and_its_captures():
    [hit] = feed(stream(), b"exit 7\n", subscription(r"exit (?P<code>\d)"))
    assert (hit.match.text, hit.match.captures, hit.match.named) == ("exit 7", ["7"], {"code": "7"})
    assert not hit.partial and not hit.truncated


def test_a_progress_bar_is_many_lines():
    assert [hit.line for hit in feed(stream(), b"50%\r99%\r100%\r\n", subscription(r"\d%"))] == ["50%", "99%", "100%"]


def test_lines_first_then_subscriptions():
    one, two, three = subscription("foo", 1), subscription("o", 2), subscription("foo", 3)
    hits = feed(stream(), b"foo\nbar\nfoo o\n", three, two, one)
    assert [(hit.subscription.id, hit.offset) for hit in hits] == [
        ("s1", 0), ("s2", 0), ("s3", 0), ("s1", 8), ("s2", 8), ("s3", 8),
    ]  # fmt: skip


def test_a_subscription_without_a_pattern_matches_nothing():
    assert feed(stream(), b"foo\n", subscription(None)) == []


def test_a_line_that_is_too_long_says_so():
    [hit] = feed(stream(), b"foo" + b"x" * LINE_MAX, FOO)
    assert hit.truncated
    assert places(feed(stream(), b"foo\n", FOO)) == [("s1", 0, 4, "foo")]


# ---- armed ---------------------------------------------------------------------------------------------------------

TEXT = b"foo 1\nfoo 2\nfoo 3\n"


@pytest.mark.parametrize(
    ("armed", "fires"),
    [(None, [0, 6, 12]), (0, [0, 6, 12]), (1, [6, 12]), (6, [6, 12]), (12, [12]), (17, []), (18, []), (1000, [])],
)
def test_only_what_is_printed_after_arming_counts(armed, fires):
    assert [hit.offset for hit in feed(stream(), TEXT, subscription("foo", armed=armed))] == fires


def test_armed_inside_a_line_only_its_rest_counts():
    armed = subscription("foo", armed=5)
    assert places(feed(stream(), b"foo bar\n", armed)) == []
    [hit] = feed(stream(), b"foo, foo\n", armed)
    assert (hit.offset, hit.line) == (0, "foo")


def test_armed_at_the_end_of_an_unfinished_line():
    """Echo-proof: the command line that is there already is not what was waited for."""
    state = stream()
    state.lines.feed(b"$ make && echo done")
    waiting = subscription("done", armed=19)
    assert quiet(state, waiting) == []
    assert feed(state, b"\r\n", waiting) == []
    assert places(feed(state, b"done\r\n", waiting)) == [("s1", 21, 26, "done")]


def test_armed_in_another_stream_is_not_armed_here():
    other = subscription("foo")
    other.armed = {f"{SERVER}/p9.9.w9.k": 10**6, f"ffff0000/{STREAM}": 10**6}
    assert len(feed(stream(), b"foo\n", other)) == 1


# ---- unfinished lines ----------------------------------------------------------------------------------------------


def test_a_prompt_fires_once():
    state = stream()
    prompt = subscription("login:")
    state.lines.feed(b"welcome\nlogin: ")
    [hit] = quiet(state, prompt)
    assert (hit.offset, hit.partial, hit.line) == (8, True, "login: ")
    assert quiet(state, prompt) == []
    assert feed(state, b"ada\r\n", prompt) == []
    assert [hit.offset for hit in feed(state, b"login: \n", prompt)] == [20]


def test_the_rest_of_a_line_fires_whom_its_beginning_did_not():
    state = stream()
    one, two = subscription("foo", 1), subscription("bar", 2)
    state.lines.feed(b"foo ")
    assert [hit.subscription.id for hit in quiet(state, one, two)] == ["s1"]
    assert [hit.subscription.id for hit in feed(state, b"bar\nfoo bar\n", one, two)] == ["s2", "s1", "s2"]


def test_who_remembers_is_told_of_what_else_the_rest_of_a_line_matches():
    state = stream()
    both = Subscription("s1", 1, "sequence", ["foo", "bar"], None, None, None, "", 0.0)
    state.lines.feed(b"foo ")
    told = [quiet(state, both), quiet(state, both)]
    state.lines.feed(b"7 ")
    told += [quiet(state, both), feed(state, b"bar\n", both)]
    assert [[index for hit in hits for index, _match in hit.matches] for hits in told] == [[0], [], [], [0, 1]]


def test_the_last_line_of_a_stream_fires_once():
    state = stream()
    state.lines.feed(b"foo")
    assert len(quiet(state, FOO)) == 1
    assert flush(state, FOO) == []
    state = stream()
    state.lines.feed(b"foo")
    assert places(flush(state, FOO)) == [("s1", 0, 3, "foo")]


def test_a_restarted_matcher_knows_what_has_fired():
    state = stream(100, fired=["s1"])
    two = subscription("foo", 2)
    assert [(hit.subscription.id, hit.offset) for hit in feed(state, b"foo\nfoo\n", FOO, two)] == [
        ("s2", 100), ("s1", 104), ("s2", 104),
    ]  # fmt: skip


# ---- whatever the chunks -------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [b"foo", b"fo", b"o", b"bar", b" ", b"7", b"\r", b"\n", b"\r\n", b"\x1b[31m", b"\x1b", b"]0;t", b"\x07", b"\x08",
     b"[", b"\xc3", b"\xa9"]
)  # fmt: skip
RAW = st.lists(PIECES, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 80), max_size=12)
PATTERNS = ["foo", "o+", "^bar", "7$", r"(\w+) (\w+)", r"\Ao", r"\s", "é"]


def chunks(raw, cuts):
    at = sorted({min(cut, len(raw)) for cut in cuts} | {0, len(raw)})
    return [raw[begin:end] for begin, end in pairwise(at)]


def found(hits):
    """A hit without what is only of its block."""
    return [(hit.subscription.id, hit.offset, hit.end, hit.line, hit.match.text, hit.match.captures) for hit in hits]


def everything(raw, cuts, subscriptions, looks=()):
    """All hits of a stream; after the chunks numbered in `looks` it was quiet for a moment."""
    state = stream()
    hits = []
    for number, chunk in enumerate(chunks(raw, cuts)):
        hits += feed(state, chunk, *subscriptions)
        if number in looks:
            hits += quiet(state, *subscriptions)
    return hits + flush(state, *subscriptions)


ARMED = st.lists(st.none() | st.integers(0, 80), min_size=len(PATTERNS), max_size=len(PATTERNS))


def armed_subscriptions(armed):
    return [subscription(pattern, number, armed[number]) for number, pattern in enumerate(PATTERNS)]


@given(RAW, CUTS, CUTS, ARMED)
def test_the_boundaries_of_chunks_do_not_matter(raw, cuts, others, armed):
    subscriptions = armed_subscriptions(armed)
    assert found(everything(raw, cuts, subscriptions)) == found(everything(raw, others, subscriptions))


@given(RAW, CUTS, ARMED, st.sets(st.integers(0, 12)))
def test_looking_at_unfinished_lines_misses_and_doubles_nothing(raw, cuts, armed, looks):
    subscriptions = armed_subscriptions(armed)
    ids = [(hit.subscription.id, hit.offset) for hit in everything(raw, cuts, subscriptions, looks)]
    assert len(ids) == len(set(ids))
    assert set(ids) >= {(hit.subscription.id, hit.offset) for hit in everything(raw, cuts, subscriptions)}


@given(RAW, CUTS, ARMED, st.integers(0, 80))
def test_a_matcher_that_is_killed_anywhere_finds_the_rest(raw, cuts, armed, killed):
    """It goes on at its last event, as the journal has it: line and who had fired there."""
    subscriptions = armed_subscriptions(armed)
    expected = [(hit.subscription.id, hit.offset) for hit in everything(raw, [], subscriptions)]
    written = expected[:killed]
    last = written[-1][1] if written else 0
    state = stream(last, [fired for fired, offset in written if offset == last])
    hits = []
    for chunk in chunks(raw[last:], cuts):
        hits += feed(state, chunk, *subscriptions)
    hits += flush(state, *subscriptions)
    assert written + [(hit.subscription.id, hit.offset) for hit in hits] == expected


# ---- the alternate screen ------------------------------------------------------------------------------------------

ON, OFF = b"\x1b[?1049h", b"\x1b[?1049l"


def test_nothing_on_the_alternate_screen_is_a_line():
    data = b"foo 1\r\n$ vim\r\n" + ON + b"foo 2\r\n\x1b[2;1Hfoo 3\r\nfoo 4" + OFF + b"foo 5\r\nfoo 6\r\n"
    found = feed(stream(), data, FOO)
    assert [hit.line for hit in found] == ["foo 1", "foo 5", "foo 6"]
    assert [data[hit.offset : hit.end].rstrip() for hit in found] == [b"foo 1", b"foo 4" + OFF + b"foo 5", b"foo 6"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("switch", [b"1049", b"47", b"1047", b"25;1049", b"1049;2004"])
def test_it_is_left_out_whatever_the_chunks_are(size, switch):
    data = b"foo 1\r\n\x1b[?" + switch + b"hfoo\r\nfoo\r\nfoo\x1b[?" + switch + b"l\r\nfoo 2\r\n"
    state = stream()
    found = [hit for at in range(0, len(data), size) for hit in feed(state, data[at : at + size], FOO)]
    assert [hit.line for hit in found] == ["foo 1", "foo 2"]


def test_it_is_not_a_prompt_either():
    state = stream()
    assert feed(state, b"$ less\r\n" + ON + b"foo", FOO) == quiet(state, FOO) == []
    assert [hit.line for hit in feed(state, b" bar" + OFF + b"foo\r\n", FOO)] == ["foo"]


def test_an_arm_in_the_middle_of_a_line_that_begins_there():
    data = ON + b"foo" + OFF + b" bar foo\r\n"
    assert places(feed(stream(), data, subscription("foo", armed=len(ON) + 1))) == [("s1", 0, len(data) - 1, " bar foo")]
    assert feed(stream(), data, subscription("foo", armed=len(data) - 4)) == []


@pytest.mark.parametrize(("before", "on"), [(b"", False), (b"x", False), (ON, True), (ON + OFF, False), (OFF + ON, True)])
@pytest.mark.parametrize("more", [0, 10, 1 << 18, (1 << 18) - 3, 3 << 18])
def test_whether_it_is_on_where_a_matcher_begins(before, on, more):
    data = b"x" * 100 + before + b"y" * more
    kept = 50

    def read(offset, limit):
        start = max(offset, kept)
        return spool.Range(start, (data + ON)[start : start + limit], kept, len(data) + len(ON))

    assert visible.at(read, len(data)).alternate == on


def test_a_switch_that_a_long_line_cuts():
    for before in range(LINE_MAX - len(ON) - 12, LINE_MAX - len(ON) + 2):
        data = ON + b"x" * before + OFF + b"\r\nfoo 1\r\nfoo 2\r\n"
        assert [hit.line for hit in feed(stream(), data, FOO)] == ["foo 1", "foo 2"], before


# ---- echo ----------------------------------------------------------------------------------------------------------


def test_echo_fires_only_who_wants_it():
    one, two = subscription("foo", 1), subscription("foo", 2)
    two.options.include_echo = True
    data = b"\x1b[?2004h$ echo foo\r\n\x1b[?2004l\rfoo\r\n"
    assert [(hit.subscription.id, hit.line) for hit in feed(stream(), data, one, two)] == [
        ("s2", "$ echo foo"), ("s1", "foo"), ("s2", "foo"),
    ]  # fmt: skip


@pytest.mark.parametrize("wants", [False, True])
def test_armed_at_a_prompt(wants):
    """Behind the place where it was armed comes what is typed."""
    waiting = subscription("foo", armed=10)
    waiting.options.include_echo = wants
    data = b"\x1b[?2004h$ echo foo\r\n\x1b[?2004l\rfoo\r\n"
    assert [hit.line for hit in feed(stream(), data, waiting)] == ["echo foo"] * wants + ["foo"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("armed", [None, 2])
@pytest.mark.parametrize("looks", [False, True])
def test_what_is_sent_is_echo_once(size, armed, looks):
    one, two = subscription("foo", 1, armed), subscription("foo", 2, armed)
    two.options.include_echo = True
    state, data, found = stream(), b"$ cat foo\r\nfoo\r\ncat foo\r\n", []
    state.typed.add("cat foo", 2)
    for at in range(0, len(data), size):
        found += feed(state, data[at : at + size], one, two)
        if looks and b"cat foo" not in data[:at]:  # half of it is no echo yet
            found += quiet(state, subscription("no", 3))
    assert [hit.line for hit in found if hit.subscription is one] == ["foo", "cat foo"]
    assert [hit.line for hit in found if hit.subscription is two] == [
        "$ cat foo" if armed is None else "cat foo", "foo", "cat foo",
    ]  # fmt: skip


def test_an_editor_that_reads_when_it_is_sent():
    state = stream()
    state.typed.add("foo", 10)
    data = b"\x1b[?2004h$ foo\r\n\x1b[?2004l\rfoo\r\n"
    assert [hit.line for hit in feed(state, data, FOO)] == ["foo"]


def test_a_long_sequence_of_modes_takes_no_time():
    assert visible.parts(b"\x1b[?" + b"47;" * 100_000 + b"x", visible.State())[2] == visible.State()


def test_a_cut_line_loses_nothing_where_its_piece_begins_with_what_is_hidden():
    """Found by fuzzing: the piece before ends in an escape, and the first visible escape was taken for it."""
    line = b"x" * (LINE_MAX - 9) + b"\x1b]133;A\x07\x1b"
    state = stream()
    found = feed(state, line + b"\\typed\x1b]133;D\x07\x1b[>4;2mfoo 7\n", FOO)
    assert [hit.line for hit in found] == ["foo 7"]


@pytest.mark.parametrize("cut", range(1, len(OFF)))
def test_armed_in_a_piece_of_a_line_that_begins_in_a_switch(cut):
    before = ON + b"x" * (LINE_MAX - len(ON) - cut) + OFF
    [hit] = feed(stream(), before + b"abcfoo\n", subscription("foo", armed=len(before) + 3))
    assert hit.line == "foo"
    before = b"x" * (LINE_MAX - cut) + ON
    assert not feed(stream(), before + b"abcfoo\n", subscription("foo", armed=len(before) + 3))


MARKS = [7, 10, 20]  # of `a line\n` and the beginnings of the next one


@pytest.mark.parametrize(
    ("pattern", "armed", "came"),
    [
        ("que", 0, 10), ("quest", 0, 20), (r"\? me", 0, 25), ("^quest", 0, 20), ("a line", 0, 7), ("est", 9, 20),
        ("que", 8, None), (r"\?", 12, 25),
    ],
)  # fmt: skip
def test_a_line_that_is_read_late_came_when_what_matches_was_printed(pattern, armed, came):
    """A question has its time, not that of its answer."""
    state = stream()
    state.times = Times(9.0, [Mark(offset, float(offset), False) for offset in MARKS])
    hits = feed(state, b"a line\nque\x1b[31mst\x1b[m? me\nmore\n", subscription(pattern, armed=armed))
    assert [hit.came for hit in hits] == ([] if came is None else [came])


@given(st.text("ab\r\x08", max_size=30), st.sets(st.integers(1, 30)))
def test_what_came_first_matched_by_then(text, marks):
    data = text.encode() + b"ab\n"
    state = stream()
    state.times = Times(9.0, [Mark(offset, 1.0, False) for offset in sorted(marks)])
    for hit in feed(state, data, subscription("ab")):
        assert hit.came == hit.end or (hit.came in marks and feed(stream(), data[: hit.came] + b"\n", subscription("ab")))


def test_of_several_patterns_the_first_tells_when():
    wanted = subscription("que")
    wanted.patterns = ["me", "que"]
    state = stream()
    state.times = Times(9.0, [Mark(4, 1.0, False), Mark(9, 2.0, False)])
    [hit] = feed(state, b"que? me\n", wanted)
    assert hit.came == 4 and [index for index, _match in hit.matches] == [0, 1]
