"""The journal's files as its one writer handles them: append, rotate, retain, and mend after a sudden death."""

import contextlib
import errno
import glob
import json
import os
import time

from ...shared import journal
from ...shared.config import LoggerConfig
from ...shared.counted import counted
from ...shared.paths import ensure_private
from .ledger import Ledger
from .replay import Replay


class Writer:
    """Appends events to the live segment. The journal is its own checkpoint: the ledger is rebuilt from it. `mended` and
    `lost` say what was damaged: sentences, and numbers without an event."""

    def __init__(self, directory: str, config: LoggerConfig):
        ensure_private(directory)
        self._directory = directory
        self._config = config
        self.dirty = False
        self.mended: list[str] = []
        self.lost: list[journal.Range] = []
        self._fd = -1
        self._size = 0
        self._began = 0.0
        self.ledger = self._open()

    def _open(self) -> Ledger:
        """Continue the newest segment, after cutting its torn tail; begin another one where that is damaged."""
        for path in glob.glob(f"{glob.escape(self._directory)}/events-*.jsonl.new"):
            os.unlink(path)  # killed before it had its name
        segments = journal.segments(self._directory)
        replay = Replay(segments)
        self.mended, self.lost = replay.mended, replay.lost
        if replay.whole:
            self._continue(segments[-1].path, replay)
        else:
            self._start_segment(replay.ledger)
        for segment in replay.empty:  # only now: the new header has the numbers that were issued there
            os.rename(segment.path, segment.path + ".damaged")
        return replay.ledger

    def _continue(self, path: str, replay: Replay) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        torn = os.fstat(self._fd).st_size - replay.end
        if torn:
            os.ftruncate(self._fd, replay.end)
            self.mended.append(f"{os.path.basename(path)}: cut {counted(torn, 'byte')} of a torn line")
        self._size, self._began = replay.end, replay.began
        self._link(path)

    def append(self, lines: list[bytes]) -> None:
        """One write. Raises OSError when nothing, or not all, could be written; then nothing was."""
        data = b"".join(lines)
        try:
            written = os.write(self._fd, data)
            if written < len(data):
                raise OSError(errno.ENOSPC, "short write: is the disk full?")
            self.dirty = True
            if self._config.sync == "always":
                self.sync()
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += written

    def rotate_if_due(self) -> None:
        """Begin a new segment when the live one is large or old enough, and drop what is over the retention.

        When the disk is full the live segment goes on, and the next append tries again.
        """
        if self._size < self._config.segment_bytes and time.time() - self._began < self._config.segment_seconds:
            return
        old = self._fd
        try:
            os.fdatasync(self._fd)  # whatever the settings: the next header says that all of it is there
            self.dirty = False
            self._retain()
            self._start_segment(self.ledger)
        except OSError as error:
            print(f"journal: no new segment yet: {error}", flush=True)
            return
        os.close(old)

    def _start_segment(self, ledger: Ledger) -> None:
        """Raises OSError, and leaves everything as it was."""
        now, oldest = time.time(), self.oldest()
        line = json.dumps({**ledger.header(oldest), "time": now}, separators=(",", ":")).encode() + b"\n"
        path = journal.segment_path(self._directory, ledger.head + 1)
        fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            if os.write(fd, line) < len(line):
                raise OSError(errno.ENOSPC, "short write of a header")
            os.fsync(fd)
            os.rename(f"{path}.new", path)  # complete from its first moment
        except OSError:
            os.close(fd)
            os.unlink(f"{path}.new")
            raise
        ledger.rotated(oldest)
        self._fd, self._size, self._began = fd, len(line), now
        self._link(path)
        self._sync_names()

    def _sync_names(self) -> None:
        try:
            directory = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            print(f"journal: {self._directory}: {error}", flush=True)

    def _link(self, path: str) -> None:
        """Make `events.jsonl` a second name of the live segment, so that `tail -F` follows it. Without it the journal is as
        good: the next segment tries again."""
        live = f"{self._directory}/{journal.LIVE}"
        temporary = f"{live}.new"
        try:
            with contextlib.suppress(FileNotFoundError):
                if os.path.samefile(live, path):
                    return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            os.link(path, temporary)
            os.rename(temporary, live)
        except OSError as error:
            print(f"journal: {live}: {error}", flush=True)

    def _retain(self) -> None:
        found = journal.segments(self._directory)
        sizes = {segment: os.path.getsize(segment.path) for segment in found}
        total = sum(sizes.values())
        for segment in found[:-1]:
            old = time.time() - os.stat(segment.path).st_mtime > self._config.keep_seconds
            if total <= self._config.keep_bytes and not old:
                return
            os.unlink(segment.path)
            total -= sizes[segment]

    def oldest(self) -> int:
        """The oldest number that is kept."""
        found = journal.segments(self._directory)
        return found[0].first if found else 1

    def sync(self) -> None:
        """Make what was written survive a power loss, as far as the settings want that."""
        if self.dirty and self._config.sync != "never":
            os.fdatasync(self._fd)
        self.dirty = False

    def close(self) -> None:
        self.sync()
        os.close(self._fd)
