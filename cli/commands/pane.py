"""`ctmux pane ...`: tmux panes, with or without a daemon. `stream` and `tail` are in stream.py, `record` in record.py."""

import shlex
from typing import Literal

import typer

from ...shared.errors import CtmuxError, Refused, UsageError
from .. import sent, server
from ..output import JSON, Result, command, say, table
from ..server import LABEL, THEN
from ..target import PaneRecord, check_label, resolve_pane, resolve_session

app = typer.Typer(help="tmux panes: create, list, look, type, label, kill.", no_args_is_help=True, rich_markup_mode=None)

TARGET = typer.Argument(
    ..., metavar="TARGET", help="%ID, a label, session:window.pane, or a session or window that has one pane."
)
SESSION = typer.Argument(..., metavar="SESSION", help="The session's exact name, or its id as $3.")
ARGV = typer.Argument(None, metavar="-- COMMAND", help="Run as it is; one word alone is run by the shell.")
TYPED = typer.Argument(..., metavar="COMMAND", help="Typed with spaces between, then Enter.")
KEYS = typer.Argument(..., metavar="KEYS", help="Names of keys as tmux knows them (C-c, Enter, Up), or text.")
LAYOUT = typer.Option(None, "--layout", help="Lay the window out so; default: leave it as it is.")
FORCE = typer.Option(False, "--force", help="Even the pane that this command runs in.")
Layout = Literal["tiled", "even-horizontal", "even-vertical", "main-horizontal", "main-vertical"]

# A message to the tmux server holds 16 KiB; a character is at most 4 bytes.
_TYPED_AT_ONCE = 3000
_OWN = {"--json", "--force", "--help", "-h"}  # options of `pane exec`


@app.command(epilog="Example: ctmux pane create build --label tests --layout tiled -- pytest -x 'tests/a b.py'")
@command
def create(
    session: str = SESSION,
    words: list[str] | None = ARGV,
    label: str | None = typer.Option(None, "--label", help="A name for the new pane, good as a target."),
    layout: Layout | None = LAYOUT,
    vertical: bool = typer.Option(True, "--vertical/--horizontal", help="Below the active pane, or beside it."),
    directory: str | None = typer.Option(None, "--directory", metavar="DIR", help="Where it starts; default: here."),
    as_json: bool = JSON,
) -> Result:
    """Split the session's active window and print the new pane's id. The focus stays where it is."""
    tmux = server.connect()
    before = server.panes(tmux)
    found = resolve_session(session, before)
    if label is not None:
        check_label(label, None, before)
    split = ["split-window", "-t", found.session, "-d", "-v" if vertical else "-h", "-P", "-F", server.FORMAT]
    split += [*server.directory(directory), *(["--", *words] if words else [])]
    if layout:
        arrange = ["select-layout", "-t", found.session, layout]
        # Laid out before too: the active pane alone may have no room left to split.
        done = tmux.cmd(*arrange, THEN, *split, THEN, *arrange)
    else:
        zoomed = tmux.cmd("display-message", "-p", "#{window_zoomed_flag}", target=found.session).stdout == ["1"]
        done = tmux.cmd(split[0], *(["-Z"] if zoomed else []), *split[1:])  # -Z: a zoomed window stays zoomed
    made = server.parse(done.stdout)[0].panes[0]
    if label is not None:
        try:
            server.pane(tmux, made.pane).set_option(LABEL, label)
        except CtmuxError:
            say(f"ctmux: {made.pane} has ended before it could be labelled")
    # Size and label as they are now; a program that has ended at once leaves what tmux said at its birth.
    made = next((p for p in server.panes(tmux) if (p.pane, p.session) == (made.pane, made.session)), made)
    return Result(made.pane, made._asdict(), made.session_name, made.pane)


@app.command("list", epilog="Example: ctmux pane list build --json | jq '.data[] | {pane, label, command}'")
@command
def list_(
    session: str | None = typer.Argument(None, help="Only of this session (exact name or $3)."), as_json: bool = JSON
) -> Result:
    """The panes of all sessions, or of one."""
    records = server.panes()
    name = None
    if session is not None:
        found = resolve_session(session, records)
        name = found.session_name
        records = [record for record in records if record.session == found.session]
    rows = [
        [r.pane, r.session_name, f"{r.window_index}:{r.window_name}", r.label, r.pid, r.command, _size(r), _dead(r)]
        for r in records
    ]
    head = ["PANE", "SESSION", "WINDOW", "LABEL", "PID", "COMMAND", "SIZE", "DEAD"]
    return Result(table(rows, head), [record._asdict() for record in records], name)


@app.command(epilog="Example: ctmux pane info build:0.1 --json | jq .data.command")
@command
def info(target: str = TARGET, as_json: bool = JSON) -> Result:
    """One pane."""
    record = resolve_pane(target, server.panes())
    rows = {
        "pane": record.pane,
        "session": f"{record.session} {record.session_name}",
        "window": f"{record.window} {record.window_index}:{record.window_name}",
        "index": record.pane_index,
        "label": record.label or "-",
        "pid": record.pid,
        "command": record.command or "-",
        "size": _size(record),
        "dead": _dead(record) or "no",
        "active": "yes" if record.active else "no",
    }
    return _result("\n".join(f"{name:8} {value}" for name, value in rows.items()), record)


