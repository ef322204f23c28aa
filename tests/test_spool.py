"""Spools: names, where they lie, holes, and who writes."""

import os
import subprocess

import pytest
from ctmux.shared import spool
from ctmux.shared.spool import Range, Stream
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 10**7)
BLOCK = 4096


# ---- names ---------------------------------------------------------------------------------------------------------


@given(NUMBERS, NUMBERS, NUMBERS, st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1))
def test_a_streams_name_says_what_it_is_of(pane, pid, window, epoch):
    name = spool.stream_name(f"%{pane}", pid, f"@{window}", epoch)
    stream = Stream(name, f"%{pane}", pid, f"@{window}", epoch)
    assert spool.parse_stream(name) == stream
    assert spool.parse_stream(f"{name}.raw") == stream


@pytest.mark.parametrize(
    "name",
    ["", "p1", "p1.2.w3", "p1.2.w3.", "p1.2.w3.A", "p1.2.w3.k.idx", "p1.2.w3.k.raw.raw", "x1.2.w3.k", "p1.2.w3.k\n",
     "p-1.2.w3.k", "p1.2.3.k", ".raw", "meta"],
)  # fmt: skip
def test_other_files_are_no_streams(name):
    assert spool.parse_stream(name) is None


@given(NUMBERS)
def test_a_sessions_folder(number):
    assert spool.parse_session(spool.session_folder(f"${number}")) == f"${number}"


@pytest.mark.parametrize("name", ["meta", "s", "s1x", "$1", "s1\n", "S1"])
def test_other_folders_are_no_sessions(name):
    assert spool.parse_session(name) is None


# ---- where they lie ------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    for path in (
        "aa/s1/p10.100.w1.k.raw",
        "aa/s2/p9.90.w2.k.raw",
        "aa/s2/p9.90.w2.m.raw",
        "aa/s2/notes.txt",
        "aa/s2/p9.90.w2.k.idx",
        "aa/meta/p9.90.w2.k.idx",
        "aa/meta/p3.30.w2.k.raw",
        "bb/s1/p1.10.w1.k.raw",
        "file",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return str(tmp_path)


def test_walk(root):
    found = [(lies.server, lies.session, lies.stream.name) for lies in spool.walk(root)]
    assert found == [
        ("aa", "$2", "p9.90.w2.k"),
        ("aa", "$2", "p9.90.w2.m"),
        ("aa", "$1", "p10.100.w1.k"),
        ("bb", "$1", "p1.10.w1.k"),
    ]
    assert all(os.path.exists(lies.path) for lies in spool.walk(root))


def test_walk_of_nothing(tmp_path):
    assert list(spool.walk(f"{tmp_path}/none")) == []
    assert spool.walk_server(str(tmp_path), "none") == []


def test_find_follows_a_pane_that_moved(root):
    assert spool.find(root, "aa", "p10.100.w1.k") == f"{root}/aa/s1/p10.100.w1.k.raw"
    os.rename(f"{root}/aa/s1/p10.100.w1.k.raw", f"{root}/aa/s2/p10.100.w1.k.raw")
    assert spool.find(root, "aa", "p10.100.w1.k") == f"{root}/aa/s2/p10.100.w1.k.raw"


@pytest.fixture
def moving(root, monkeypatch):
    """A pane moves while the folders are looked through: from the second to the first, between the two."""
    here, there = (f"{root}/aa/{session}/p9.90.w2.m.raw" for session in ("s2", "s1"))

    def after(look):
        def looked(path):
            seen = look(path)
            if "/s1" in path and os.path.lexists(here):
                os.rename(here, there)
            return seen

        return looked

    monkeypatch.setattr(os.path, "exists", after(os.path.exists))
    monkeypatch.setattr(os, "listdir", after(os.listdir))
    return there


def test_a_pane_that_moves_in_this_moment_is_found(root, moving):
    assert spool.find(root, "aa", "p9.90.w2.m") == moving


