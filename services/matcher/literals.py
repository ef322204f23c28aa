"""The text that a line must contain for a pattern to match, as far as the pattern says it. Pure.

A pattern's literals are a set of lower-case byte strings of which each matching line, in lower case, has at least one. The
idea is RE2's FilteredRE2; the walk is over what Python's own parser makes of the pattern. Where Python reads a construct
otherwise than RE2, or not at all, the pattern has no literals: it is then tried on every block, which is slow, not wrong.
"""

import functools
import warnings
from re import IGNORECASE, _constants, _parser, error  # type: ignore[attr-defined]
from typing import Any

SHORTEST, _LONGEST = 3, 32  # bytes: shorter ones are in every block; a part of a needed text is needed, too
_MOST = 50  # alternatives
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)

Literals = frozenset[bytes]
Texts = frozenset[str]
_NOTHING: Texts = frozenset(("",))


@functools.lru_cache(maxsize=16384)
def literals(pattern: str) -> Literals | None:
    """The set, or None if the pattern has no useful one. `pattern` has passed `pattern.check`."""
    if "[:" in pattern:  # which Python reads otherwise, and perhaps without an error
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "possible nested set" and the like: another reading than RE2's
            parsed = _parser.parse(pattern)
    except (error, OverflowError, RecursionError, Warning):
        return None
    return _sequence(parsed, bool(parsed.state.flags & IGNORECASE))[1]


def _sequence(nodes: Any, caseless: bool) -> tuple[Texts | None, Literals | None]:
    """Of nodes one after the other: all texts that they stand for, if these are few; and the best literals that a run of
    them gives."""
    found: list[Literals | None] = []
    run, exact = _NOTHING, True
    for operation, argument in nodes:
        if operation is _constants.AT:  # ^ and \b take no room
            continue
        texts, inner = _node(operation, argument, caseless)
        if texts is not None and len(run) * len(texts) <= _MOST and len(next(iter(run))) <= _LONGEST:
            run = frozenset(before + text for before in run for text in texts)
            continue
        found += [_useful(run), inner]
        run, exact = texts or _NOTHING, False
    found.append(_useful(run))
    return run if exact else None, max(filter(None, found), key=_value, default=None)


def _useful(texts: Texts) -> Literals | None:
    encoded = frozenset(text.encode()[:_LONGEST] for text in texts)
    return encoded if min(map(len, encoded)) >= SHORTEST else None


def _value(found: Literals) -> tuple[int, int]:
    """Long ones are rare, few ones are quick to find."""
    return min(map(len, found)), -len(found)


def _node(operation: Any, argument: Any, caseless: bool) -> tuple[Texts | None, Literals | None]:
    if operation is _constants.LITERAL:
        return _character(argument, caseless), None
    if operation is _constants.IN:
        chars = [_character(code, caseless) if kind is _constants.LITERAL else None for kind, code in argument]
        return (frozenset().union(*filter(None, chars)) if all(chars) else None), None
    if operation is _constants.SUBPATTERN:
        _group, added, removed, nodes = argument
        return _sequence(nodes, (caseless or bool(added & IGNORECASE)) and not removed & IGNORECASE)
    if operation in _REPEATS:
        least, most, nodes = argument
        texts, inner = _sequence(nodes, caseless)
        return (texts if least == most == 1 else None), inner if least else None
    if operation is _constants.BRANCH:
        parts = [_sequence(nodes, caseless) for nodes in argument[1]]
        exact = [texts for texts, _inner in parts if texts is not None]
        useful = [inner for _texts, inner in parts if inner]
        union = frozenset[bytes]().union(*useful)
        return (
            frozenset[str]().union(*exact) if len(exact) == len(parts) else None,
            union if len(useful) == len(parts) and len(union) <= _MOST else None,
        )
    return None, None


def _character(code: int, caseless: bool) -> Texts | None:
    """The one character, in lower case, that a code stands for."""
    char = chr(code)
    if code < 32 or 0xD800 <= code < 0xE000 or code == 0xFFFD:  # what cleaned text has not, or not before it is mended
        return None
    if char.isascii():
        # Caseless k and s stand for the Kelvin sign and the long s, too.
        return None if caseless and char in "kKsS" else frozenset((char.lower(),))
    return None if caseless else frozenset((char,))
