"""The journal as readers see it: segments, filters, pages, and finding a number without reading everything."""

import io
import os
import tempfile

import pytest
from ctmux.shared import journal
from ctmux.shared.codec import event_line, parse_event
from ctmux.shared.journal import Page, Segment, segment_path
from ctmux.shared.messages import Event, Filter
from hypothesis import given
from hypothesis import strategies as st

HEADER = b'{"first":%d,"format":1,"log":"0f","producers":{},"chains":{},"time":1.5}\n'


def line(n, kind="pane.opened", session="$1", pane="%1", subscription=None, server="0123abcd", **data):
    return event_line(
        Event(
            n,
            "2026-11-22T10:28:49.123456Z",
            kind,
            server,
            session,
            "@1",
            pane,
            subscription,
            data,
            {},
            "keeper/x",
            n,
            "",
            [],
        )
    )


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path)


def write(directory, first, lines, header=None):
    with open(segment_path(directory, first), "wb") as file:
        file.write((HEADER % first if header is None else header) + b"".join(lines))


def numbers(lines):
    return [parse_event(line).n for line in lines]


def read(directory, since=1, limit=1000, wanted=Filter(), **more):  # noqa: B008 (frozen)
    page = journal.read(directory, since, limit, wanted, **more)
    return numbers(page.lines), page.next


# ---- segments ------------------------------------------------------------------------------------------------------


def test_segments_are_found_in_the_order_of_numbers(directory):
    for first in (1000, 7, 1, 10**13):
        write(directory, first, [])
    for other in ("events.jsonl", "events-.jsonl", "events-x.jsonl", "events-000000000005.jsonl.damaged", "notes"):
        open(f"{directory}/{other}", "w").close()
    assert [segment.first for segment in journal.segments(directory)] == [1, 7, 1000, 10**13]


def test_no_journal(directory):
    assert journal.segments(f"{directory}/none") == []
    assert journal.read(f"{directory}/none", 1, 10, Filter()) == Page([], 1, [])


@pytest.mark.parametrize(
    "damaged", [b"", b"\n", b"{", b'{"first":1', b"[1]\n", b"7\n", b"\x00" * 40, b"\xff\n", line(1), b'{"log":"x"}\n']
)
def test_a_damaged_header_is_none(directory, damaged):
    write(directory, 1, [], header=damaged)
    assert journal.header(Segment(1, segment_path(directory, 1))) is None


def test_a_header(directory):
    write(directory, 3, [line(3)])
    assert journal.header(journal.segments(directory)[0])["first"] == 3


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (line(17), 17),
        (HEADER % 3, None),
        (b'{"n":', None),
        (b'{"n":12', None),
        (b'{"n":x,"time"', None),
        (b'{"n":-1,', None),
        (b"\n", None),
        (b"", None),
        (b'{"n":"5",', None),
        (b'{"n":' + b"7" * 5000 + b",", None),
    ],
)
def test_the_number_of_a_line_without_parsing_it(text, number):
    assert journal.number(text) == number


# ---- reading -------------------------------------------------------------------------------------------------------


def test_over_several_segments(directory):
    write(directory, 1, [line(1), line(2)])
    write(directory, 3, [line(3)])
    write(directory, 4, [])
    assert read(directory) == ([1, 2, 3], 4)
    assert read(directory, since=2) == ([2, 3], 4)
    assert read(directory, since=3) == ([3], 4)
    assert read(directory, since=4) == ([], 4)
    assert read(directory, since=9) == ([], 9)


@pytest.mark.parametrize("since", [0, -5])
def test_a_header_is_no_event_whatever_is_asked_for(directory, since):
    write(directory, 1, [line(1)])
    assert numbers(journal.lines(directory, since)) == [1]


def test_what_retention_took_is_skipped(directory):
    write(directory, 5, [line(5), line(6)])
    assert read(directory, since=1) == ([5, 6], 7)


def test_pages_follow_each_other(directory):
    write(directory, 1, [line(n) for n in range(1, 6)])
    write(directory, 6, [line(n) for n in range(6, 8)])
    assert read(directory, limit=3) == ([1, 2, 3], 4)
    assert read(directory, since=4, limit=3) == ([4, 5, 6], 7)
    assert read(directory, since=7, limit=3) == ([7], 8)


def test_a_page_is_not_larger_than_asked_for_but_for_a_line_that_is(directory):
    lines = [line(n, text="x" * 1000) for n in range(1, 20)]
    write(directory, 1, lines)
    page = journal.read(directory, 1, 1000, Filter(), size_max=5000)
    assert 5000 - len(lines[0]) < sum(map(len, page.lines)) <= 5000
    assert page.next == len(page.lines) + 1
    assert len(journal.read(directory, 1, 1000, Filter(), size_max=10).lines) == 1


