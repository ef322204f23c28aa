"""Data in arguments and variables: it stays data, whatever it is."""

from typing import Any

from ctmux.services.runner import values
from ctmux.shared.messages import Event
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = ["'", '"', "$(touch x)", "`touch x`", "a\nb", "a\0b", "\x1b[2J\x1b]0;x\x07", "-rf", "--", "%s%n", "{line}", "{1}",
           "{{line}}", "\ud800", "\x9b31m", ";", "&& x", "#{pane_id}", "#(x)", "*", "~", "\\", "\t", ""]  # fmt: skip


def event(**data: Any) -> Event:
    return Event(
        7, "2026-01-01T00:00:00.000000Z", "pattern.matched", "srv", "$0", None, "%1", "s1", data, {}, "p", 7, "", []
    )


def of(**data: Any) -> values.Values:
    return values.of(event(**data), "name", "7.s1.0", 1)


def test_a_text_fills_one_element_and_is_not_looked_at_again():
    for text in HOSTILE:
        filled = of(line=text, captures=[text]).fill("<{line}|{1}|{event_id}|{{line}}>")
        shown = text.replace("\0", "\N{SYMBOL FOR NULL}").replace("\ud800", "?")
        assert filled == f"<{shown}|{shown}|7|{{line}}>"


@given(st.text())
def test_what_is_filled_in_can_be_an_argument(text):
    filled = of(line=text).fill("{line}")
    assert "\0" not in filled
    assert filled.encode() is not None
    assert all("\0" not in value for value in of(line=text, match=text).environment().values())


def test_other_braces_stay():
    assert of(line="x").fill('{"a": {"b": 1}} ${HOME} {} { line } {{json}}') == '{"a": {"b": 1}} ${HOME} {} { line } {json}'


def test_each_kind_fills_what_its_event_has():
    names = ("line", "match", "exit_status", "signal", "1", "v", "window", "kind")
    line = {"line": "a", "match": "m", "captures": ["c"], "named": {"v": "n"}}
    for data, filled in (
        (line, ["a", "m", "", "", "c", "n"]),
        ({"seconds": 5.0, "steps": [{**line, "line": "first"}, line]}, ["a", "m", "", "", "c", "n"]),
        ({"seconds": 5.0, "last": "a"}, ["", "", "", "", "", ""]),
        ({"exit_status": 3, "signal": None}, ["", "", "3", "", "", ""]),
        ({"exit_status": None, "signal": 15}, ["", "", "", "15", "", ""]),
        ({"text": "make", "exit_code": 2}, ["make", "", "2", "", "", ""]),
        ({"member": "s2", "event": line}, ["a", "m", "", "", "c", "n"]),
        ({"member": "s2", "event": {"exit_status": 3, "signal": None}}, ["", "", "3", "", "", ""]),
        (
            {"member": "s2", "event": {"member": "s3", "event": {"text": "make", "exit_code": 2}}},
            ["make", "", "2", "", "", ""],
        ),
        ({"members": {"s2": line}}, ["", "", "", "", "", ""]),
    ):
        assert [of(**data).fill(f"{{{name}}}") for name in names] == [*filled, "", "pattern.matched"], data


def test_the_environment_has_it_all_and_says_what_is_cut():
    env = of(line="l", match="m", captures=["a", None], named={"value": "a"}).environment()
    assert env["CTMUX_EVENT_ID"] == "7" and env["CTMUX_PANE"] == "%1" and env["CTMUX_LINE"] == "l"
    assert (env["CTMUX_GROUP_1"], env["CTMUX_GROUP_2"], env["CTMUX_GROUP_value"]) == ("a", "", "a")
    assert "CTMUX_TRUNCATED" not in env
    cut = of(line="ü" * 100_000, captures=["x" * 40_000] * 20).environment()
    assert cut["CTMUX_TRUNCATED"] == "1"
    assert cut["CTMUX_LINE"] == "ü" * (values.VALUE_MOST // 2)
    assert sum(map(len, cut.values())) < 300_000


def test_what_the_event_itself_has_cut_is_said():
    assert of(line="x", truncated=True).environment()["CTMUX_TRUNCATED"] == "1"
    assert of(steps=[{"line": "a"}, {"line": "b", "truncated": True}]).truncated
    assert not of(steps=[{"line": "a", "truncated": True}, {"line": "b", "truncated": False}]).truncated


def test_the_line_of_a_sequence_and_of_any_is_that_of_the_last_one():
    assert of(steps=[{"line": "a"}, {"line": "b", "captures": ["c"]}]).fill("{line}{1}") == "bc"
    assert of(member="s2", event={"steps": [{"line": "d"}]}).fill("{line}") == "d"
    assert of(text="make", exit_code=2).fill("{line} {exit_status}") == "make 2"


def test_nothing_in_what_is_typed_or_shown_acts():
    for text in HOSTILE:
        assert values.visible(text).isprintable() or "\ud800" in text
    assert values.visible("a\nb\x1b[2J\x7f\x9b") == "a␊b␛[2J␡\N{REPLACEMENT CHARACTER}"
    assert values.escaped("a\n\x1b[2J\x9b\u202e") == "a\n\\x1b[2J\\x9b\\u202e"
