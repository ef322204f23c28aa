"""Frames to messages and back, with exactly one failure: DecodeError."""

import functools
import itertools
import json
import re
from datetime import UTC, datetime
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

import msgpack

from .errors import CtmuxError, UsageError, from_wire
from .messages import REQUESTS, VERSION, Chunk, Event, Head, Request

FRAME_MAX = 1 << 20  # bytes; senders keep far below it, a socket drops a peer that does not
# 1 MB of empty maps would become 76 MB of objects: containers are counted, where a frame is large enough to have many.
_CONTAINERS_MAX = 100_000
_SMALL = 1 << 16
_NUMBER_MAX = 1 << 53  # of a request: far beyond every offset and event, and exact in JSON
_PLACES = ("server", "session", "pane", "stream")  # fields of requests that become parts of paths
_PLACE = re.compile(r"[!-.0-~]{0,100}")  # ASCII without spaces and `/`

T = TypeVar("T")
_MISSING = object()
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class DecodeError(CtmuxError):
    """Raised when frames are not a message of this version; carries the frames."""

    def __init__(self, reason: str, frames: list[bytes]):
        super().__init__(f"not a message of wire version {VERSION}: {reason}")
        self.frames = frames


def pack(value: Any) -> bytes:
    return cast(bytes, msgpack.packb(value, unicode_errors="replace"))


def _counted() -> dict[str, Any]:
    count = itertools.count(1)

    def hook(value: Any) -> Any:
        if next(count) > _CONTAINERS_MAX:
            raise ValueError("too many containers")
        return value

    return {"object_hook": hook, "list_hook": hook, "max_array_len": _CONTAINERS_MAX, "max_map_len": _CONTAINERS_MAX}


def unpack(frame: bytes) -> Any:
    """Raises DecodeError."""
    try:
        if len(frame) > _SMALL:
            return msgpack.unpackb(frame, **_counted())
        return msgpack.unpackb(frame)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DecodeError(f"msgpack: {error}", [frame]) from error


@functools.cache
def _allowed(annotation: Any) -> frozenset[type] | None:
    """The exact types that a decoded value of an annotated field may have; None for any."""
    if annotation is Any:
        return None
    if get_origin(annotation) is UnionType:
        return frozenset().union(*(_allowed(part) or () for part in get_args(annotation)))
    if annotation is float:
        return frozenset((float, int))
    return frozenset((get_origin(annotation) or annotation,))


@functools.cache
def _fields(kind: Any) -> tuple[tuple[str, frozenset[type] | None], ...]:
    return tuple((name, _allowed(annotation)) for name, annotation in kind.__annotations__.items())


def fits(value: Any, annotation: Any) -> bool:
    """Whether a decoded value is of an annotated type; contents of lists and maps are not looked at."""
    allowed = _allowed(annotation)
    return allowed is None or type(value) in allowed


def build(kind: type[T], fields: Any, frames: list[bytes]) -> T:
    """A message type from decoded fields: unknown ones are skipped, missing or wrong ones are a DecodeError."""
    if not isinstance(fields, dict):
        raise DecodeError("a map is expected", frames)
    values = []
    for name, allowed in _fields(cast(Any, kind)):
        value = fields.get(name, _MISSING)
        if value is _MISSING or (allowed is not None and type(value) not in allowed):
            raise DecodeError(f"{kind.__name__} needs {name} as {kind.__annotations__[name]}", frames)
        values.append(value)
    return kind(*values)


def _header(frame: bytes) -> dict[str, Any]:
    value = unpack(frame)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise DecodeError("a map with this version is expected", [frame])
    return value


def encode_chunk(chunk: Chunk) -> list[bytes]:
    """[header, data]; the topic goes before them."""
    header = {"v": VERSION, **chunk._asdict()}
    data = header.pop("data")
    return [pack(header), data]


def decode_chunk(frames: list[bytes]) -> Chunk:
    """The chunk in [header, data]. Raises DecodeError."""
    if len(frames) != 2:
        raise DecodeError("a chunk has two frames after its topic", frames)
    return build(Chunk, {**_header(frames[0]), "data": frames[1]}, frames)


def encode_event(event: Event) -> list[bytes]:
    return [pack({"v": VERSION, **event._asdict()})]


def decode_event(frames: list[bytes]) -> Event:
    """Raises DecodeError."""
    if len(frames) != 1:
        raise DecodeError("an event has one frame after its topic", frames)
    return build(Event, _header(frames[0]), frames)


def event_line(event: Event) -> bytes:
    """The event as a line of the journal: JSON that starts with `{"n":<number>,`."""
    return _encode_json(event._asdict()).encode("utf-8", "replace") + b"\n"


def parse_event(line: bytes) -> Event:
    """The event in a journal line. Raises DecodeError."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"JSON: {error}", [line]) from error
    return build(Event, fields, [line])


def encode_head(head: Head) -> list[bytes]:
    return [pack({"v": VERSION, **head._asdict()})]


def decode_head(frames: list[bytes]) -> Head:
    """Raises DecodeError."""
    return build(Head, _header(frames[0]), frames)


def encode_request(request: Request) -> bytes:
    """Raises UsageError for what no message can hold: a number of more than 64 bits, say, or what no peer would take."""
    try:
        frame = pack({"v": VERSION, "verb": type(request).__name__.lower(), **request._asdict()})
    except (OverflowError, TypeError, ValueError) as error:
        raise UsageError(f"it cannot be sent: {error}") from None
    if len(frame) > FRAME_MAX:
        raise UsageError(f"it cannot be sent: it has {len(frame):,} bytes, and a request at most {FRAME_MAX:,}")
    return frame


def decode_request(frame: bytes) -> Request:
    """Raises DecodeError, also for a verb that is not known, and for a field that no service should have to look at."""
    fields = _header(frame)
    kind = REQUESTS.get(str(fields.get("verb")))
    if kind is None:
        raise DecodeError(f"unknown verb {fields.get('verb')!r}", [frame])
    request = build(kind, fields, [frame])
    for (name, annotation), value in zip(kind.__annotations__.items(), request, strict=True):
        _check(f"{kind.__name__}: {name}", name, value, annotation, frame)
    return request


def _check(what: str, name: str, value: Any, annotation: Any, frame: bytes) -> None:
    """Raises DecodeError for what is of its type, but would end a service that relied on it."""
    if type(value) is int and not 0 <= value <= _NUMBER_MAX:
        raise DecodeError(f"{what} is a number from 0 to 2^53", [frame])
    if type(value) is str and name in _PLACES and not _PLACE.fullmatch(value):
        raise DecodeError(f"{what} is at most 100 characters of ASCII without spaces and /", [frame])
    if type(value) is list and not all(fits(one, *get_args(annotation)) for one in value):
        raise DecodeError(f"{what} is {annotation}", [frame])


def encode_reply(result: dict[str, Any]) -> bytes:
    return pack({"v": VERSION, "ok": True, **result})


def encode_failure(error: CtmuxError) -> bytes:
    return pack({"v": VERSION, "ok": False, "code": error.code, "message": str(error)})


def decode_reply(frame: bytes) -> dict[str, Any]:
    """The result of a request. Raises the error that the reply carries, or DecodeError."""
    fields = _header(frame)
    if fields.get("ok") is not True:
        raise from_wire(str(fields.get("code")), str(fields.get("message")))
    return fields


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC with microseconds, as `2026-11-22T10:28:49.123456Z`."""
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{micros:06d}Z"


@functools.lru_cache(maxsize=16)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