def test_a_line_that_is_being_written_is_not_there(directory):
    write(directory, 1, [line(1), line(2)[:-1]])
    assert read(directory) == ([1], 2)
    write(directory, 1, [line(1), line(2)])
    assert read(directory, since=2) == ([2], 3)


def test_a_damaged_line_costs_only_itself(directory):
    write(directory, 1, [line(1), b"\x00\xff garbage\n", line(3)])
    assert read(directory) == ([1, 3], 4)


def test_a_damaged_line_that_still_has_its_number_stops_no_reader(directory):
    damaged = line(2).replace(b'"kind":', b'"kind\xff:')
    write(directory, 1, [line(1), damaged, line(3)])
    assert read(directory, wanted=Filter(pane="%1")) == ([1, 3], 4)


def test_a_segment_without_header_is_readable(directory):
    write(directory, 1, [line(1), line(2)], header=b"")
    assert read(directory) == ([1, 2], 3)


# ---- damage --------------------------------------------------------------------------------------------------------

FILTERS = pytest.mark.parametrize(
    "wanted", [Filter(), Filter(pane="%1"), Filter(pane="%9"), Filter(kind="pane"), Filter(kind="gap")]
)


def seen(directory, since=1, limit=1000, wanted=Filter()):  # noqa: B008 (frozen)
    """What a reader is told, page by page: numbers of events, and ranges that are damaged."""
    found = []
    while True:
        page = journal.read(directory, since, limit, wanted)
        found += journal.entries(page.lines, page.damaged)
        if page.next <= since:
            return [one.n if isinstance(one, Event) else one for one in found]
        since = page.next


def events(found):
    return [one for one in found if isinstance(one, int)]


def damaged(found):
    return [one for one in found if not isinstance(one, int)]


@FILTERS
@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_what_is_damaged_is_told_once_whatever_is_wanted(directory, wanted, limit):
    """A block of zeros, from within line 4 into line 7."""
    content = b"".join(line(n) for n in range(1, 11))
    start, end = content.index(b'{"n":4,') + 30, content.index(b'{"n":7,') + 30
    write(directory, 1, [content[:start], b"\0" * (end - start), content[end:]])
    found = seen(directory, wanted=wanted, limit=limit)
    assert events(found) in ([1, 2, 3, 8, 9, 10], [])
    assert {n for first, last in damaged(found) for n in range(first, last + 1)} == {4, 5, 6, 7}
    assert found == sorted(found, key=lambda one: one if isinstance(one, int) else one[0])
    assert damaged(seen(directory, since=6, wanted=wanted)) == [(6, 7)]


@FILTERS
@pytest.mark.parametrize("bytes_", [b"\xff\xfe", b"\0\0"])
def test_a_line_that_only_has_its_number_is_told(directory, wanted, bytes_):
    text = line(2)
    write(directory, 1, [line(1), text[:50] + bytes_ + text[52:], line(3)])
    assert damaged(seen(directory, wanted=wanted)) == [(2, 2)]


@FILTERS
def test_a_line_without_its_number_is_told(directory, wanted):
    write(directory, 1, [line(1), b"#" + line(2), line(3)])
    assert damaged(seen(directory, wanted=wanted)) == [(2, 2)]


@FILTERS
def test_what_retention_took_is_not_damaged_also_while_it_is_read(directory, wanted, monkeypatch):
    write(directory, 5, [line(5), line(6)])
    write(directory, 7, [line(7)])
    assert damaged(seen(directory, wanted=wanted)) == []
    real = open

    def slow(path, *mode):
        if path == segment_path(directory, 5):
            os.unlink(path)
        return real(path, *mode)

    monkeypatch.setattr("builtins.open", slow)
    assert damaged(seen(directory, since=5, wanted=wanted)) == []


@FILTERS
def test_the_first_line_that_is_kept_may_be_damaged(directory, wanted):
    write(directory, 5, [b"#" + line(5), line(6)])
    assert damaged(seen(directory, wanted=wanted)) == [(5, 5)]


@FILTERS
def test_a_segment_that_is_gone_is_told(directory, wanted):
    write(directory, 1, [line(1)])
    write(directory, 4, [line(4)])
    assert damaged(seen(directory, wanted=wanted)) == [(2, 3)]


