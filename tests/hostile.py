"""Requests that no client of ours makes: each has one field that a service could end of, if it looked at it."""

from typing import Any

from ctmux.shared import codec
from ctmux.shared.messages import (
    Acted,
    Cancel,
    Close,
    Explain,
    Finish,
    Get,
    Positions,
    Put,
    Read,
    Request,
    Sent,
    Subscribe,
    Tip,
    Unsubscribe,
)

_SERVER, _STREAM = "0123abcd", "p1.9.w1.k"
_READ, _GET = Read(_STREAM, 0, 10), Get(1, 10, [None] * 5)
_FINISH = Finish(_SERVER, "$1", "%1", _STREAM, 0, False, False)
_SUBSCRIBE = Subscribe("hostile", "pattern", ["x"], _SERVER, "$1", "%1", {})
_SENT, _ACTED, _CLOSE = Sent(_SERVER, "%1", "x"), Acted(_SERVER, "%1", 1), Close(_SERVER, "$1")
_DRAFT = ["p", 1, "", "user.x", 1.0, None, None, None, None, None]
_NO_PLACES = ("a\0b", "x" * 101, "../x", "p1.9.w1.k.raw/x", "é" * 90, " ", "a\n")

SOUND: list[Request] = [
    _READ, _GET, _FINISH, _SUBSCRIBE, _SENT, _ACTED, _CLOSE, Finish("", "", "", "", 0, False, False, None),
    Positions(["a", ""]), Put([]), Put([[]]), Explain("a\0b"), Unsubscribe("x" * 300), Tip("../x"), Cancel("\0"),
]  # fmt: skip


def _with(request: Request, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "verb": type(request).__name__.lower(), **request._asdict(), **fields}


# What the decoder refuses.
HOSTILE: list[dict[str, Any]] = [
    *(_with(request, **{field: number}) for request, field in (
        (_READ, "offset"), (_READ, "limit"), (_GET, "since"), (_GET, "limit"), (_FINISH, "end"), (_ACTED, "depth"),
    ) for number in (-1, -(2**63), 2**63 - 1, 2**64 - 1, 1.5, True)),
    *(_with(request, **{field: text}) for request, field in (
        (_READ, "stream"), (_FINISH, "server"), (_FINISH, "session"), (_FINISH, "pane"), (_FINISH, "stream"),
        (_CLOSE, "server"), (_CLOSE, "session"), (_SUBSCRIBE, "server"), (_SUBSCRIBE, "session"), (_SUBSCRIBE, "pane"),
        (_SENT, "server"), (_SENT, "pane"), (_ACTED, "server"), (_ACTED, "pane"),
    ) for text in (*_NO_PLACES, b"x", 7)),
    *(_with(Positions([]), producers=[one]) for one in (["a"], {}, None, 7, b"a")),
    *(_with(Put([]), drafts=[one]) for one in (None, 7, "text", {})),
    *(_with(_SUBSCRIBE, patterns=[one]) for one in (None, ["a"], {}, b"a")),
    *(_with(_FINISH, program=one) for one in ([], 7, "text")),
    *(_with(request, **{field: one}) for request, field in (
        (Explain(""), "subscription"), (Unsubscribe(""), "subscription"), (Tip(""), "subscription"), (Cancel(""), "action"),
        (_SENT, "text"), (_SUBSCRIBE, "token"), (_SUBSCRIBE, "kind"),
    ) for one in (None, [], {}, 7, b"x")),
]  # fmt: skip

# What a service refuses when it looks at it.
REFUSED: list[dict[str, Any]] = [
    *(_with(_FINISH, program=one) for one in ({}, {"pid": None, "exit_status": 0, "signal": None}, {"pid": 1})),
    *(_with(Put([]), drafts=[[*_DRAFT[:4], time, *_DRAFT[5:], {}, []]]) for time in (1e15, 1e17, -1e17, float("nan"))),
    *(_with(Put([]), drafts=[one]) for one in ([], [None] * 12, [*_DRAFT, {}, [[]]], [*_DRAFT, {b"x": 1}, []])),
    *(_with(_GET, filter=one) for one in ([], [7], [[]], [None, None, None, {}, None])),
    *(_with(_READ, stream=one) for one in ("", ".", "..", "p" + "9" * 90)),
    _with(_READ, offset=2**53, limit=2**53), _with(_GET, since=2**53, limit=2**53), _with(_GET, limit=0),
    _with(_SUBSCRIBE, options={"start": "9" * 30}), _with(_SUBSCRIBE, options={b"x": 1}), _with(_SUBSCRIBE, kind="nothing"),
    _with(_FINISH, stream="p" + "9" * 90 + ".1.w1.k"), _with(_SENT, server=".."), _with(_SENT, server="."),
]  # fmt: skip


def frame(fields: dict[str, Any]) -> bytes:
    return codec.pack(fields)
