"""What a logger makes of damaged files when it opens them: no number twice, no event hidden, and every loss told."""

import json
import os
import shutil

import pytest
from ctmux.services.logger.writer import Writer
from ctmux.shared import journal
from ctmux.shared.codec import event_line, parse_event
from ctmux.shared.config import LoggerConfig
from ctmux.shared.messages import Draft, Event, Filter
from journals import opened


@pytest.fixture
def directory(tmp_path):
    """Segments 1-10, 11-20 and 21-30, the newest."""
    path = f"{tmp_path}/journal"
    writer = Writer(path, LoggerConfig())
    for first in (1, 11, 21):
        put(writer, *range(first, first + 10))
        if first < 21:
            rotate(writer)
    writer.close()
    assert [segment.first for segment in journal.segments(path)] == [1, 11, 21]
    return path


def put(writer, *positions):
    drafts = [Draft("p", position, "", "pane.opened", 1.5, "x", "$1", None, "%1") for position in positions]
    events = writer.ledger.accept(drafts)
    if events:
        writer.append([event_line(event) for event in events])
        writer.ledger.commit(events)
    return [event.n for event in events]


def rotate(writer):
    writer._began = 0.0
    writer.rotate_if_due()


def damage(path, change):
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(change(content))


def newest(directory):
    return journal.segments(directory)[-1].path


def numbers(directory):
    return [parse_event(line).n for line in journal.lines(directory, 1)]


def log_of(directory):
    return journal.header(journal.segments(directory)[0])["log"]


def header_without(key):
    def change(content):
        header, _, rest = content.partition(b"\n")
        fields = json.loads(header)
        del fields[key]
        return json.dumps(fields).encode() + b"\n" + rest

    return change


def header_with(**fields):
    def change(content):
        header, _, rest = content.partition(b"\n")
        return json.dumps({**json.loads(header), **fields}).encode() + b"\n" + rest

    return change


HEADERS = [
    lambda content: b"#" + content[1:],
    lambda content: content[:20] + b"\0\0" + content[22:],
    lambda content: content[content.index(b"\n") + 1 :],  # none at all
    lambda content: content.replace(b"\n", b" ", 1),  # joined with the first event, which is lost
    *(header_without(key) for key in ("first", "log", "producers", "chains", "time")),
    header_with(first=20), header_with(first="21"), header_with(log=7), header_with(log=None), header_with(time="x"),
    header_with(time=None), header_with(producers=[]), header_with(producers={"p": 7}),
    header_with(producers={"p": ["x", []]}),
    header_with(producers={"p": [1, "ab"]}), header_with(producers={"p": [1, [[]]]}), header_with(producers={"p": [1]}),
    header_with(chains=[1]), header_with(chains={"x": "y"}), header_with(ended=[]), header_with(ended={"p": None}),
]  # fmt: skip


@pytest.mark.parametrize("change", HEADERS)
def test_a_damaged_header_loses_no_event_and_no_number(directory, change):
    log = log_of(directory)
    damage(newest(directory), change)
    here = numbers(directory)
    with opened(directory) as writer:
        assert (writer.ledger.log, writer.ledger.head) == (log, 30)
        assert any("no header" in sentence for sentence in writer.mended)
        assert put(writer, *range(22, 31)) == [] and put(writer, 31) == [31]
        assert writer.lost == ([] if 21 in here else [(21, 21)])
    assert numbers(directory) == [*here, 31]
    assert not [name for name in os.listdir(directory) if name.endswith(".damaged")]
    with opened(directory) as writer:  # the new segment has a header
        assert (writer.ledger.head, writer.mended, writer.lost) == (31, [], [])


def test_more_than_one_damaged_header(directory):
    for segment in journal.segments(directory)[1:]:
        damage(segment.path, HEADERS[0])
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.lost, len(writer.mended)) == (30, [], 2)
        assert put(writer, 30) == [] and put(writer, 31) == [31]
    assert numbers(directory) == list(range(1, 32))


@pytest.mark.parametrize(("change", "same"), [(HEADERS[0], True), (HEADERS[2], False)])
def test_when_no_header_is_left_the_log_is_another_one_unless_its_id_can_be_read(directory, change, same):
    log = log_of(directory)
    for segment in journal.segments(directory):
        damage(segment.path, change)
    with opened(directory) as writer:
        assert (writer.ledger.log == log) is same and len(writer.mended) == 3
        assert put(writer, 30) == [] and put(writer, 31) == [31]
        now = writer.ledger.log
    assert numbers(directory) == list(range(1, 32))
    with opened(directory) as writer:
        assert (writer.ledger.log, writer.ledger.head, writer.mended) == (now, 31, [])


# ---- lines ---------------------------------------------------------------------------------------------------------


def zeros(first, last, newline=True):
    """From within a line into another one."""

    def change(content):
        start, end = content.index(b'{"n":%d,' % first) + 30, content.find(b'{"n":%d,' % (last + 1))
        end = (len(content) if end < 0 else end) - (1 if newline else 0)
        return content[:start] + b"\0" * (end - start) + content[end:]

    return change


