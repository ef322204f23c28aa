"""As much as an answer has room for: a frame of more than a megabyte reaches nobody. Pure."""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

from .codec import pack

_MOST = 1 << 17  # bytes of each part of an answer: a frame holds several

K = TypeVar("K", int, str)
T = TypeVar("T")


def fits(value: Any) -> bool:
    return len(pack(value)) <= _MOST


def fitting(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The first of them, as many as fit; at least one."""
    left = _MOST
    for one in found:
        size = len(pack(one))
        if size > left < _MOST:
            return
        left -= size
        yield one


def page(
    known: Iterable[tuple[K, T]], after: K, show: Callable[[T], dict[str, Any]]
) -> tuple[list[dict[str, Any]], K | None]:
    """What is known behind that key, in the order of keys, as many as fit; and the key to go on from, None behind the
    last."""
    left = sorted((one for one in known if one[0] > after), key=itemgetter(0))
    shown = list(fitting(show(one) for _key, one in left))
    return shown, left[len(shown) - 1][0] if len(shown) < len(left) else None
