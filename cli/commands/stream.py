"""`ctmux pane stream` and `ctmux pane tail`: output as it comes, to a terminal as it is, to a pipe as text."""

import codecs
import sys
from typing import TYPE_CHECKING, Any

import typer

from ...shared import spool
from ...shared.codec import timestamp
from ...shared.errors import UsageError
from .. import history
from ..observed import resolve, spare_own
from ..output import command, end_with_reader, line, say
from ..printers import LinePrinter, Printer, RawPrinter

if TYPE_CHECKING:
    from ...shared.messages import Chunk

TARGETS = typer.Argument(..., metavar="TARGET", help="%12, session:window.pane, a label, or a session for all its panes.")
FILTER = typer.Option(None, "--filter", metavar="REGEX", help="Only lines that match (RE2 syntax).")
RAW = typer.Option(False, "--raw", help="The bytes as they are (the default to a terminal).")
PLAIN = typer.Option(False, "--plain", help="Text lines without escapes (the default to a pipe).")
AS_JSON = typer.Option(False, "--json", help="One JSON value a line: chunks, then the events that end the pane.")


def register(pane: typer.Typer) -> None:
    pane.command("stream", epilog="Example: ctmux pane stream build --filter 'error|warning'")(command(stream, "pane"))
    pane.command("tail", epilog="Example: ctmux pane tail %12 -n 100 | grep -c PASSED")(command(tail, "pane"))


def stream(
    targets: list[str] = TARGETS, regex: str | None = FILTER, raw: bool = RAW, plain: bool = PLAIN, as_json: bool = AS_JSON
) -> None:
    """What the panes print from now on; ends when they end."""
    _follow(targets, None, regex, raw, plain, as_json)


def tail(
    targets: list[str] = TARGETS,
    lines: int = typer.Option(50, "-n", "--lines", min=0, help="Lines of history."),
    regex: str | None = FILTER,
    raw: bool = RAW,
    plain: bool = PLAIN,
    as_json: bool = AS_JSON,
) -> None:
    """The last lines, then what follows. No byte is missing or double in between; ends when the panes end.

    What a pane had printed before it was observed has null for offset and time in JSON."""
    _follow(targets, lines, regex, raw, plain, as_json)


def _follow(targets: list[str], lines: int | None, regex: str | None, raw: bool, plain: bool, as_json: bool) -> None:
    if sum((raw, plain, as_json)) > 1:
        raise UsageError("use one of --raw, --plain and --json")
    if as_json and regex:
        raise UsageError("--filter works on lines; use it with --plain or --raw")
    from ...client import Client, Gap
    from ...shared.messages import Chunk

    end_with_reader()
    texts: dict[str, codecs.IncrementalDecoder] = {}
    with Client() as client:
        client.require()
        server, panes, session = resolve(client, targets)
        spare_own(client, server, panes, session)
        several = panes is None or len(panes) > 1
        as_is = raw or (not plain and not as_json and sys.stdout.isatty() and not several)
        printer: Printer = RawPrinter() if as_is and not regex else LinePrinter(regex, as_is, several and not raw)

        def show(found: spool.Spool, data: bytes) -> None:
            if as_json:
                print(line(_before(found, data)), flush=True)
            else:
                printer.data(found.stream.pane, data)

        offsets = None if lines is None else history.begin(client, server, panes, session, lines, show)
        for item in client.output(server, panes, session, since=offsets):
            if isinstance(item, Chunk):
                if as_json:
                    print(line(_chunk(item, texts)), flush=True)
                else:
                    printer.data(item.pane, item.data)
            elif isinstance(item, Gap):
                say(f"ctmux: {item}")
            elif as_json:
                print(line(item._asdict()), flush=True)
            elif item.kind == "pane.exited":
                printer.end(str(item.pane))
                _say_exit(str(item.pane), item.data)
            elif item.kind == "pane.unobserved":
                say(f"ctmux: {item.pane} is not observed any more: {item.data.get('reason')}")
        printer.close()


def _say_exit(pane: str, data: dict[str, Any]) -> None:
    if data.get("signal") is not None:
        say(f"ctmux: {pane} ended by signal {data['signal']}")
    elif data.get("exit_status") is not None:
        say(f"ctmux: {pane} exited with status {data['exit_status']}")
    else:
        say(f"ctmux: {pane} ended (its exit status is not known)")


def _before(found: spool.Spool, data: bytes) -> dict[str, Any]:
    """What a pane had printed before it was observed: it has no place in the stream, and no time."""
    text = data.decode(errors="replace")
    place = {"pane": found.stream.pane, "session": found.session, "stream": found.stream.name}
    return {**place, "offset": None, "time": None, "data": text}


def _chunk(chunk: "Chunk", texts: dict[str, codecs.IncrementalDecoder]) -> dict[str, Any]:
    decoder = texts.setdefault(chunk.stream, codecs.getincrementaldecoder("utf-8")("replace"))
    return {
        "pane": chunk.pane,
        "session": chunk.session,
        "stream": chunk.stream,
        "offset": chunk.offset,
        "time": timestamp(chunk.time),
        "data": decoder.decode(chunk.data),  # a character may be cut by the end of a chunk
    }
