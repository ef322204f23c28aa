"""A pattern: RE2 syntax, so that none can hang the matcher; refused with the place and the construct that is wrong."""

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import re2

from ...shared.errors import UsageError

LENGTH_MAX = 4096  # characters
_PROGRAM_MAX = 2000  # instructions; RE2's time is text x program, and typical patterns have 6-40 (facts/matching.md, 1.5)
_MEMORY = 8 << 20
_NAMES = {
    "(?=": "lookahead",
    "(?!": "negative lookahead",
    "(?<": "lookbehind",
    "(?>": "atomic group",
    "(?P": "this kind of named group",
    "(?(": "conditional",
    "\\Z": "\\Z (write $ or \\z)",
}


class Match(NamedTuple):
    """Where a pattern matched in cleaned text: `line` counts from 0, `start` is the offset of that line's text."""

    line: int
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
    if compiled.programsize > _PROGRAM_MAX:
        raise UsageError(
            f"pattern too expensive: {compiled.programsize} instructions, at most {_PROGRAM_MAX}; "
            "use smaller repetitions or fewer alternatives"
        )
    if compiled.search(b"") is not None:
        raise UsageError("pattern matches empty text, so it would match every line; make it match something")


def _explain(pattern: str, error: Exception) -> str:
    message = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    what, _, construct = message.partition(": ")
    position = max(0, pattern.find(construct)) if construct else max(0, len(pattern) - 1)
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as known:
        at = getattr(known, "pos", None)  # more exact where RE2 names all of the rest
        if at is not None and construct not in _NAMES:
            position, what = at, str(getattr(known, "msg", what))
    else:
        name = (
            _NAMES.get(construct)
            or _NAMES.get(construct[:3])
            or ("backreference" if re.fullmatch(r"\\[1-9]", construct) else None)
        )
        if name is None and construct in ("++", "*+", "?+"):
            name = "possessive repetition"
        if name:
            what = f"{name} is not supported (RE2 syntax)"
    shown = f" {construct!r}" if construct and construct != pattern else ""
    return f"pattern: {what}{shown} at position {position}: {pattern[:60]}"


@functools.lru_cache(maxsize=16384)
def _compiled(pattern: str) -> Any:
    # \A and \z mean the line, and a block has many: in multi-line mode ^ and $ are that.
    anchored = re.sub(r"(\\\\)|\\A|\\z", lambda found: found[1] or ("^" if found[0] == "\\A" else "$"), pattern)
    return re2.compile(f"(?m:{anchored})", _options(multiline=True))


def search(pattern: str, text: bytes) -> Iterator[Match]:
    """The first match in each line of cleaned text that has one. The pattern has passed `check`."""
    line = 0
    counted = 0
    last = -1
    for found in _compiled(pattern).finditer(text):
        if found.end() == found.start():
            continue
        line += text.count(b"\n", counted, found.start())
        counted = found.start()
        if line != last:
            last = line
            yield Match(
                line,
                _text(found.group()) or "",
                [_text(group) for group in found.groups()],
                {name: _text(group) for name, group in found.groupdict().items()},
            )


def _text(group: bytes | None) -> str | None:
    return None if group is None else group.decode(errors="replace")
