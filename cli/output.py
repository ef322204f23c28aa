"""What commands print: results on stdout, as text for people or one envelope of JSON; everything else on stderr."""

import json
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec

import typer

from ..shared.codec import timestamp
from ..shared.errors import EXIT_INTERRUPTED, CtmuxError

P = ParamSpec("P")


class Result:
    """What a command has to say. `output` is the text for people; `data` is for programs."""

    def __init__(self, output: str = "", data: Any = None, session: str | None = None, pane_id: str | None = None):
        self.output, self.data, self.session, self.pane_id = output, data, session, pane_id


def envelope(command: str, result: Result) -> dict[str, Any]:
    """The one shape of every JSON answer, the predecessor's with `data`."""
    return {
        "status": "success",
        "command": command,
        "session": result.session,
        "pane_id": result.pane_id,
        "output": result.output,
        "timestamp": timestamp(time.time()),
        "data": result.data,
    }


def error_envelope(command: str, error: CtmuxError) -> dict[str, Any]:
    message = shortened(str(error))
    shown = envelope(command, Result(message))
    del shown["data"]
    return {**shown, "status": "error", "error": {"code": error.code, "message": message}}


_LONGEST = 2000  # characters of a line that may echo what somebody has given; what there is to choose from fits
_CELL = 200  # of a cell that has others to its right


def shortened(text: str, most: int = _LONGEST) -> str:
    """Text whose lines have so many characters: both ends of those that are longer."""
    half = most // 2
    return "\n".join(each if len(each) <= most else f"{each[:half]}…{each[-half:]}" for each in text.split("\n"))


_C1 = re.compile("[\x80-\x9f]")


def harmless(text: str) -> str:
    """Text for a terminal, without the controls U+0080-009F: some terminals obey them as they do escape sequences."""
    return text if text.isascii() else _C1.sub("\N{REPLACEMENT CHARACTER}", text)


def line(value: Any) -> str:
    """JSON as it is printed: the same value, without a control as it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else _C1.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(text: str, whole: bool = False) -> None:
    """A note beside the result, or an error; shortened unless `whole`."""
    print(harmless(text if whole else shortened(text)), file=sys.stderr, flush=True)


def command(function: Callable[P, Result | Iterable[Any] | None], noun: str | None = None) -> Callable[P, None]:
    """A command of the CLI: prints its Result, or each JSON value that it yields when it streams; ends with a named exit
    code. A command that takes `as_json` prints the envelope when it is set. `noun`: where it is not the module's name."""
    name = function.__name__.rstrip("_").replace("_", "-")
    noun = noun or function.__module__.rpartition(".")[2].replace("_", "-")
    full = name if name == noun else f"{noun}-{name}"

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            result = function(*args, **kwargs)
            if isinstance(result, Result):
                text = line(envelope(full, result)) if as_json else harmless(result.output)
                if text:
                    print(text, flush=True)
        except BrokenPipeError:  # the reader has gone (`| head`): quietly, also at the interpreter's end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except (CtmuxError, OSError) as found:
            if isinstance(found, OSError) and not found.filename:
                raise  # of the output itself
            error = found if isinstance(found, CtmuxError) else CtmuxError(f"{found.filename}: {found.strerror}")
            if as_json:
                print(line(error_envelope(full, error)), flush=True)
            else:
                say(f"ctmux: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_INTERRUPTED) from None

    return run


def end_with_reader() -> None:
    """End this process when whoever reads its stdout goes away, even if there is nothing to write: a follower of a silent
    pane would hang for ever behind `| grep -m1`."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)

    def wait() -> None:
        poll.poll()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def table(rows: list[list[Any]], head: list[str]) -> str:
    """Columns for people."""
    cells = [[("-" if cell is None or cell == "" else str(cell)) for cell in row] for row in [head, *rows]]
    cells = [[*(shortened(cell, _CELL) for cell in row[:-1]), shortened(row[-1])] for row in cells]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


JSON = typer.Option(False, "--json", help="Print one JSON envelope (streams: a JSON value a line).")
