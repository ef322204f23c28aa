"""JSON that somebody gives as an argument or in a file."""

import json
from typing import Any

from ..shared.errors import UsageError

_DEEPEST = 100  # levels: what every version of Python can decode


def from_json(option: str, text: str) -> Any:
    """Raises UsageError for what is no JSON, or is nested too deeply."""
    try:
        value = json.loads(text)
        if _is_deep(value):
            raise RecursionError
    except ValueError as error:
        raise UsageError(f"{option}: not JSON: {error}") from error
    except RecursionError:  # of Python itself from 1,000 levels on, or from 10,000
        raise UsageError(f"{option}: it is nested too deeply: at most {_DEEPEST} levels") from None
    return value


def _is_deep(value: Any) -> bool:
    """Whether it has more levels; without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for one in level for child in _children(one)]
    return any(isinstance(one, dict | list) for one in level)


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
