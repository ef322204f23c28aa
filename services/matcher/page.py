"""As much as an answer has room for: a frame of more than a megabyte reaches nobody. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...shared.codec import pack
from .subscription import Subscription

_MOST = 1 << 17  # bytes of each part of an answer: a frame holds several


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


def page(known: Iterable[Subscription], after: int) -> dict[str, Any]:
    """Subscriptions behind that number, by age. `next`: the number to go on from, None behind the last."""
    left = sorted((one for one in known if one.number > after), key=lambda one: one.number)
    shown = list(fitting(one.public() for one in left))
    return {"subscriptions": shown, "next": left[len(shown) - 1].number if len(shown) < len(left) else None}
