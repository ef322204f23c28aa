"""Commands of a shell as facts: began, ended, exit status, range of the output; from its OSC 133 marks. Pure."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from ...shared import terminal

# OSC 7 (directory), 133 (marks), 633;E (VS Code's text of the command), up to their end or to what breaks them.
_OSC = re.compile(rb"\x1b\](7|133|633);([^\x07\x1b\r\n]*+)(?:(\x07|\x1b\\)|(\x1b?\Z))?")
_BEGUN = re.compile(rb"\x1b(?:\](?:7|13?|133|63?|633)?)?\Z")
_OSC_MAX = 8192  # bytes; a longer one is none
_TEXT_MAX = 4096  # characters of a command or directory
_TYPED_MAX = 65536  # bytes between B and C: a line editor draws much for little text
_ESCAPED = re.compile(r"\\(?:\\|x([0-9A-Fa-f]{2}))")  # VS Code's, in 633;E
_QUOTED = re.compile(r"\$'((?:[^\\']|\\.)*)'|'([^']*)'|\"((?:[^\\\"]|\\.)*)\"|\\(.)|([^\\'\"$]+|.)", re.DOTALL)

_ANSI = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)  # in $'...'
_LETTERS = dict(zip(b"abeEfnrtv", b"\a\b\x1b\x1b\f\n\r\t\v", strict=True))


class Started(NamedTuple):
    """A command's output begins at `offset`."""

    offset: int
    at: float
    text: str
    cwd: str | None


class Finished(NamedTuple):
    """A command has ended; `start`..`end` is its output. `began`: when, None if that was before we looked."""

    offset: int
    at: float
    text: str
    cwd: str | None
    exit_code: int | None
    start: int
    end: int
    began: float | None


class Prompt(NamedTuple):
    """The shell asks for the next command."""

    offset: int
    at: float
    cwd: str | None


Fact = Started | Finished | Prompt


class Running(NamedTuple):
    """A command that has begun: where its output does, and when."""

    start: int
    began: float | None
    text: str
    cwd: str | None


