"""A pattern: RE2 syntax, so that none can hang the matcher; refused with the place and the construct that is wrong."""

import functools
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import re2

from ...shared.errors import UsageError

LENGTH_MAX = 4096  # characters
_PROGRAM_MAX = 2000  # instructions; RE2's time is text x program, and typical patterns have 6-40 (facts/matching.md, 1.5)
_MEMORY = 8 << 20
_NAMES = (
    ("(?=", "lookahead"),
    ("(?!", "negative lookahead"),
    ("(?<", "lookbehind"),
    ("(?>", "atomic group"),
    ("(?P=", "backreference to a named group"),
    ("(?P>", "call of a named group"),
    ("(?#", "comment"),
    ("(?(", "conditional"),
    ("\\Z", "\\Z (write $ or \\z)"),
)
# Quoted text, an escape, a class, or one character: what looks like a construct inside of these is none.
_TOKEN = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|.", re.DOTALL)
_LINE_BREAK = re.compile(r"\n|\r|\\[nr]")


class Match(NamedTuple):
    """The first match in a line of cleaned text; lines count from 0, and begin at byte `start` of the text."""

    line: int
    start: int
    text: str
    captures: list[str | None]
    named: dict[str, str | None]


def _options(multiline: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_nl = multiline  # a match never spans lines, so searching a block finds what searching each line would
    return options


def check(pattern: str) -> None:
    """Raises UsageError with the position of the error and the construct that is not supported."""
    if len(pattern) > LENGTH_MAX:
        raise UsageError(f"pattern of {len(pattern)} characters: at most {LENGTH_MAX} are supported")
    if "\0" in pattern:
        raise UsageError(f"pattern: NUL byte at position {pattern.index(chr(0))}; write \\x00")
    try:
        pattern.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"pattern: not valid UTF-8 at position {error.start}") from error
    try:
        compiled = re2.compile(pattern, _options(multiline=False))
    except re2.error as error:
        raise UsageError(_explain(pattern, error)) from None
    for position, token in _tokens(pattern):
        if _LINE_BREAK.fullmatch(token):
            raise UsageError(f"pattern: a line break at position {position} never matches: patterns see one line at a time")
        if token.startswith("(") and re.match(r"\(\?[a-zA-Z]*-[a-zA-Z]*m", pattern[position:]):
            raise UsageError(f"pattern: (?-m) at position {position} is not supported: ^ and $ always mean the line")
    if compiled.programsize > _PROGRAM_MAX:
        raise UsageError(
            f"pattern too expensive: {compiled.programsize} instructions, at most {_PROGRAM_MAX}; "
            "use smaller repetitions or fewer alternatives"
        )
    if compiled.search(b"") is not None:
        raise UsageError("pattern matches empty text, so it would match every line; make it match something")
    _compiled(pattern)


def _tokens(pattern: str) -> Iterator[tuple[int, str]]:
    for found in _TOKEN.finditer(pattern):
        yield found.start(), found.group()


def _explain(pattern: str, error: Exception) -> str:
    message = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    what, _, construct = message.partition(": ")
    if what.startswith("pattern too large"):
        return "pattern too large; use smaller repetitions or fewer alternatives"
    places = [
        at
        for at, token in _tokens(pattern)
        if not token.startswith("[") and pattern.startswith(construct, at) and not pattern.startswith("(?P<", at)
    ]
    position = places[0] if places else max(0, pattern.find(construct))
    if not construct:
        position = max(0, len(pattern) - 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as known:
        at = getattr(known, "pos", None)  # more exact where RE2 names all of the rest
        if at is not None and _name(pattern, position, construct) is None:
            position, what = at, str(getattr(known, "msg", what))
    name = _name(pattern, position, construct)
    if name:
        what = f"{name} is not supported (RE2 syntax)"
    shown = f" {construct!r}" if construct and construct != pattern else ""
    return f"pattern: {what}{shown} at position {position}: {pattern[:60]}"


def _name(pattern: str, position: int, construct: str) -> str | None:
    """What people call a construct of other engines."""
    for start, name in _NAMES:
        if construct.startswith(start[:3]) and pattern.startswith(start, position):
            return name
    if re.fullmatch(r"\\[1-9]", construct):
        return "backreference"
    return "possessive repetition" if construct in ("++", "*+", "?+") else None


@functools.lru_cache(maxsize=16384)
def _compiled(pattern: str) -> tuple[Any, dict[str, int]]:
    """The pattern as it is searched for, and its named groups, of which RE2 makes a new dict whenever it is asked."""
    # \A and \z mean the line, and a block has many: in multi-line mode ^ and $ are that.
    lines = {"\\A": "^", "\\z": "$"}
    compiled = re2.compile(
        "(?m)" + "".join(lines.get(token, token) for _at, token in _tokens(pattern)), _options(multiline=True)
    )
    return compiled, dict(compiled.groupindex)


def cost(pattern: str) -> int:
    """Instructions of RE2's program: its time is at most text x this."""
    return int(_compiled(pattern)[0].programsize)


def search(pattern: str, text: bytes, start: int = 0) -> Iterator[Match]:
    """The first match in each line of cleaned text that has one, from the line that begins at `start` on. The pattern has
    passed `check`."""
    compiled, names = _compiled(pattern)
    line = text.count(b"\n", 0, start)
    counted = at = start
    while found := _first(compiled, text, at):
        begin, end = found.span()
        line += text.count(b"\n", counted, begin)
        counted = text.rfind(b"\n", 0, begin) + 1
        captures = [_text(group) for group in found.groups()]
        named = {name: captures[n - 1] for name, n in names.items()}
        yield Match(line, counted, text[begin:end].decode(errors="replace"), captures, named)
        at = text.find(b"\n", end) + 1
        if not at:
            return


def _first(compiled: Any, text: bytes, at: int) -> Any:
    """The first match that is not empty."""
    while found := compiled.search(text, at):
        begin, end = found.span()
        if begin < end:
            return found
        if end == len(text):
            return None
        at = end + 1
    return None


def _text(group: bytes | None) -> str | None:
    return None if group is None else group.decode(errors="replace")
