"""Which firings of a subscription become events: cooldown, the same again, so many in a time. Pure.

An event is a fact: nothing is held back unless that was asked for, and what was is counted in the next event.
"""

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
        good = not (options.cooldown and state["last"] is not None and at - state["last"] < options.cooldown)
        if options.dedupe:
            known = state["texts"].pop(text, None)
            if known is not None and at - known < options.dedupe:
                state["texts"][text] = known
                good = False
            elif good:
                state["texts"][text] = at
                if len(state["texts"]) > _TEXTS_MOST:
                    del state["texts"][next(iter(state["texts"]))]
        if good and options.limit:
            most, seconds = options.limit
            state["times"] = [time for time in state["times"] if at - time < seconds]
            good = len(state["times"]) < most
            if good:
                state["times"].append(at)
        if good:
            state["last"] = at
        else:
            state["suppressed"] += 1
        return good

    def suppressed(self) -> int:
        """How many were held back since the last event; asked for each event."""
        count, self.state["suppressed"] = self.state["suppressed"], 0
        return int(count)