class Commands:
    """The commands of one stream. Its state is small, and JSON: see `dump`."""

    def __init__(self, dumped: dict[str, Any] | None = None):
        kept = dumped or {}
        running = kept.get("running")
        self.running = Running(*running) if running else None
        self.cwd: str | None = kept.get("cwd")
        self._told: str | None = kept.get("told")  # the text of the command, by 633;E
        self._typed: bytes | None = _bytes(kept.get("typed"))  # since B
        self._prompt: bool = kept.get("prompt", False)  # a prompt is told already
        self.marked: bool = kept.get("marked", False)  # the shell has shown any mark
        self._carry = _bytes(kept.get("carry")) or b""  # the beginning of a mark

    def dump(self) -> dict[str, Any]:
        """The state for `Commands(...)`. What is being typed is latin-1 in it: any byte is a character."""
        return {
            "running": self.running and list(self.running),
            "cwd": self.cwd,
            "told": self._told,
            "typed": None if self._typed is None else self._typed.decode("latin-1"),
            "prompt": self._prompt,
            "marked": self.marked,
            "carry": self._carry.decode("latin-1"),
        }

    def feed(self, data: bytes, offset: int, at: Callable[[int], float]) -> list[Fact]:
        """What the bytes at `offset` tell, at once. They follow the ones before; after a gap there is a new `Commands`.
        `at`: by when the bytes before an offset were there."""
        last = data if terminal.may_end_osc(data) else data[-_OSC_MAX:]  # where a mark may begin that does not end here
        if not self._carry and self._typed is None and not terminal.has(last, b"\x1b]"):
            self._carry = b"\x1b" if data.endswith(b"\x1b") else b""  # most of all output
            return []
        offset -= len(self._carry)
        data, self._carry = self._carry + data, b""
        facts: list[Fact] = []
        done = 0
        for mark in _OSC.finditer(data):
            if mark.end() - mark.start() > _OSC_MAX:
                continue
            if mark[4] is not None:  # not whole yet
                self._type(data[done : mark.start()])
                self._carry = data[mark.start() :]
                return facts
            if mark[3] is not None:
                self._type(data[done : mark.start()])
                done = mark.end()
                self._take(mark, offset, at, facts)
        begun = _BEGUN.search(data, max(done, len(data) - 5))
        end = begun.start() if begun else len(data)
        self._type(data[done:end])
        self._carry = data[end:]
        return facts

    def _type(self, piece: bytes) -> None:
        if self._typed is not None and len(self._typed) < _TYPED_MAX:
            self._typed = (self._typed + piece)[:_TYPED_MAX]

    def _take(self, mark: re.Match[bytes], offset: int, when: Callable[[int], float], facts: list[Fact]) -> None:
        body = mark[2].decode(errors="replace")
        here, behind = offset + mark.start(), offset + mark.end()
        if mark[1] == b"7":
            self.cwd = _directory(mark[2]) or self.cwd
            return
        kind, _, rest = body.partition(";")
        if mark[1] == b"633":
            if kind == "E":
                self._told = _ESCAPED.sub(_unescaped, rest.partition(";")[0])[:_TEXT_MAX]
            return
        self.marked, at = True, when(behind)
        if kind in ("A", "B", "N"):
            if not self._prompt:
                facts.append(Prompt(here, at, self.cwd))
            self._prompt = True
            self._typed = b"" if kind == "B" else None
        elif kind == "C":
            text = _text(rest, self._told, self._typed)
            self._typed, self._told, self._prompt = None, None, False
            self.running = Running(behind, at, text, self.cwd)
            facts.append(Started(behind, at, text, self.cwd))
        elif kind == "D":
            self._typed, self._told = None, None
            if self.running:
                self._prompt = False
                start, began, text, cwd = self.running
                facts.append(Finished(here, at, text, cwd, _status(rest), start, here, began))
                self.running = None


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")


def _text(parameters: str, told: str | None, typed: bytes | None) -> str:
    """The command: what C says, or 633;E, or what stands between B and C."""
    for parameter in parameters.split(";"):
        name, found, value = parameter.partition("=")
        if found and name == "cmdline_url":
            return unquote(value, errors="replace")[:_TEXT_MAX]
        if found and name == "cmdline":
            return _unquoted(parameters[parameters.index(parameter) + len("cmdline=") :])[:_TEXT_MAX]
    if told is not None:
        return told
    return terminal.clean(typed or b"").decode(errors="replace").strip()[:_TEXT_MAX]


def _unquoted(text: str) -> str:
    """The text that a shell's `printf %q` has written."""

    def plain(found: re.Match[str]) -> str:
        dollar, single, double, escaped, other = found.groups()
        if dollar is not None:
            return _ANSI.sub(_byte, dollar.encode()).decode(errors="replace")
        if double is not None:
            return re.sub(r"\\([$`\"\\])", r"\1", double)
        return single if single is not None else escaped if escaped is not None else other

    return _QUOTED.sub(plain, text)


def _byte(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, letter = found.groups()
    if letter:
        return bytes([_LETTERS.get(letter[0], letter[0])])
    return bytes([(int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF])


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else "\\"


def _status(parameters: str) -> int | None:
    """The exit status of D; None where it is not told, as after an empty line."""
    first = parameters.partition(";")[0]
    return int(first) if re.fullmatch(r"-?[0-9]{1,10}", first) else None


def _directory(url: bytes) -> str | None:
    """The directory of `file://host/path`, or of a path alone."""
    text = url.decode(errors="replace")
    scheme, found, rest = text.partition("://")
    if found:
        if scheme not in ("file", "kitty-shell-cwd"):
            return None
        _host, slash, path = rest.partition("/")
        path = slash + path
        text = path if scheme == "kitty-shell-cwd" else unquote_to_bytes(path).decode(errors="replace")
    return text[:_TEXT_MAX] if text.startswith("/") else None