@FILTERS
def test_a_closed_segment_without_its_last_newline_hides_nothing_behind_it(directory, wanted):
    write(directory, 1, [line(1), line(2)[:-1]])
    write(directory, 3, [line(3)])
    found = seen(directory, wanted=wanted)
    assert events(found) in ([1, 3], []) and damaged(found) == [(2, 2)]


def test_a_number_that_went_back_is_not_given_again(directory):
    write(directory, 1, [line(1), line(2), line(1), line(4), line(5)])
    assert seen(directory) == [1, 2, (3, 3), 4, 5]


def test_a_number_beyond_its_segment_is_none(directory):
    write(directory, 1, [line(1), line(92), line(3)])
    write(directory, 4, [line(4)])
    assert seen(directory) == [1, (2, 2), 3, 4]


# ---- filters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), [1, 2, 3, 4]),
        (Filter(kind="pane"), [1, 2]),
        (Filter(kind="pane.exited"), [2]),
        (Filter(kind="pan"), []),
        (Filter(kind="pane.exited.x"), []),
        (Filter(session="$1"), [1, 3]),
        (Filter(pane="%1"), [1]),
        (Filter(session="$1", pane="%2"), []),
        (Filter(session="$2", pane="%2"), [2]),
        (Filter(server="0123abcd"), [1, 2, 3]),
        (Filter(subscription="s1"), [4]),
        (Filter(subscription="é"), [3]),
    ],
)
def test_filter(directory, wanted, found):
    write(
        directory,
        1,
        [
            line(1),
            line(2, kind="pane.exited", session="$2", pane="%2"),
            line(3, kind="session.renamed", pane=None, subscription="é", name="$2 %2 s1"),
            line(4, kind="pattern.matched", session="$3", pane="%3", subscription="s1", server="ffff0000"),
        ],
    )
    assert read(directory, wanted=wanted) == (found, 5)
    events = [parse_event(text) for text in journal.lines(directory, 1)]
    assert [event.n for event in events if journal.fits(event, wanted)] == found


def test_a_text_in_the_data_is_no_id(directory):
    write(directory, 1, [line(1, pane="%1", line='"%2"'), line(2, pane="%2")])
    assert read(directory, wanted=Filter(pane="%2")) == ([2], 3)


def test_a_limit_counts_what_fits(directory):
    write(directory, 1, [line(n, pane=f"%{n % 3}") for n in range(1, 10)])
    assert read(directory, limit=2, wanted=Filter(pane="%0")) == ([3, 6], 7)


# ---- bisection -----------------------------------------------------------------------------------------------------

SIZES = st.lists(st.integers(0, 60) | st.integers(0, 6000), min_size=1, max_size=60)


@given(SIZES, st.lists(st.integers(0, 6), max_size=60), st.data())
def test_seek_is_never_behind_the_event_and_not_far_before_it(sizes, steps, data):
    """Lines of any length, numbers with gaps, damaged lines in between: the same events as by reading all."""
    n, lines = 0, []
    for index, size in enumerate(sizes):
        step = steps[index] if index < len(steps) else 1
        n += max(1, step)
        lines.append(b"\x00 damaged" + b"x" * size + b"\n" if step == 0 else line(n, text="x" * size))
    with tempfile.TemporaryDirectory() as directory:
        write(directory, 1, lines)
        since = data.draw(st.integers(1, n + 2))
        everything = [text for text in lines if (journal.number(text) or 0) >= since]
        assert list(journal.lines(directory, since)) == everything


@given(SIZES, st.data())
def test_seek_reads_little_before_what_it_looks_for(sizes, data):
    content = HEADER % 1 + b"".join(line(n, text="x" * size) for n, size in enumerate(sizes, 1))
    since = data.draw(st.integers(1, len(sizes)))
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        journal._seek(file, since)
        at = file.tell()
        wanted = content.index(b'{"n":%d,' % since)
        assert at <= wanted
        assert at == 0 or content[at - 1 : at] == b"\n"
        assert wanted - at <= 2 * 4096 + 2 * max(map(len, io.BytesIO(content)))


def test_a_million_events_are_not_read_for_one(directory):
    """Only the pages of the file that the bisection looked at; measured as bytes that went through read()."""

    def bytes_read():
        with open("/proc/self/io") as file:
            return int(next(text for text in file if text.startswith("rchar")).split()[1])

    write(directory, 1, [line(n) for n in range(1, 20_001)])
    size = os.path.getsize(segment_path(directory, 1))
    before = bytes_read()
    assert read(directory, since=15_000, limit=1) == ([15_000], 15_001)
    assert bytes_read() - before < size / 4
