"""Recordings: whatever is printed, in whatever pieces, the bytes can be had back, and every line is JSON in UTF-8."""

import json

from corpus.recording import Recording
from ctmux.cli.asciicast import Asciicast
from hypothesis import example, given
from hypothesis import strategies as st

BEGAN = 1000.25
BYTES = st.one_of(st.binary(max_size=12), st.text(max_size=6).map(lambda text: text.encode(errors="replace")))


def recorded(pieces: list[bytes]) -> str:
    cast = Asciicast(BEGAN)
    lines = [cast.header(80, 24), *(cast.output(BEGAN + number, data) for number, data in enumerate(pieces)), cast.end()]
    return "".join(lines)


@given(st.lists(BYTES, max_size=8))
@example([b"\xe2", b"\x82", b"\xac"])
@example([b"\xe2\x82"])
@example([b"\xff\xfe", b"\xed\xa0\x80", "\ufffd\u2028\x85".encode()])
def test_every_byte_can_be_had_back(pieces: list[bytes]) -> None:
    text = recorded(pieces)
    assert b"".join(data for _seconds, data in Recording.parse(text).pieces) == b"".join(pieces)
    for line in text.encode().decode().split("\n")[:-1]:
        json.loads(line)


def test_what_is_utf8_is_plain_and_whole_characters() -> None:
    lines = recorded([b"a\xe2", b"\x82\xacb", b""]).splitlines()
    assert json.loads(lines[0]) == {"version": 2, "width": 80, "height": 24, "timestamp": 1000}
    assert [json.loads(line) for line in lines[1:]] == [[0.0, "o", "a"], [1.0, "o", "€b"]]


def test_what_is_not_utf8_is_shown_and_kept() -> None:
    assert [json.loads(line) for line in recorded([b"\xff!", b"\xe2"]).splitlines()[1:]] == [
        [0.0, "b", "/yE="], [0.0, "o", "\ufffd!"], [0.0, "b", "4g=="], [0.0, "o", "\ufffd"],
    ]  # fmt: skip


def test_time_never_goes_back() -> None:
    cast = Asciicast(BEGAN)
    lines = [cast.output(BEGAN + at, b"x") for at in (-3.0, 2.0, 1.0)]
    assert [json.loads(line)[0] for line in lines] == [0.0, 2.0, 2.0]


def test_a_character_does_not_go_on_behind_what_is_missing() -> None:
    cast = Asciicast(BEGAN)
    lines = cast.output(BEGAN, b"\xe2") + cast.missing(BEGAN, "bytes 1-9") + cast.output(BEGAN, b"\x82\xac")
    assert [json.loads(line)[1:] for line in lines.splitlines()] == [
        ["b", "4g=="], ["o", "\ufffd"], ["m", "bytes 1-9"], ["b", "gqw="], ["o", "\ufffd\ufffd"],
    ]  # fmt: skip
