"""`ctmux pane stream` and `ctmux pane tail`: output as it comes, to a terminal as it is, to a pipe as text."""

import codecs
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

import typer

from ...shared import paths as where
from ...shared import spool, terminal
from ...shared.codec import timestamp
from ...shared.errors import CtmuxError, NoTarget, Refused, UsageError
from ..output import command, end_with_reader, harmless, line, say

if TYPE_CHECKING:
    from ...client import Client
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
    """The last lines, then what follows. No byte is missing or double in between; ends when the panes end."""
    _follow(targets, lines, regex, raw, plain, as_json)


class Printer(Protocol):
    """Where output goes."""

    def data(self, pane: str, data: bytes, /) -> None: ...

    def end(self) -> None: ...


class RawPrinter:
    """The bytes as they are."""

    def data(self, _pane: str, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def end(self) -> None:
        pass


class LinePrinter:
    """Whole lines: as text or as they are, only those that match, with the pane before each if there are several."""

    def __init__(self, regex: str | None, raw: bool, prefixed: bool):
        self._search = _compile(regex) if regex else None
        self._raw, self._prefixed = raw, prefixed
        self._tails: dict[str, bytes] = {}

    def data(self, pane: str, data: bytes) -> None:
        data = self._tails.get(pane, b"") + data
        length = terminal.cut(data)
        self._tails[pane] = data[length:]
        self._print(pane, data[:length])

    def end(self) -> None:
        for pane, rest in self._tails.items():
            self._print(pane, rest)
        self._tails.clear()

    def _print(self, pane: str, block: bytes) -> None:
        if not block:
            return
        block = block.replace(b"\r\n", b"\n")  # one line end, as people count
        texts = terminal.clean(block).split(b"\n")
        starts = terminal.line_starts(block)
        shown = []
        for number, text in enumerate(texts):
            piece = block[starts[number] : starts[number + 1]]
            # A lone CR behind nothing ends no line that anybody printed: bars and prompts begin by going to the left.
            if not piece or (piece.endswith(b"\r") and not text):
                continue
            if self._search is None or self._search(text):
                head = f"[{pane}] ".encode() if self._prefixed else b""
                shown.append(head + (piece.rstrip(b"\r\n") if self._raw else _harmless(text)) + b"\n")
        sys.stdout.buffer.write(b"".join(shown))
        sys.stdout.buffer.flush()


def _harmless(text: bytes) -> bytes:
    return text if text.isascii() else harmless(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _compile(regex: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options).search
    except re2.error as error:
        raise UsageError(f"--filter {regex!r}: {error.args[0].decode(errors='replace')} (RE2 syntax)") from None


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
        server, panes, session = _resolve(client, targets)
        _spare_own(client, server, panes, session)
        several = panes is None or len(panes) > 1
        as_is = raw or (not plain and not as_json and sys.stdout.isatty() and not several)
        printer: Printer = RawPrinter() if as_is and not regex else LinePrinter(regex, as_is, several and not raw)
        offsets = None if lines is None else _history(client, server, panes, session, lines, None if as_json else printer)
        for item in client.output(server, panes, session, since=offsets):
            if isinstance(item, Chunk):
                if as_json:
                    print(line(_chunk(item, texts)), flush=True)
                else:
                    printer.data(item.pane, item.data)
            elif isinstance(item, Gap):
                say(f"ctmux: bytes {item.start}-{item.end} of {item.stream} are missing: {item.reason}")
            elif as_json:
                print(line(item._asdict()), flush=True)
            elif item.kind == "pane.exited":
                printer.end()
                _say_exit(str(item.pane), item.data)
            elif item.kind == "pane.unobserved":
                say(f"ctmux: {item.pane} is not observed any more: {item.data.get('reason')}")
        printer.end()


def _spare_own(client: "Client", server: str, panes: list[str] | None, session: str | None) -> None:
    """Raise Refused if this command would print, into a pane, what that pane prints: without end."""
    from ..server import own_pane

    own = own_pane() if sys.stdout.isatty() else None
    places = {known["pane"]: known["session"] for known in client.panes() if known["server"] == server} if own else {}
    if own and (own in panes if panes is not None else places.get(own) == session):
        raise Refused(f"it would follow itself: this command runs in {own}; name other panes, or print to a pipe")


def _say_exit(pane: str, data: dict[str, Any]) -> None:
    if data.get("signal") is not None:
        say(f"ctmux: {pane} ended by signal {data['signal']}")
    elif data.get("exit_status") is not None:
        say(f"ctmux: {pane} exited with status {data['exit_status']}")
    else:
        say(f"ctmux: {pane} ended (its exit status is not known)")


def _resolve(client: "Client", targets: list[str]) -> tuple[str, list[str] | None, str | None]:
    """(server key, panes, None), or (server key, None, session) for one session as a whole."""
    from ...shared.tmux import identify
    from ..server import panes as listed
    from ..server import socket
    from ..target import resolve_panes, resolve_session

    server = None
    try:
        records = listed()
        server = identify(socket()).key
        client.check_server(server)
        if len(targets) == 1 and not targets[0].startswith("%"):
            try:
                session = resolve_session(targets[0], records)
            except NoTarget:
                pass
            else:
                if all(record.label != targets[0] for record in records):
                    members = {record.pane for record in records if record.session == session.session}
                    _check_observed(client, server, members)
                    if _shares(client, server, members, session.session):
                        return server, sorted(members), None
                    return server, None, session.session
        panes = list(dict.fromkeys(record.pane for target in targets for record in resolve_panes(target, records)))
    except NoTarget:
        gone = [_gone(server, target) for target in targets]
        if not all(gone):
            raise
        return gone[0][0], [pane for _server, pane in filter(None, gone)], None  # type: ignore[index]
    _check_observed(client, server, set(panes))
    return server, panes, None


def _shares(client: "Client", server: str, panes: set[str], session: str) -> bool:
    """Whether the session shows panes of another one (grouped sessions, linked windows): its topic has their output."""
    return any(
        known["session"] != session for known in client.panes() if known["server"] == server and known["pane"] in panes
    )


def _check_observed(client: "Client", server: str, panes: set[str]) -> None:
    """Raise CtmuxError if nothing can be seen of any of the panes; say so if it is so for some."""
    watched = [pane for pane in client.panes() if pane["server"] == server and pane["pane"] in panes]
    blind = [f"{pane['pane']} is not observed: {pane['unobserved']}" for pane in watched if pane["unobserved"]]
    if blind and len(blind) == len(watched):
        raise CtmuxError("; ".join(blind))
    for text in blind:
        say(f"ctmux: {text}")


def _gone(server: str | None, target: str) -> tuple[str, str] | None:
    """(server, pane) of a pane that has exited, while its spool is kept: of this server; if none runs, of the only one."""
    kept = [each for each in spool.walk(where.resolve().spool) if each.stream.pane == target]
    found = [each for each in kept if server in (None, each.server)]
    return (found[-1].server, target) if found and len({each.server for each in found}) == 1 else None


def _history(
    client: "Client", server: str, panes: list[str] | None, session: str | None, lines: int, printer: Printer | None
) -> dict[str, int]:
    """The offset in each stream where its last `lines` begin, of a pane's earlier streams their ends; prints what an
    adopted pane showed before its stream."""
    root = client.paths.spool
    wanted = [
        found
        for found in spool.walk_server(root, server)
        if (found.stream.pane in panes if panes is not None else found.session == session)
    ]
    offsets = {found.stream.name: spool.size(found.path) for found in wanted}
    for pane, found in {found.stream.pane: found for found in wanted}.items():
        try:
            offset, missing = last_lines(found.path, lines)
        except FileNotFoundError:  # the pane has moved in this moment: all of it is shown
            offset, missing = 0, 0
        offsets[found.stream.name] = offset
        before = spool.meta(f"{root}/{server}", found.stream.name, "history")
        if missing and printer and os.path.exists(before):
            with open(before, "rb") as file:
                shown = file.read().splitlines(keepends=True)
            printer.data(pane, b"".join(shown[-missing:]))
    return offsets


def last_lines(path: str, lines: int) -> tuple[int, int]:
    """(offset where the last `lines` lines of a spool begin, how many lines fewer it has)."""
    end = at = spool.size(path)
    left = lines
    with open(path, "rb") as file:
        first = spool.first_offset(file.fileno(), end)
        while at > first:
            begin = max(first, at - 65536)
            piece = os.pread(file.fileno(), at - begin, begin)
            position = len(piece) if at < end or not piece.endswith(b"\n") else len(piece) - 1
            while (found := piece.rfind(b"\n", 0, position)) >= 0:
                left -= 1
                if left == 0:
                    return begin + found + 1, 0
                position = found
            at = begin
    if lines == 0:
        return end, 0
    return first, max(0, left - (1 if end > first else 0))


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
