"""`python -m ctmux.services.matcher.trial`: what patterns would find in a file, in a process of its own, beside no matcher.

A request (one JSON map: `patterns`, `path`, or no path for what they cost alone) on stdin; on stdout a JSON map a line:
first {costs: [...]}, then each line that matches. A refused pattern ends it: {error, code}.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from ...shared import spool
from ...shared.errors import CtmuxError
from . import facts, pattern
from .engine import Engine
from .governor import Governor
from .index import Index
from .literals import literals
from .stream import StreamState
from .subscription import Subscription

_PIECE = 1 << 16


def costs(text: str) -> dict[str, Any]:
    """What a pattern costs the matcher. Raises UsageError if it is refused."""
    pattern.check(text)
    needed = literals(text)
    if needed:
        shown = ", ".join(repr(one.decode(errors="replace")) for one in sorted(needed)[:5])
        return {"pattern": text, "class": "cheap", "why": f"only lines that have {shown} are looked at"}
    why = "no text of three letters or more must be in a line, so each is tried"
    return {"pattern": text, "class": "each line", "why": why}


def lines(patterns: list[str], path: str) -> Iterator[dict[str, Any]]:
    """Each line of a file or a spool that would fire. Raises OSError."""
    subscription = Subscription("", 0, "pattern", patterns, None, None, None, "", 0.0)
    engine, index, governor = Engine(), Index(), Governor()
    index.add(subscription)
    for text in patterns:
        engine.add(text)
    state = StreamState("", "", "", "", 0)
    while (found := spool.read(path, state.lines.end, _PIECE)).data:
        if found.offset > state.lines.end:
            state.lines.tear(found.offset)
        for block in state.lines.feed(found.data):
            yield from (facts.line(state, hit, 0.0) for hit in state.hits(block, engine, index, governor))
    last = state.lines.unfinished()
    if last:
        yield from (facts.line(state, hit, 0.0) for hit in state.hits(last, engine, index, governor))


def main() -> None:
    request = json.load(sys.stdin)
    try:
        print(json.dumps({"costs": [costs(text) for text in request["patterns"]]}))
        if request.get("path"):
            for fact in lines(request["patterns"], request["path"]):
                print(json.dumps(facts.matched(fact, fact["hits"][0])))
    except (CtmuxError, OSError) as error:
        print(json.dumps({"error": str(error), "code": getattr(error, "code", "failed")}))


if __name__ == "__main__":
    main()
