"""`ctmux pane record`: what a pane prints, with its times, in a file that players of terminal sessions read."""

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Literal

import typer

from ...shared import marks, spool
from ...shared.counted import counted
from ...shared.errors import CtmuxError, DeadlinePassed, Refused
from ..asciicast import Asciicast
from ..output import JSON, Result, command, say

if TYPE_CHECKING:
    from ...client import Client
    from ...shared.messages import Chunk

TARGET = typer.Argument(
    ..., metavar="TARGET", help="%ID, a label, session:window.pane, or a session or window that has one pane."
)
FILE = typer.Argument(..., metavar="FILE", help="Where the recording goes; it must not exist.")
BEGIN = typer.Option("now", "--from", help="From now on, or from the first byte that is kept.")
TIMEOUT = typer.Option(None, "--timeout", metavar="S", min=0, help="End after S seconds, exit code 124.")
FORCE = typer.Option(False, "--force", help="Even over a file that is there.")


def register(pane: typer.Typer) -> None:
    pane.command("record", epilog="Example: ctmux pane record build build.cast --from start && asciinema play build.cast")(
        command(record, "pane")
    )


def record(
    target: str = TARGET,
    file: str = FILE,
    begin: Literal["now", "start"] = BEGIN,
    timeout: float | None = TIMEOUT,
    force: bool = FORCE,
    as_json: bool = JSON,
) -> Result:
    """Write what a pane prints to an asciicast v2 file.

    Ends when the pane ends. After Ctrl-C, too, the file is whole."""
    from ...client import Client, Gap
    from ...shared.messages import Chunk
    from ...shared.tmux import identify
    from ..server import panes, socket
    from ..target import resolve_pane

    with Client() as client:
        client.require()
        found = resolve_pane(target, panes())
        server = identify(socket()).key
        client.check_server(server)
        _check_observed(client, server, found.pane)
        times = Times(client.paths.spool, server)
        recorder = Recorder(_open(file, force), times.begin(found.pane, begin == "start"))
        exited: dict[str, Any] = {}
        try:
            recorder.begin(found.width, found.height)
            stream = client.output(server, [found.pane], since={} if begin == "start" else None, timeout=timeout)
            for item in stream:
                if isinstance(item, Chunk):
                    recorder.output(item.stream, [(item.time, item.data)] if stream.live else times.split(item))
                elif isinstance(item, Gap):
                    recorder.missing(str(item))
                elif item.kind == "pane.unobserved":
                    say(f"ctmux: {found.pane} is not observed any more: {item.data.get('reason')}")
                elif item.kind == "pane.exited":
                    exited = item.data
        except DeadlinePassed:
            raise DeadlinePassed(f"{found.pane} has not ended in {timeout:g} s; {recorder.told} is in {file}") from None
        except OSError as error:
            raise CtmuxError(f"{file}: {error.strerror}; {recorder.told} was recorded before") from error
        finally:
            recorder.close()
    data = {
        **found._asdict(), "file": os.path.abspath(file), "bytes": recorder.size, "seconds": recorder.seconds,
        "exit_status": exited.get("exit_status"), "signal": exited.get("signal"),
    }  # fmt: skip
    return Result(f"recorded: {found.pane}, {recorder.told} in {file}", data, found.session_name, found.pane)


def _check_observed(client: "Client", server: str, pane: str) -> None:
    for known in client.panes():
        if known["server"] == server and known["pane"] == pane and known["unobserved"]:
            raise CtmuxError(f"{pane} is not observed: {known['unobserved']}")


def _open(file: str, force: bool) -> IO[str]:
    try:
        return open(file, "w" if force else "x", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise Refused(f"{file} is there already; --force writes over it") from None
    except OSError as error:
        raise CtmuxError(f"{file}: {error.strerror}") from error


class Recorder:
    """A file that is whole after each piece of output."""

    def __init__(self, file: IO[str], began: float):
        self._file, self._began = file, began
        self._cast = Asciicast(began)
        self._last = began
        self._stream = ""
        self.size = 0  # bytes recorded

    @property
    def seconds(self) -> float:
        return self._cast.seconds

    @property
    def told(self) -> str:
        return f"{counted(self.size, 'byte')}, {self.seconds:.1f} s"

    def begin(self, width: int, height: int) -> None:
        self._write(self._cast.header(width, height))

    def output(self, stream: str, pieces: list[tuple[float, bytes]]) -> None:
        with _undisturbed():
            if stream != self._stream:  # no character goes on from one observation of a pane to the next
                self._write(self._cast.end())
                self._stream = stream
            for self._last, data in pieces:
                self._write(self._cast.output(self._last, data))
                self.size += len(data)

    def missing(self, told: str) -> None:
        say(f"ctmux: {told}")
        with _undisturbed():
            self._write(self._cast.missing(self._last, told))

    def _write(self, lines: str) -> None:
        self._file.write(lines)
        self._file.flush()

    def close(self) -> None:
        try:
            with self._file:
                self._file.write(self._cast.end())
        except OSError as error:  # a full disk: what is there is whole but for its last line
            say(f"ctmux: {self._file.name}: {error.strerror}")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until what came is written."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Times:
    """When bytes that come from a spool were published: its index says so, to a tenth of a second."""

    def __init__(self, root: str, server: str):
        self._root, self._directory = root, f"{root}/{server}"
        self._server = server

    def begin(self, pane: str, start: bool) -> float:
        """When a recording begins: now, or with the first byte that is kept."""
        import time

        now = time.time()
        if not start:
            return now
        streams = [found.stream.name for found in spool.walk_server(self._root, self._server) if found.stream.pane == pane]
        return min((mark.time for name in streams for mark in self._marks(name)), default=now)

    def split(self, chunk: "Chunk") -> list[tuple[float, bytes]]:
        """The pieces of a chunk as they came, with their times; what has no mark yet has come just now."""
        pieces = []
        at, end = chunk.offset, chunk.offset + len(chunk.data)
        for mark in self._marks(chunk.stream):
            if at < mark.offset and at < end:
                upto = min(mark.offset, end)
                pieces.append((mark.time, chunk.data[at - chunk.offset : upto - chunk.offset]))
                at = upto
        return [*pieces, (chunk.time, chunk.data[at - chunk.offset :])]

    def _marks(self, stream: str) -> Iterator[marks.Mark]:
        return marks.read(spool.meta(self._directory, stream, "idx"))
