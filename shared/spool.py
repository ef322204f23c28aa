"""The spools: where each pane's raw output lies, and how anybody reads it.

    <runtime>/spool/<server>/s<session>/<stream>.raw    written by tmux's `cat`; offset = position in the file
    <runtime>/spool/<server>/meta/<stream>.idx          (offset, time) of each published chunk, by the watcher: marks.py
    <runtime>/spool/<server>/meta/<stream>.history      the text an adopted pane showed before offset 0
    <runtime>/spool/<server>/meta/<stream>.moves        the offsets from which on its pane is in another session: moves.py
    <runtime>/spool/<server>/meta/<stream>.done         is there when nothing follows, and all of it is matched

The directory is the topology: the spool of a pane lies in its session's folder, and the keeper renames it when the pane
moves. The writer does not notice, the old and the new watcher do. A stream is one uninterrupted observation of a pane;
its name is `p<pane>.<pid>.w<window>.<epoch>`, where the epoch makes it unique over restarts of the instance.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

RAW = ".raw"
_NAME = re.compile(r"p(\d+)\.(\d+)\.w(\d+)\.([0-9a-z]+)\Z")
_SESSION = re.compile(r"s(\d+)\Z")
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


Told = TypeVar("Told")


class Stream(NamedTuple):
    """What a stream's name says: `%<pane>`, the pid of its first program, `@<window>` it was born in, the epoch."""

    name: str
    pane: str
    pid: int
    window: str
    epoch: str


class Spool(NamedTuple):
    """A stream where it lies now."""

    server: str
    session: str
    stream: Stream
    path: str


def stream_name(pane: str, pid: int, window: str, epoch: str) -> str:
    return f"p{pane[1:]}.{pid}.w{window[1:]}.{epoch}"


def parse_stream(name: str) -> Stream | None:
    """The stream that `name` (with or without `.raw`) is of; None for any other file."""
    stem = name.removesuffix(RAW)
    match = _NAME.match(stem)
    if match is None:
        return None
    return Stream(stem, f"%{match[1]}", int(match[2]), f"@{match[3]}", match[4])


def pane_of(stream: str) -> str | None:
    found = parse_stream(stream)
    return found and found.pane


def session_folder(session: str) -> str:
    return f"s{session[1:]}"


def parse_session(folder: str) -> str | None:
    match = _SESSION.match(folder)
    return f"${match[1]}" if match else None


def meta(server_directory: str, stream: str, suffix: str) -> str:
    return f"{server_directory}/meta/{stream}.{suffix}"


def is_over(root: str, server: str, stream: str) -> bool:
    """Whether nothing will follow in a stream, and all of it is matched: its spool is kept for a while."""
    return os.path.exists(meta(f"{root}/{server}", stream, "done"))


def walk(root: str) -> Iterator[Spool]:
    """Every spool below `<runtime>/spool`, in the order of pane numbers."""
    for server in _listdir(root):
        yield from walk_server(root, server)


def walk_server(root: str, server: str) -> list[Spool]:
    """Looked through twice: a pane that moves meanwhile may be where the first look has been."""
    found = {**_look_through(root, server), **_look_through(root, server)}
    return sorted(found.values(), key=lambda spool: (int(spool.stream.pane[1:]), spool.stream.epoch))


def _look_through(root: str, server: str) -> dict[str, Spool]:
    found = {}
    for folder in _listdir(f"{root}/{server}"):
        session = parse_session(folder)
        if session is None:
            continue
        for name in _listdir(f"{root}/{server}/{folder}"):
            stream = parse_stream(name)
            if stream and name.endswith(RAW):
                found[stream.name] = Spool(server, session, stream, f"{root}/{server}/{folder}/{name}")
    return found


def find(root: str, server: str, stream: str) -> str | None:
    """The path of a stream's spool, wherever its pane has moved to, also in this moment; None if it is gone."""
    for _look in range(2):
        for folder in _listdir(f"{root}/{server}"):
            path = f"{root}/{server}/{folder}/{stream}{RAW}"
            if parse_session(folder) and os.path.exists(path):
                return path
    return None


def wherever(root: str, found: Spool, ask: Callable[[str], Told]) -> Told | None:
    """What `ask` says of a spool's path, also if its pane moves just then; None if it is gone. It raises FileNotFoundError
    where no spool is."""
    path: str | None = found.path
    while path:
        try:
            return ask(path)
        except FileNotFoundError:
            path = find(root, found.server, found.stream.name)
    return None


def _listdir(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def first_offset(fd: int, size: int) -> int:
    """The first byte that has not been reclaimed: the first that is not in a hole."""
    try:
        return min(os.lseek(fd, 0, os.SEEK_DATA), size)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole
            return size
        raise


def size(path: str) -> int:
    """The bytes printed so far; 0 if the spool is gone."""
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


_LINE_MAX = 65536  # bytes back that the beginning of a line is looked for


def line_start(path: str, offset: int) -> int:
    """Where the line that `offset` is in begins; `offset` itself if that is further back than lines go."""
    try:
        before = read(path, max(0, offset - _LINE_MAX), min(offset, _LINE_MAX))
    except FileNotFoundError:
        return offset
    data = before.data[: max(0, offset - before.offset)]
    end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
    return before.offset + end if end or before.offset == 0 else offset


class Range(NamedTuple):
    """Bytes of a spool: `offset` was moved up to `first`, the first byte still kept; `end` is the spool's size."""

    offset: int
    data: bytes
    first: int
    end: int


def read(path: str, offset: int, limit: int) -> Range:
    """Up to `limit` bytes from `offset` on. Raises FileNotFoundError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        end = os.fstat(fd).st_size
        first = first_offset(fd, end)
        start = max(offset, first)
        data = os.pread(fd, limit, start)
        first = first_offset(fd, end)  # again: what was reclaimed while it was read has turned to NULs
        if first > start:
            data, start = data[first - start :], first
        return Range(start, data, first, end)
    finally:
        os.close(fd)


def read_wherever(root: str, server: str, stream: str, offset: int, limit: int) -> Range:
    """As `read` does, also if the pane moves just then. Raises FileNotFoundError if the spool is gone."""
    while True:
        path = find(root, server, stream)
        if path is None:
            raise FileNotFoundError(stream)
        with contextlib.suppress(FileNotFoundError):
            return read(path, offset, limit)


def reclaim(fd: int, end: int) -> bool:
    """Give the space before offset `end` back to the disk; offsets do not move. False where the file system cannot."""
    # Whole blocks only: the kernel fills the rest of a block with NULs that nobody printed.
    end -= end % os.fstat(fd).st_blksize
    if end <= 0:
        return True
    done = _libc.fallocate(fd, _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(end))
    return int(done) == 0


def has_writer(path: str) -> bool:
    """Whether any process has the file open for writing: a read lease is refused then. Source: fcntl(2), F_SETLEASE."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return True
        raise
    finally:
        os.close(fd)
    return False
