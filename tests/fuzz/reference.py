"""What must fire, by the slowest way: each line of the whole stream for itself, RE2 alone."""

import re
from bisect import bisect_right
from typing import NamedTuple

import re2
from ctmux.services.matcher import cuts, visible
from ctmux.shared import terminal


class Found(NamedTuple):
    line: str
    text: str
    captures: list[str | None]
    named: dict[str, str | None]


class Stream:
    """A stream that is known in full; lines longer than `longest` are cut to pieces."""

    def __init__(self, raw: bytes, longest: int):
        self.raw = raw
        self.starts: list[int] = []
        self.ends: list[int] = []
        for line in re.finditer(rb"[^\r\n]*[\r\n]|[^\r\n]+", raw):
            start = line.start()
            content = len(line[0].rstrip(b"\r\n"))
            while content > longest:
                self._add(start, start + longest)
                start, content = start + longest, content - longest
            self._add(start, line.end())

    def _add(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.ends.append(end)

    def line_of(self, offset: int) -> tuple[int, int]:
        """The line that an offset is in."""
        at = bisect_right(self.starts, offset) - 1
        return self.starts[at], self.ends[at]

    def shown(self, start: int, end: int) -> bytes:
        """The cleaned text from `start` to `end`, which are in one line."""
        state = visible.parts(self.raw[:start], visible.State())[2]
        begun = cuts.unfinished(self.raw[:start])  # a sequence in two pieces of a line is one
        return terminal.clean(visible.parts(begun + self.raw[start:end], state)[0]).strip(b"\n")


def find(pattern: str, text: bytes) -> Found | None:
    """The first match that is not empty."""
    options = re2.Options()
    options.log_errors = False
    valid = text.decode(errors="replace")
    for match in re2.compile(pattern, options).finditer(valid.encode()):
        if match.group():
            named = {name: _text(group) for name, group in match.groupdict().items()}
            return Found(valid, match.group().decode(errors="replace"), [_text(group) for group in match.groups()], named)
    return None


def _text(group: bytes | None) -> str | None:
    return None if group is None else group.decode(errors="replace")
