"""File events, from real files."""

import os
import select

import pytest
from ctmux.shared import inotify
from ctmux.shared.inotify import Inotify

ISDIR = 0x40000000


@pytest.fixture
def watching(tmp_path):
    made = Inotify()
    yield made
    made.close()


def names(events):
    return [(event.name, event.mask & ~ISDIR) for event in events]


def test_nothing_has_happened(watching, tmp_path):
    watching.watch(str(tmp_path), inotify.CREATE)
    assert watching.read() == []


def test_a_file_is_made_written_and_closed(watching, tmp_path):
    wd = watching.watch(str(tmp_path), inotify.CREATE | inotify.MODIFY | inotify.CLOSE_WRITE)
    (tmp_path / "p1.raw").write_bytes(b"x")
    assert select.select([watching], [], [], 5)[0] == [watching]
    events = watching.read()
    assert names(events) == [("p1.raw", inotify.CREATE), ("p1.raw", inotify.MODIFY), ("p1.raw", inotify.CLOSE_WRITE)]
    assert {event.wd for event in events} == {wd}


def test_a_move_between_two_folders(watching, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a = watching.watch(str(tmp_path / "a"), inotify.MOVED_FROM | inotify.MOVED_TO)
    b = watching.watch(str(tmp_path / "b"), inotify.MOVED_FROM | inotify.MOVED_TO)
    (tmp_path / "a" / "f").touch()
    (tmp_path / "a" / "f").rename(tmp_path / "b" / "g")
    assert [(e.wd, e.mask, e.name) for e in watching.read()] == [
        (a, inotify.MOVED_FROM, "f"),
        (b, inotify.MOVED_TO, "g"),
    ]


@pytest.mark.parametrize("name", [b"\xff\xfe", b"x" * 255, b"a", b" ", b"new\nline", "ü".encode()])
def test_any_name(watching, tmp_path, name):
    watching.watch(str(tmp_path), inotify.CREATE)
    os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT))
    assert [os.fsencode(event.name) for event in watching.read()] == [name]


def test_many_events_in_several_reads(watching, tmp_path):
    watching.watch(str(tmp_path), inotify.CREATE)
    wanted = [f"{number:0200}" for number in range(500)]  # more than one buffer of 64 KB
    for name in wanted:
        (tmp_path / name).touch()
    have = []
    while events := watching.read():
        have += [event.name for event in events]
    assert have == wanted


def test_an_overflow_is_told(watching, tmp_path):
    with open("/proc/sys/fs/inotify/max_queued_events") as file:
        room = int(file.read())
    if room > 100_000:
        pytest.skip("the queue is too long to fill")
    watching.watch(str(tmp_path), inotify.MODIFY)
    with open(tmp_path / "a", "wb", buffering=0) as a, open(tmp_path / "b", "wb", buffering=0) as b:
        for _ in range(room // 2 + 2):  # two in turn, because equal events in a row become one
            a.write(b"x")
            b.write(b"x")
    last = None
    while events := watching.read():
        last = events[-1]
    assert last is not None and last.mask & inotify.Q_OVERFLOW
    assert last.wd == -1


def test_all_that_has_happened_is_read_at_once(watching, tmp_path):
    watching.watch(str(tmp_path), inotify.MODIFY)
    with open(tmp_path / "a", "wb", buffering=0) as a, open(tmp_path / "b", "wb", buffering=0) as b:
        for _ in range(400):
            a.write(b"x")
            b.write(b"x")
    (tmp_path / "last").write_bytes(b"x")
    events = watching.read()
    assert len(events) == 801 and events[-1].name == "last" and not watching.read()


def test_the_end_of_the_directory(watching, tmp_path):
    folder = tmp_path / "s1"
    folder.mkdir()
    watching.watch(str(folder), inotify.DELETE_SELF)
    folder.rmdir()
    assert names(watching.read()) == [("", inotify.DELETE_SELF), ("", inotify.IGNORED)]


def test_after_unwatch_nothing_comes(watching, tmp_path):
    wd = watching.watch(str(tmp_path), inotify.CREATE)
    watching.unwatch(wd)
    watching.unwatch(wd)
    (tmp_path / "f").touch()
    assert names(watching.read()) == [("", inotify.IGNORED)]


def test_what_is_not_there_cannot_be_watched(watching, tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        watching.watch(f"{tmp_path}/none", inotify.CREATE)
    assert raised.value.filename == f"{tmp_path}/none"
