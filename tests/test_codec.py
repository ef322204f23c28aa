"""The codec: what is said is heard, and what is damaged is one kind of failure."""

import json
import re
import tracemalloc
from typing import Any

import hostile
import msgpack
import pytest
from ctmux.shared import codec
from ctmux.shared.codec import FRAME_MAX, DecodeError
from ctmux.shared.errors import CtmuxError, NoTarget, Refused, UsageError
from ctmux.shared.messages import REQUESTS, Chunk, Event, Head, Put, Status
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BY_ANNOTATION: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(allow_nan=False) | st.integers(0, 2**40),
    bool: st.booleans(),
    str: TEXT,
    bytes: st.binary(max_size=40),
    str | None: st.none() | TEXT,
    float | None: st.none() | st.floats(allow_nan=False),
    list[Any]: st.lists(VALUES, max_size=3),
    list[str]: st.lists(TEXT, max_size=3),
    list[list[Any]]: st.lists(st.lists(VALUES, max_size=3), max_size=3),
    dict[str, Any]: st.dictionaries(TEXT, VALUES, max_size=3),
    dict[str, Any] | None: st.none() | st.dictionaries(TEXT, VALUES, max_size=3),
    dict[str, int]: st.dictionaries(TEXT, st.integers(0, 2**40), max_size=3),
}


def of(kind):
    return st.builds(kind, **{name: BY_ANNOTATION[annotation] for name, annotation in kind.__annotations__.items()})


PLACE = st.from_regex(r"[!-.0-~]{0,20}", fullmatch=True)
OF_REQUESTS = {int: st.integers(0, 2**53)}
OF_PLACES = {str: PLACE, str | None: st.none() | PLACE}


def of_request(kind):
    fields = {}
    for name, annotation in kind.__annotations__.items():
        table = BY_ANNOTATION | (OF_PLACES if name in ("server", "session", "pane", "stream") else OF_REQUESTS)
        fields[name] = table[annotation]
    return st.builds(kind, **fields)


ANY_REQUEST = st.one_of([of_request(kind) for kind in REQUESTS.values()])
CHUNK = Chunk("0123abcd", "$1", "%2", "p2.300.w1.k", 4096, 1.5, False, b"\x00\xff\x1b[0m\r\n")
EVENT = Event(7, "2026-11-22T10:28:49.123456Z", "pane.exited", "0123abcd", "$1", "@1", "%2", None, {"signal": 9},
              {"session": 6, "pane": 3}, "keeper/0123abcd", 12, "", [])  # fmt: skip

# Each way a message comes in: bytes of one frame to a value.
DECODERS = {
    "chunk": lambda frame: codec.decode_chunk([frame, b"data"]),
    "event": lambda frame: codec.decode_event([frame]),
    "head": lambda frame: codec.decode_head([frame]),
    "request": codec.decode_request,
    "line": codec.parse_event,
}
WHOLE = {
    "chunk": codec.encode_chunk(CHUNK)[0],
    "event": codec.encode_event(EVENT)[0],
    "head": codec.encode_head(Head("0f", 9))[0],
    "request": codec.encode_request(Put([["p", 1, "", "pane.exited", 1.5]])),
    "line": codec.event_line(EVENT),
}


def decodes_or_fails_properly(name: str, frame: bytes) -> None:
    try:
        DECODERS[name](frame)
    except DecodeError as error:
        assert frame in error.frames


# ---- what is said is heard -----------------------------------------------------------------------------------------


@given(of(Chunk))
def test_chunk(chunk):
    assert codec.decode_chunk(codec.encode_chunk(chunk)) == chunk


@given(of(Event))
def test_event_on_the_bus_and_in_the_journal(event):
    assert codec.decode_event(codec.encode_event(event)) == event
    line = codec.event_line(event)
    assert line.startswith(b'{"n":%d,' % event.n)
    assert line.endswith(b"}\n") and line.count(b"\n") == 1
    assert codec.parse_event(line) == event


@given(of(Head))
def test_head(head):
    assert codec.decode_head(codec.encode_head(head)) == head


@given(ANY_REQUEST)
def test_request(request):
    decoded = codec.decode_request(codec.encode_request(request))
    assert decoded == request and type(decoded) is type(request)


@given(st.dictionaries(TEXT.filter(lambda key: key not in ("v", "ok")), VALUES | st.binary(max_size=9), max_size=4))
def test_reply(result):
    assert codec.decode_reply(codec.encode_reply(result)).items() >= result.items()


@pytest.mark.parametrize("error", [CtmuxError("it failed"), NoTarget("no pane %7"), Refused("is running")])
def test_failure(error):
    with pytest.raises(CtmuxError, match=str(error)) as raised:
        codec.decode_reply(codec.encode_failure(error))
    assert type(raised.value) is type(error)


def test_names_that_are_not_utf8_can_be_sent():
    """A path from the file system (`os.listdir`) has surrogates where its bytes are no UTF-8."""
    event = EVENT._replace(data={"socket": "/tmp/tmux-0/\udcff"})
    assert codec.parse_event(codec.event_line(event)).n == 7
    assert codec.decode_event(codec.encode_event(event)).n == 7
    assert codec.decode_request(codec.encode_request(Put([["p", 1, "", "server.found", 1.5, "/tmp/\udcff"]])))


