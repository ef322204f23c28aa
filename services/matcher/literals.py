"""The text that a line must contain for a pattern to match, as far as the pattern says it. Pure.

A pattern's literals are a set of lower-case byte strings of which each matching line, in lower case, has at least one. The
idea is RE2's FilteredRE2; the walk is over what Python's own parser makes of the pattern. Where Python reads a construct
otherwise than RE2, or not at all, the pattern has no literals: it is then tried on every block, which is slow, not wrong.
"""

import functools
import warnings
from re import IGNORECASE, _constants, _parser, error  # type: ignore[attr-defined]
from typing import Any

SHORTEST = 3  # bytes; shorter ones are in every block, so that looking for them saves nothing
_MOST = 50  # alternatives
_FOREIGN = ("[:", "\\Q", "\\C", "(?U", "(?x")  # read otherwise by Python, without an error
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)

Literals = frozenset[bytes]


@functools.lru_cache(maxsize=16384)
def literals(pattern: str) -> Literals | None:
    """The set, or None if the pattern has no useful one. `pattern` has passed `pattern.check`."""
    if any(foreign in pattern for foreign in _FOREIGN):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "possible nested set" and the like: another reading than RE2's
            parsed = _parser.parse(pattern)
    except (error, OverflowError, RecursionError, Warning):
        return None
    return _sequence(parsed, bool(parsed.state.flags & IGNORECASE))


def _sequence(nodes: Any, caseless: bool) -> Literals | None:
    """Of nodes one after the other: the best that one of them, or a run of characters, gives."""
    found: list[Literals | None] = []
    run = ""
    for operation, argument in nodes:
        char = _character(operation, argument, caseless)
        if char is not None:
            run += char
            continue
        if operation is not _constants.AT:  # ^ and \b take no room
            found.append(_run(run))
            run = ""
            found.append(_node(operation, argument, caseless))
    found.append(_run(run))
    return max(filter(None, found), key=_value, default=None)


def _value(found: Literals) -> tuple[int, int]:
    """Long ones are rare, few ones are quick to find."""
    return min(map(len, found)), -len(found)


def _run(run: str) -> Literals | None:
    text = run.encode()
    return frozenset((text,)) if len(text) >= SHORTEST else None


def _character(operation: Any, argument: Any, caseless: bool) -> str | None:
    """The one character, in lower case, that a node stands for."""
    if operation is not _constants.LITERAL:
        return None
    char = chr(argument)
    if 0xD800 <= argument < 0xE000 or char == "\n":
        return None
    if char.isascii():
        # Caseless k and s stand for the Kelvin sign and the long s, too.
        return None if caseless and char in "kKsS" else char.lower()
    return None if caseless else char


def _node(operation: Any, argument: Any, caseless: bool) -> Literals | None:
    if operation is _constants.SUBPATTERN:
        _group, added, removed, nodes = argument
        return _sequence(nodes, (caseless or bool(added & IGNORECASE)) and not removed & IGNORECASE)
    if operation in _REPEATS:
        least, _most, nodes = argument
        return _sequence(nodes, caseless) if least else None
    if operation is _constants.BRANCH:
        parts = [_sequence(nodes, caseless) for nodes in argument[1]]
        if all(parts):
            union = frozenset().union(*filter(None, parts))
            return union if len(union) <= _MOST else None
    return None