def without_number(n):
    return lambda content: content.replace(b'{"n":%d,' % n, b'{"m":%d,' % n)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (zeros(23, 27), (23, 27)),
        (without_number(25), (25, 25)),
        (lambda content: content.replace(b'{"n":25,"time"', b'{"n":25,\xfftime'), (25, 25)),
        (lambda content: content.replace(b'{"n":25,', b'{"n":22,'), (25, 25)),
    ],
)
def test_what_is_damaged_is_lost_and_nothing_else(directory, change, lost):
    damage(newest(directory), change)
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.lost) == (30, [lost])
        assert len(writer.mended) == 1 and "damaged" in writer.mended[0]
        assert put(writer, 31) == [31]
    assert len(journal.segments(directory)) == 3
    page = journal.read(directory, 21, 1000, Filter(pane="%1"))
    assert page.damaged == [lost] and len(page.lines) == 10 - (lost[1] - lost[0])


@pytest.mark.parametrize(
    ("change", "first"),
    [
        (without_number(30), 30),
        (zeros(28, 30), 28),
        (zeros(28, 30, newline=False), 28),
        (lambda content: content[: content.index(b"\n") + 1] + b"\0" * 5000, 21),  # all of them
        (lambda content: content.replace(b'{"n":30,"time"', b'{"n":30,\xfftime'), 30),
        (lambda content: b"\0" * len(content), 21),  # the header too
        (lambda content: b"\xff\n" * (len(content) // 2), 21),
    ],
)
def test_a_number_whose_line_was_the_last_one_is_not_issued_again(directory, change, first):
    log = log_of(directory)
    damage(newest(directory), change)
    for _again in range(2):
        with opened(directory) as writer:
            head = writer.ledger.head
            assert writer.ledger.log == log and head >= 30
            if not _again:
                assert writer.lost[0][0] == first and writer.lost[-1][1] == head < 60
                killed_at = head
            assert head == killed_at
    with opened(directory) as writer:
        assert put(writer, 31) == [head + 1]
    page = journal.read(directory, 11, 1000, Filter(pane="%1"))
    assert page.damaged == [(first, head)] and parse_event(page.lines[-1]).n == page.next - 1 == head + 1


def test_a_segment_without_any_event_is_put_aside(directory):
    path = newest(directory)
    damage(path, lambda content: b"\0" * len(content))
    with opened(directory) as writer:
        assert os.path.exists(f"{path}.damaged") and not os.path.exists(path)
        assert os.path.samefile(f"{directory}/{journal.LIVE}", newest(directory))
        assert len(writer.mended) == 1 and "no header" in writer.mended[0]


def test_a_segment_whose_last_newline_is_damaged_ends_nobodys_reading(directory):
    damage(journal.segments(directory)[1].path, lambda content: content[:-1] + b" ")
    damage(newest(directory), HEADERS[0])
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.lost) == (30, [(20, 20)])
    assert journal.read(directory, 1, 1000, Filter()).damaged == [(20, 20)]


@pytest.mark.parametrize("byte", [b"#", b"\0", b"\n", b" "])
def test_no_byte_whatever_it_becomes_costs_more_than_its_line(tmp_path, byte, monkeypatch):
    """In a header and three events. A reader has all others, and is told of this one."""
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _fd: None)
    whole = f"{tmp_path}/whole"
    writer = Writer(whole, LoggerConfig())
    put(writer, 1, 2)
    rotate(writer)
    put(writer, 3, 4, 5)
    writer.close()
    size = os.path.getsize(newest(whole))
    for at in {*range(0, size, 3), size - 1}:
        directory = shutil.copytree(whole, f"{tmp_path}/{at}")
        damage(newest(directory), lambda content, at=at: content[:at] + byte + content[at + 1 :])
        with opened(directory) as writer:
            lost = {n for a, b in writer.lost for n in range(a, b + 1)}
            assert put(writer, *range(1, 7))[-1] == writer.ledger.head > 5
        page = journal.read(directory, 1, 99, Filter())
        told = [one.n if isinstance(one, Event) else one for one in journal.entries(page.lines, page.damaged)]
        assert len(lost) <= 2 and lost == {n for one in told if isinstance(one, tuple) for n in range(one[0], one[1] + 1)}
        assert [n for n in told if isinstance(n, int) and n <= 5] == [n for n in range(1, 6) if n not in lost]
        shutil.rmtree(directory)


def test_a_number_beyond_its_segment_is_none(directory):
    damage(journal.segments(directory)[1].path, lambda content: content.replace(b'{"n":15,', b'{"n":95,'))
    damage(newest(directory), HEADERS[0])
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.lost) == (30, [(15, 15)])


def test_a_ruin_is_not_told_without_end(directory):
    ruin = b"".join(b'{"n":%d,\n#\n' % n for n in range(21, 20_000, 3))
    damage(newest(directory), lambda content: content[: content.index(b"\n") + 1] + ruin)
    with opened(directory) as writer:
        assert len(writer.mended) <= 100 and len(writer.lost) <= 100 and writer.ledger.head >= 19_998