def test_fields_of_a_later_version_are_skipped():
    fields = {**codec.unpack(WHOLE["head"]), "colour": "red"}
    assert codec.decode_head([codec.pack(fields)]) == Head("0f", 9)
    assert codec.parse_event(json.dumps({**EVENT._asdict(), "colour": "red"}).encode()) == EVENT


# ---- what is damaged -----------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=60))
def test_noise(name, frame):
    decodes_or_fails_properly(name, frame)


@given(st.sampled_from(sorted(DECODERS)), st.data())
def test_a_message_with_bytes_cut_changed_or_put_in(name, data):
    frame = WHOLE[name]
    at = data.draw(st.integers(0, len(frame)))
    length = data.draw(st.integers(0, 3))
    decodes_or_fails_properly(name, frame[:at] + data.draw(st.binary(max_size=3)) + frame[at + length :])


@given(st.sampled_from(sorted(DECODERS)), st.data())
def test_a_field_of_another_type(name, data):
    fields = json.loads(WHOLE[name]) if name == "line" else codec.unpack(WHOLE[name])
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(VALUES)
    decodes_or_fails_properly(name, json.dumps(fields).encode() if name == "line" else codec.pack(fields))


@pytest.mark.parametrize("name", [name for name in sorted(DECODERS) if name != "line"])
@pytest.mark.parametrize("value", [None, 7, [], [1], "text", {}, {"v": 0}, {"v": 2}, {"v": 1}])
def test_another_shape_or_version(name, value):
    with pytest.raises(DecodeError):
        DECODERS[name](msgpack.packb(value))


@pytest.mark.parametrize("name", ["n", "kind", "data", "prev", "producer"])
def test_a_missing_field_is_named(name):
    fields = codec.unpack(WHOLE["event"])
    del fields[name]
    with pytest.raises(DecodeError, match=f"Event needs {name} as"):
        codec.decode_event([codec.pack(fields)])


@pytest.mark.parametrize("frames", [[], [b""], [WHOLE["chunk"]], [WHOLE["chunk"], b"", b""]])
def test_a_chunk_of_other_than_two_frames(frames):
    with pytest.raises(DecodeError):
        codec.decode_chunk(frames)


def test_true_is_no_number():
    with pytest.raises(DecodeError, match="Head needs n"):
        codec.decode_head([codec.pack({"v": 1, "log": "0f", "n": True})])


def test_unknown_verb():
    frame = codec.pack({"v": 1, "verb": "destroy"})
    with pytest.raises(DecodeError, match="unknown verb 'destroy'") as raised:
        codec.decode_request(frame)
    assert raised.value.frames == [frame]
    for verb in (None, 7, [], {}):
        with pytest.raises(DecodeError, match="unknown verb"):
            codec.decode_request(codec.pack({"v": 1, "verb": verb}))


@pytest.mark.parametrize("fields", hostile.HOSTILE, ids=lambda fields: str(fields)[:60])
def test_what_could_end_a_service_does_not_get_to_it(fields):
    with pytest.raises(DecodeError):
        codec.decode_request(hostile.frame(fields))


@pytest.mark.parametrize("request_", hostile.SOUND, ids=str)
def test_what_is_sound_gets_to_it(request_):
    assert codec.decode_request(codec.encode_request(request_)) == request_


def test_a_request_that_no_peer_would_take_is_refused():
    with pytest.raises(UsageError, match="a request at most 1,048,576"):
        codec.encode_request(Put([["x" * codec.FRAME_MAX]]))


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_deep_nesting(name):
    decodes_or_fails_properly(name, b"\x91" * 100_000 + b"\xc0")
    decodes_or_fails_properly(name, b"[" * 100_000)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xdd\xff\xff\xff\xff",  # an array that says it has 4 billion elements
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdd" + (500_000).to_bytes(4, "big") + b"\x80" * 500_000,  # an array of empty maps: 64 times its size
        msgpack.packb([[{}] * 95_000] * 11),  # the same in handy portions
        msgpack.packb([[[]] * 95_000] * 11),
    ],
    ids=["array", "map", "bytes", "maps", "maps in arrays", "arrays in arrays"],
)
def test_a_small_frame_does_not_become_much_memory(frame):
    assert len(frame) <= FRAME_MAX
    tracemalloc.start()
    try:
        codec.decode_request(frame)
    except DecodeError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 16 * FRAME_MAX


# ---- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1795343329, "2026-11-22T10:28:49.000000Z"),
        (1795343329.25, "2026-11-22T10:28:49.250000Z"),
    ],
)
def test_timestamp(seconds, text):
    assert codec.timestamp(seconds) == text


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_timestamps_sort_as_times_do(one, other):
    first, second = sorted([one, other])
    assert codec.timestamp(first) <= codec.timestamp(second)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", codec.timestamp(first))


def test_every_verb_is_its_types_name():
    assert REQUESTS["status"] is Status
    assert all(kind.__name__.lower() == verb for verb, kind in REQUESTS.items())
