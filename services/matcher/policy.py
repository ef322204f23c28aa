"""Which firings of a subscription become events: cooldown, the same again, so many in a time. Pure.

A clock that is set back lengthens nothing: what is too far ahead of now is as far as what is too far behind.
An event is a fact: nothing is held back unless that was asked for, and what was is counted in the next event.
"""

import math
from typing import Any

from .options import Options

_TEXTS_MOST = 1000  # different lines that are remembered for `dedupe`


class Policy:
    """`state` can be held by JSON."""

    def __init__(self, options: Options, state: dict[str, Any] | None):
        self._options = options
        self.state = state or {"last": None, "times": [], "texts": {}, "suppressed": 0}

    def admits(self, text: str, at: float) -> bool:
        """Whether what fires now is to be an event."""
        state, options = self.state, self._options
        if options.limit:  # panes are read one after the other: times are not in order
            oldest = min(at, max(state["times"], default=at)) - options.limit[1]
            state["times"] = [time for time in state["times"] if time > oldest]
        if (
            (options.cooldown and state["last"] is not None and abs(at - state["last"]) < options.cooldown)
            or (options.dedupe and abs(at - state["texts"].get(text, -math.inf)) < options.dedupe)
            or (options.limit and sum(abs(at - time) < options.limit[1] for time in state["times"]) >= options.limit[0])
        ):
            state["suppressed"] += 1
            return False
        state["last"] = at
        if options.limit:
            state["times"].append(at)
        if options.dedupe:
            state["texts"].pop(text, None)
            state["texts"][text] = at
            if len(state["texts"]) > _TEXTS_MOST:
                del state["texts"][next(iter(state["texts"]))]
        return True

    def suppressed(self) -> int:
        """How many were held back since the last event; asked for each event."""
        count, self.state["suppressed"] = self.state["suppressed"], 0
        return int(count)