def test_a_pane_that_moves_in_this_moment_is_listed_once(root, moving):
    found = spool.walk_server(root, "aa")
    assert [lies.stream.name for lies in found] == ["p9.90.w2.k", "p9.90.w2.m", "p10.100.w1.k"]
    assert (found[1].session, found[1].path) == ("$1", moving)


@pytest.mark.parametrize(("server", "stream"), [("aa", "p1.10.w1.k"), ("aa", "p3.30.w2.k"), ("cc", "p1.10.w1.k")])
def test_find_of_what_is_not_there(root, server, stream):
    assert spool.find(root, server, stream) is None


# ---- reading -------------------------------------------------------------------------------------------------------


@pytest.fixture
def content(tmp_path):
    """A spool of 16 blocks without a zero byte in it; path and bytes."""
    path = tmp_path / "p1.2.w3.k.raw"
    data = bytes(1 + index % 251 for index in range(16 * BLOCK))
    path.write_bytes(data)
    return str(path), data


def reclaim(path, end):
    fd = os.open(path, os.O_WRONLY)
    done = spool.reclaim(fd, end)
    os.close(fd)
    if not done:
        pytest.skip("this file system cannot give space back")


def test_read(content):
    path, data = content
    assert spool.read(path, 10, 5) == Range(10, data[10:15], 0, len(data))
    assert spool.read(path, len(data) - 2, 5) == Range(len(data) - 2, data[-2:], 0, len(data))
    assert spool.read(path, len(data), 5) == Range(len(data), b"", 0, len(data))


def test_read_of_an_empty_spool(tmp_path):
    (tmp_path / "f").touch()
    assert spool.read(f"{tmp_path}/f", 0, 5) == Range(0, b"", 0, 0)


def test_a_spool_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        spool.read(f"{tmp_path}/f", 0, 5)


def test_the_answer_to_a_reclaimed_range_begins_at_what_is_kept(content):
    path, data = content
    before = os.stat(path)
    reclaim(path, 8 * BLOCK)
    after = os.stat(path)
    assert (after.st_size, after.st_blocks) == (before.st_size, before.st_blocks // 2)
    first = 8 * BLOCK
    assert spool.read(path, 0, 5) == Range(first, data[first : first + 5], first, len(data))
    assert spool.read(path, first + 1, 5) == Range(first + 1, data[first + 1 : first + 6], first, len(data))


@pytest.mark.parametrize("end", [1, 5000, 8 * BLOCK - 1, 8 * BLOCK + 1])
def test_what_is_read_was_printed_wherever_the_hole_ends(content, end):
    path, data = content
    reclaim(path, end)
    found = spool.read(path, 0, len(data))
    assert found.first <= end
    assert found.data == data[found.offset :]


def test_a_spool_that_is_nothing_but_a_hole(content):
    path, data = content
    reclaim(path, len(data))
    assert spool.read(path, 0, 5) == Range(len(data), b"", len(data), len(data))


def test_a_writer_goes_on_behind_a_hole(content):
    path, data = content
    with open(path, "ab", buffering=0) as file:
        reclaim(path, len(data))
        file.write(b"more")
    assert spool.read(path, 0, 100) == Range(len(data), b"more", len(data), len(data) + 4)


# ---- the writer ----------------------------------------------------------------------------------------------------


def test_has_writer_while_a_process_has_it_open(tmp_path):
    path = f"{tmp_path}/f"
    with open(path, "ab") as file, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file):
        file.close()
        assert spool.has_writer(path)
    assert not spool.has_writer(path)


def test_a_reader_is_no_writer(content):
    with open(content[0], "rb"):
        assert not spool.has_writer(content[0])


def test_looking_leaves_no_lease(content):
    path, data = content
    assert not spool.has_writer(path)
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # would fail with EWOULDBLOCK
    assert spool.read(path, 0, 1).data == data[:1]


def test_has_writer_of_nothing(tmp_path):
    with pytest.raises(FileNotFoundError):
        spool.has_writer(f"{tmp_path}/f")
