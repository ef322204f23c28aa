"""`python -m ctmux.services.matcher.compiler`: patterns on stdin, a hyperscan database of them on stdout; then it ends.

A process of its own because a compile takes up to seconds and its cost cannot be foreseen: the matcher goes on meanwhile,
and this can be limited and killed. Source: facts/matching.md, 1.4 and 1.5.
"""

import re
import resource
import sys
from typing import Any

import msgpack

from ...shared.service import die_with_parent
from . import pattern as patterns
from .literals import literals

CPU_SECONDS, MEMORY = 60, 2 << 30
_PROGRAM_MAX = 120  # instructions of RE2: what has more compiles in tenths of a second, and slows the scan of all others


def expression(pattern: str) -> str | None:
    """What hyperscan is to look for: the pattern as it is searched for in lines. None if that may be costly, or other than
    what RE2 would find."""
    if re.search(r"\\[vC]", pattern) or patterns.cost(pattern) > _PROGRAM_MAX:
        return None
    return patterns.of_lines(pattern)


def literal_expression(pattern: str) -> str | None:
    """The texts that the pattern needs, instead of itself."""
    needed = literals(pattern)
    return "|".join(re.escape(text.decode()) for text in sorted(needed)) if needed else None


def build(wanted: list[str]) -> tuple[list[str], bytes]:
    """The patterns that a filter can look for, and the database that does it: the one at place n has the number n."""
    import hyperscan as hs

    common = hs.HS_FLAG_MULTILINE | hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_UTF8
    entries: list[tuple[str, str, int]] = []
    for pattern in wanted:
        for text, flags in ((expression(pattern), common), (literal_expression(pattern), common | hs.HS_FLAG_CASELESS)):
            if text:
                entries.append((pattern, text, flags))
                break

    def compiled(chosen: list[tuple[str, str, int]]) -> Any:
        database = hs.Database(mode=hs.HS_MODE_BLOCK)
        database.compile(
            [text.encode() for _pattern, text, _flags in chosen],
            ids=list(range(len(chosen))), flags=[flags for _pattern, _text, flags in chosen],
        )  # fmt: skip
        return database

    def accepted(entry: tuple[str, str, int]) -> bool:
        try:
            compiled([entry])
        except hs.error:
            return False
        return True

    try:
        database = compiled(entries) if entries else None
    except hs.error:  # it does not say which one it refuses
        entries = [entry for entry in entries if accepted(entry)]
        database = compiled(entries) if entries else None
    return [pattern for pattern, _text, _flags in entries], hs.dumpb(database) if database else b""


def main() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    wanted = msgpack.unpackb(sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgpack.packb(build(wanted)))


if __name__ == "__main__":
    main()