@app.command(epilog="Example: ctmux pane kill %12")
@command
def kill(target: str = TARGET, force: bool = FORCE, as_json: bool = JSON) -> Result:
    """Kill a pane and what runs in it. The output says so if its session ends with it."""
    tmux = server.connect()
    sessions = server.sessions(tmux)
    record = resolve_pane(target, [pane for session in sessions for pane in session.panes])
    server.spare_own([record], force, f"killing {record.pane}")
    ended = [s.session_name for s in sessions if {pane.pane for pane in s.panes} == {record.pane}]
    server.pane(tmux, record.pane).kill()
    note = f", the last pane of session {', '.join(ended)}, which is gone with it" if ended else ""
    data = {**record._asdict(), "sessions_ended": ended}
    return Result(f"killed: pane {record.pane}{note}", data, record.session_name, record.pane)


# Everything after the target is the command's own, as with ssh: `pane exec build git push --force` types --force.
@app.command(
    "exec",
    context_settings={"allow_interspersed_args": False},
    epilog="Example: ctmux pane exec build make -j4 (options of ctmux go before the target)",
)
@command
def exec_(
    target: str = TARGET,
    words: list[str] = TYPED,
    force: bool = typer.Option(
        False, "--force", help="Even the pane that this command runs in; leaves copy mode before it types."
    ),
    as_json: bool = JSON,
) -> Result:
    """Type a command and Enter into a pane, and return at once. Nothing in it is taken for the name of a key."""
    own = words[: words.index("--")] if "--" in words else []
    if own and set(own) <= _OWN:
        options, text = " ".join(own), shlex.join(words[len(own) + 1 :])
        raise UsageError(
            f"options of ctmux go before the target: ctmux pane exec {options} {shlex.quote(target)} -- {text}"
        )
    tmux = server.connect()
    record = _typable(target, server.panes(tmux), force)
    pane = server.pane(tmux, record.pane)
    if record.mode:
        if not force:
            raise Refused(f"not typing: {record.pane} is in copy mode, where keys do not reach the program; see --force")
        pane.cmd("copy-mode", "-q")
    text = " ".join(words[1:] if words[0] == "--" else words)
    sent.tell(record.pane, text)
    pieces = [text[at : at + _TYPED_AT_ONCE] for at in range(0, len(text), _TYPED_AT_ONCE)] or [""]
    for piece in pieces[:-1]:
        pane.cmd("send-keys", "-l", "--", piece)
    # The end of the text and Enter in one call: nobody else's keys come between.
    pane.cmd("send-keys", "-l", "--", pieces[-1], THEN, "send-keys", "-t", record.pane, "Enter")
    return _result(f"typed into {record.pane}", record)


@app.command("send-keys", epilog="Example: ctmux pane send-keys build C-c")
@command
def send_keys(
    target: str = TARGET,
    keys: list[str] = KEYS,
    literally: bool = typer.Option(False, "--literal", help="All of it is text: Enter types five letters."),
    force: bool = FORCE,
    as_json: bool = JSON,
) -> Result:
    """Send keys to a pane, and no Enter after them."""
    tmux = server.connect()
    record = _typable(target, server.panes(tmux), force)
    sent.tell(record.pane, sent.typed(keys, literally))
    server.pane(tmux, record.pane).cmd("send-keys", *(["-l"] if literally else []), "--", *keys)
    return _result(f"sent to {record.pane}", record)


@app.command(epilog="Example: ctmux pane capture build -n 20")
@command
def capture(
    target: str = TARGET,
    lines: int | None = typer.Option(None, "-n", "--lines", min=1, help="The last lines, from the history too."),
    everything: bool = typer.Option(False, "--all", help="The whole history and the screen."),
    escapes: bool = typer.Option(False, "--escapes", help="With the escape sequences of colours and attributes."),
    as_json: bool = JSON,
) -> Result:
    """The text on a pane's screen, without the empty lines below it."""
    if lines and everything:
        raise UsageError("-n and --all exclude each other")
    tmux = server.connect()
    record = resolve_pane(target, server.panes(tmux))
    start: Literal["-"] | int | None = "-" if everything else -lines if lines else None
    text = server.pane(tmux, record.pane).capture_pane(start, escape_sequences=escapes)
    text = text[-lines:] if lines else text
    return Result("\n".join(text), {**record._asdict(), "lines": text}, record.session_name, record.pane)


@app.command(epilog="Example: ctmux pane label build:0.1 tests && ctmux pane exec tests pytest")
@command
def label(
    target: str = TARGET,
    name: str | None = typer.Argument(None, metavar="LABEL", help="The new label."),
    remove: bool = typer.Option(False, "--remove", help="Take the label away."),
    as_json: bool = JSON,
) -> Result:
    """Show, set or remove a pane's label. Labels are kept by tmux and need no daemon."""
    if name is not None and remove:
        raise UsageError("a label and --remove exclude each other")
    tmux = server.connect()
    panes = server.panes(tmux)
    record = resolve_pane(target, panes)
    pane = server.pane(tmux, record.pane)
    if remove and record.label is None:
        return _result(f"{record.pane} has no label", record)
    if remove:
        pane.unset_option(LABEL)
        return _result(f"removed: label {record.label} of {record.pane}", record._replace(label=None))
    if name is not None:
        check_label(name, record.pane, panes)
        pane.set_option(LABEL, name)
        return _result(f"labelled: {record.pane} {name}", record._replace(label=name))
    return _result(record.label or "", record)


def _typable(target: str, panes: list[PaneRecord], force: bool) -> PaneRecord:
    record = resolve_pane(target, panes)
    server.spare_own([record], force, f"typing into {record.pane}")
    if record.dead:
        raise CtmuxError(f"the program in {record.pane} has ended; nothing reads what is typed there")
    return record


def _result(output: str, record: PaneRecord) -> Result:
    return Result(output, record._asdict(), record.session_name, record.pane)


def _size(record: PaneRecord) -> str:
    return f"{record.width}x{record.height}"


def _dead(record: PaneRecord) -> str:
    return "dead" if record.dead else ""
