"""How long a tmux server is waited for, and when one that does not answer is asked again: others have panes, too. Pure."""

from ...shared import tmux

IMPATIENT = 1.0  # seconds
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds


def limit(failures: int) -> float:
    """Seconds that one is waited for which has not answered so often in a row."""
    return IMPATIENT if failures else tmux.TIMEOUT


def pause(failures: int) -> float:
    """Seconds until it is asked again."""
    return _PAUSES[min(failures, len(_PAUSES)) - 1]
