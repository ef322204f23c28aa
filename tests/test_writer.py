"""The journal's files, real ones: rotation, retention, and what a sudden death or a full disk leaves behind."""

import contextlib
import errno
import json
import os
import resource

import pytest
from ctmux.services.logger.writer import Writer
from ctmux.shared import journal
from ctmux.shared.codec import event_line, parse_event
from ctmux.shared.config import LoggerConfig
from ctmux.shared.counted import counted
from ctmux.shared.messages import Draft
from journals import opened


@pytest.fixture
def directory(tmp_path):
    return f"{tmp_path}/journal"


def put(writer, *positions, producer="p", rotate=True, **fields):
    """As the logger does it."""
    drafts = [Draft(producer, position, "", "pane.opened", 1.5, **fields) for position in positions]
    events = writer.ledger.accept(drafts)
    if events:
        writer.append([event_line(event) for event in events])
        writer.ledger.commit(events)
        if rotate:
            writer.rotate_if_due()
    return events


def numbers(directory):
    return [parse_event(line).n for line in journal.lines(directory, 1)]


def live(directory):
    return journal.segments(directory)[-1].path


@contextlib.contextmanager
def room(size):
    """No file can become larger: as on a full disk, a write is short first and then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ---- writing -------------------------------------------------------------------------------------------------------


def test_a_new_journal(directory):
    with opened(directory) as writer:
        put(writer, 1, 2)
        assert numbers(directory) == [1, 2]
        assert journal.header(journal.segments(directory)[0])["log"] == writer.ledger.log
        assert os.stat(directory).st_mode & 0o777 == 0o700
        assert os.stat(live(directory)).st_mode & 0o777 == 0o600


def test_reopening_goes_on_where_it_was(directory):
    with opened(directory) as writer:
        put(writer, 1, 2, server="x", session="$1", pane="%1")
        put(writer, 1, producer="q")
        log = writer.ledger.log
    with opened(directory) as writer:
        assert (writer.ledger.log, writer.ledger.head, writer.mended) == (log, 3, [])
        assert put(writer, 1, 2) == []
        [event] = put(writer, 3, server="x", session="$1", pane="%1")
        assert (event.n, event.prev) == (4, {"session": 2, "pane": 2})
    assert numbers(directory) == [1, 2, 3, 4]


@pytest.mark.parametrize("segment_bytes", [1, 700, 1 << 20])
def test_reopening_gives_the_same_ledger(directory, segment_bytes):
    with opened(directory, segment_bytes=segment_bytes) as writer:
        for n in range(1, 8):
            put(writer, n, producer=f"p{n % 3}", server="x", session=f"${n % 2}", pane=f"%{n % 3}")
        before = writer.ledger.header(1)
    with opened(directory, segment_bytes=segment_bytes) as writer:
        assert writer.ledger.header(1) == before


@pytest.mark.parametrize("sync", ["always", "second", "never"])
def test_no_header_is_on_the_disk_before_the_events_that_it_follows(directory, sync, monkeypatch):
    """Else a power loss leaves a hole between two segments."""
    synced = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda fd, real=real: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd)))
    with opened(directory, sync=sync, segment_bytes=1) as writer:
        old = live(directory)
        synced.clear()
        put(writer, 1)
        assert synced[-3:] == [old, f"{live(directory)}.new", directory]


@pytest.mark.parametrize("sync", ["always", "second", "never"])
def test_sync(directory, sync):
    with opened(directory, sync=sync) as writer:
        put(writer, 1)
        assert writer.dirty == (sync != "always")
        writer.sync()
        assert not writer.dirty


# ---- rotation and retention ----------------------------------------------------------------------------------------


def test_rotation_by_size(directory):
    with opened(directory, segment_bytes=1) as writer:
        put(writer, 1, 2)
        put(writer, 3)
        assert [segment.first for segment in journal.segments(directory)] == [1, 3, 4]
        assert numbers(directory) == [1, 2, 3]
        assert [journal.header(segment)["first"] for segment in journal.segments(directory)] == [1, 3, 4]


def test_rotation_by_age(directory):
    with opened(directory, segment_seconds=1e-9) as writer:
        put(writer, 1)
        assert [segment.first for segment in journal.segments(directory)] == [1, 2]


def test_no_rotation_before_it_is_due(directory):
    with opened(directory) as writer:
        put(writer, 1)
        put(writer, 2)
    assert len(journal.segments(directory)) == 1


def test_events_jsonl_is_the_live_segment(directory):
    link = f"{directory}/{journal.LIVE}"
    with opened(directory, segment_bytes=1) as writer:
        for n in (1, 2):
            assert os.path.samefile(link, live(directory))
            put(writer, n)
        assert os.path.samefile(link, live(directory))
    os.unlink(link)
    with opened(directory):
        assert os.path.samefile(link, live(directory))


def test_retention_by_size_drops_the_oldest(directory):
    with opened(directory, segment_bytes=1, keep_bytes=4000) as writer:
        for n in range(1, 40):
            put(writer, n)
        kept = journal.segments(directory)
        assert writer.oldest() == kept[0].first > 1
        assert numbers(directory) == list(range(kept[0].first, 40))
        assert sum(os.path.getsize(segment.path) for segment in kept[:-1]) <= 4000
        assert len(kept) > 3


def test_retention_by_age(directory):
    with opened(directory, segment_bytes=1, keep_seconds=1000) as writer:
        put(writer, 1)
        put(writer, 2)
        os.utime(journal.segments(directory)[0].path, (0, 0))
        put(writer, 3)
        assert numbers(directory) == [2, 3]
        assert writer.oldest() == 2


def test_the_newest_events_are_kept_however_large(directory):
    with opened(directory, segment_bytes=1, keep_bytes=1) as writer:
        put(writer, 1)
        put(writer, 2, data={"text": "x" * 5000})
        assert numbers(directory) == [2]


def test_what_was_dropped_is_not_taken_again(directory):
    with opened(directory, segment_bytes=1, keep_bytes=1) as writer:
        put(writer, 1)
        put(writer, 1, producer="q")
        put(writer, 2, producer="q")
        assert put(writer, 1) == []
    with opened(directory) as writer:
        assert put(writer, 1) == []


# ---- sudden death --------------------------------------------------------------------------------------------------


def test_a_torn_tail_is_cut_at_any_byte(directory):
    with opened(directory) as writer:
        put(writer, 1, 2)
        torn = event_line(writer.ledger.accept([Draft("p", 3, "", "pane.opened", 1.5)])[0])
    path = live(directory)
    with open(path, "rb") as file:
        whole = file.read()
    for length in range(1, len(torn)):
        with open(path, "wb") as file:
            file.write(whole + torn[:length])
        with opened(directory) as writer:
            assert writer.ledger.head == 2
            assert writer.mended == [f"{os.path.basename(path)}: cut {counted(length, 'byte')} of a torn line"]
        with open(path, "rb") as file:
            assert file.read() == whole


def test_what_was_torn_is_written_when_it_is_sent_again(directory):
    with opened(directory) as writer:
        put(writer, 1, 2)
    os.truncate(live(directory), os.path.getsize(live(directory)) - 1)
    with opened(directory) as writer:
        assert [event.n for event in put(writer, 1, 2, 3)] == [2, 3]
    assert numbers(directory) == [1, 2, 3]


@pytest.mark.parametrize("cut", [0, 1, 2, 30, -2, -1])
def test_death_while_the_header_is_written(directory, cut):
    """The newest segment ends somewhere in its header: no event is lost, now or at the restart after the next."""
    with opened(directory, segment_bytes=1) as writer:
        put(writer, 1, 2)
        log = writer.ledger.log
    size = os.path.getsize(live(directory))
    os.truncate(live(directory), cut if cut >= 0 else size + cut)
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.ledger.log) == (2, log)
        assert os.path.samefile(f"{directory}/{journal.LIVE}", live(directory))
        assert [event.n for event in put(writer, 1, 2, 3)] == [3]
    assert numbers(directory) == [1, 2, 3]
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.ledger.log) == (3, log)
        assert put(writer, 1, 2, 3) == []


def test_a_segment_that_was_being_made_is_removed(directory):
    """Killed between making a segment and giving it its name."""
    with opened(directory, segment_bytes=1) as writer:
        put(writer, 1)
    for number in (2, 3):
        with open(f"{journal.segment_path(directory, number)}.new", "wb") as file:
            file.write(b'{"first":')
    with opened(directory) as writer:
        assert not [name for name in os.listdir(directory) if name.endswith(".new")]
        put(writer, 2)
    assert numbers(directory) == [1, 2]


def test_a_segment_that_is_no_segment_is_put_aside(directory):
    with opened(directory, segment_bytes=1) as writer:
        put(writer, 1, 2)
    with open(live(directory), "wb") as file:
        file.write(b"some bytes\nof a damaged disk\n")
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.lost) == (3, [(3, 3)])  # an event of which nothing is left
        assert len(writer.mended) == 1
        put(writer, 3)
    assert numbers(directory) == [1, 2, 4]
    [aside] = [name for name in os.listdir(directory) if name.endswith(".damaged")]
    with open(f"{directory}/{aside}", "rb") as file:
        assert file.read() == b"some bytes\nof a damaged disk\n"


def test_a_damaged_line_is_told_and_costs_only_itself(directory):
    with opened(directory) as writer:
        put(writer, 1, 2, 3)
    with open(live(directory), "r+b") as file:
        content = file.read()
        file.seek(content.index(b'{"n":2,') + 20)
        file.write(b"\xff\xff")
    with opened(directory) as writer:
        assert writer.ledger.head == 3
        assert "skipped a damaged line" in writer.mended[0]
        assert writer.lost == [(2, 2)]
        assert [event.n for event in put(writer, 4)] == [4]


# ---- a full disk ---------------------------------------------------------------------------------------------------


def test_a_short_write_leaves_nothing(directory):
    with opened(directory) as writer:
        put(writer, 1)
        with open(live(directory), "rb") as file:
            before = file.read()
        for left in (0, 1, 250, 700):  # nothing, a bit, the middle of a line, a line and a bit
            with room(len(before) + left), pytest.raises(OSError):
                put(writer, 2, 3, 4, 5)
            with open(live(directory), "rb") as file:
                assert file.read() == before
        assert [event.n for event in put(writer, 2, 3, 4, 5)] == [2, 3, 4, 5]
    with opened(directory) as writer:
        assert (writer.ledger.head, writer.mended) == (5, [])
    assert numbers(directory) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_header_that_does_not_fit_loses_nothing(directory, left):
    written = [1, 2]
    with opened(directory, segment_bytes=1) as writer:
        put(writer, 1, 2, rotate=False)
        try:
            with room(left):
                writer.rotate_if_due()
            put(writer, 3, rotate=False)
            written.append(3)
            assert numbers(directory) == written
        except OSError:
            pass  # the logger ends, and is started again
    for _ in range(2):
        with opened(directory) as writer:
            assert (writer.ledger.head, numbers(directory)) == (written[-1], written)
            put(writer, 1, 2, 3)
            written = [1, 2, 3]


def test_a_segment_without_its_second_name_is_as_good(directory, capsys):
    """A link needs space in the directory, too."""
    with opened(directory, segment_bytes=1) as writer:
        os.mkdir(f"{directory}/{journal.LIVE}.new")
        put(writer, 1)
        put(writer, 2)
        mine = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        assert [path for path in mine if path.startswith(directory)] == [live(directory)]  # none is left open
        assert capsys.readouterr().out.count("events.jsonl") >= 2
        os.rmdir(f"{directory}/{journal.LIVE}.new")
        put(writer, 3)
        assert os.path.samefile(f"{directory}/{journal.LIVE}", live(directory))
    assert numbers(directory) == [1, 2, 3]
    os.mkdir(f"{directory}/{journal.LIVE}.new")
    os.unlink(f"{directory}/{journal.LIVE}")
    with opened(directory) as writer:
        assert [event.n for event in put(writer, 4)] == [4]


def test_a_failed_sync_writes_nothing_twice(directory, monkeypatch):
    made = Writer(str(directory), LoggerConfig(sync="always"))

    def put(position):
        events = made.ledger.accept([Draft("p", position, "", "gap", 1.0)])
        made.append([event_line(event) for event in events])
        made.ledger.commit(events)

    def full(_fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    put(1)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fdatasync", full)
        put(2)
    put(2)
    made.close()
    found = [json.loads(line)["n"] for line in journal.lines(str(directory), 1)]
    assert found == [1, 2]
