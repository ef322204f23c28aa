"""How often each action was set off, by the times of the events: a restarted runner comes to the same. Pure."""

from ...shared.rate import Rate

_TIMES_MOST = 10_000  # what a rate can be


class Rates:
    """Each action has a key, `<subscription>/<index>`."""

    def __init__(self) -> None:
        self._rates: dict[str, Rate] = {}

    def add(self, key: str, at: float, most: int = _TIMES_MOST) -> None:
        """`most`: how often it may be, where that is known."""
        self._rates.setdefault(key, Rate([])).add(at, most)

    def near(self, key: str, at: float, seconds: float) -> int:
        """How many there were less than so many seconds before or after."""
        return self._rates[key].near(at, seconds) if key in self._rates else 0

    def forget(self, subscription: str) -> None:
        """It is over."""
        self._rates = {key: rate for key, rate in self._rates.items() if key.partition("/")[0] != subscription}

    def dump(self) -> dict[str, list[float]]:
        return {key: list(rate.times) for key, rate in self._rates.items()}

    def load(self, kept: dict[str, list[float]]) -> None:
        self._rates = {key: Rate(list(times)) for key, times in kept.items()}
