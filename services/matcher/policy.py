"""Which firings of a subscription become events: cooldown, the same again, so many in a time. Pure.

A clock that is set back lengthens nothing: what is too far ahead of now is as far as what is too far behind.
An event is a fact: nothing is held back unless that was asked for, and what was is counted in the next event.
"""

from typing import Any

from ...shared.rate import Rate
from .options import Options

_TEXTS_MOST = 1000  # different lines that are remembered for `dedupe`
_TIMES_MOST = 10  # of each of them: panes are read one after the other, their times are not in order


class Policy:
    """`state` can be held by JSON."""

    def __init__(self, options: Options, state: dict[str, Any] | None):
        self._options = options
        self.state: dict[str, Any] = _today(state) if state else {"times": [], "texts": {}, "suppressed": 0}
        self._rate = Rate(self.state["times"])

    def admits(self, text: str, at: float) -> bool:
        """Whether what fires now is to be an event."""
        state, options = self.state, self._options
        most, seconds = options.limit or (1, 0.0)
        if (
            (options.cooldown and self._rate.near(at, options.cooldown))
            or (options.dedupe and any(abs(at - time) < options.dedupe for time in state["texts"].get(text, ())))
            or self._rate.near(at, seconds) >= most
        ):
            state["suppressed"] += 1
            return False
        if options.limit or options.cooldown:
            self._rate.add(at, int(most))
        if options.dedupe:
            state["texts"][text] = [*state["texts"].pop(text, []), at][-_TIMES_MOST:]
            if len(state["texts"]) > _TEXTS_MOST:
                del state["texts"][next(iter(state["texts"]))]
        return True

    def suppressed(self) -> int:
        """How many were held back since the last event; asked for each event."""
        count, self.state["suppressed"] = self.state["suppressed"], 0
        return int(count)


def _today(state: dict[str, Any]) -> dict[str, Any]:
    """A state that was kept, also by a ctmux that knew one time of each text, and for `cooldown` only the last one."""
    times, last = state["times"], state.get("last")
    return {
        "times": times if last is None or last in times else [*times, last],
        "texts": {text: at if isinstance(at, list) else [at] for text, at in state["texts"].items()},
        "suppressed": state["suppressed"],
    }
