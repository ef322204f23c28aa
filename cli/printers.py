"""Where followed output goes: as it is, or line by line."""

import sys
from typing import Any, Protocol

from ..shared import terminal
from ..shared.errors import UsageError
from .output import harmless

# Bytes. A longer line is shown in pieces, each as a line: a program may never end its line, and each chunk copies the tail.
LINE_MAX = 1 << 20


class Printer(Protocol):
    """Where output goes."""

    def data(self, pane: str, data: bytes, /) -> None: ...

    def end(self, pane: str, /) -> None:
        """Nothing follows of this pane."""

    def close(self) -> None:
        """Nothing follows."""


class RawPrinter:
    """The bytes as they are."""

    def data(self, _pane: str, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def end(self, _pane: str) -> None:
        pass

    def close(self) -> None:
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
        self._print(pane, data[:length])
        while len(data) - length > LINE_MAX + 1:  # a CR behind it may be half of its end
            self._print(pane, data[length : length + LINE_MAX])
            length += LINE_MAX
        self._tails[pane] = data[length:]

    def end(self, pane: str) -> None:
        self._print(pane, self._tails.pop(pane, b""))

    def close(self) -> None:
        for pane in list(self._tails):
            self.end(pane)

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
