"""Answers that would not fit a frame: subscriptions come in pages, and of many streams the first are told."""

from ctmux.client import requests
from ctmux.services.matcher.explain import explain
from ctmux.services.matcher.options import Options
from ctmux.services.matcher.page import page
from ctmux.services.matcher.rule import Rule
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared.codec import FRAME_MAX, decode_reply, encode_reply
from ctmux.shared.messages import Subscriptions


def made(number: int, pattern: str = "error: (.*)", kind: str = "pattern", **options) -> Subscription:
    return Subscription(f"s{number}", number, kind, [pattern], None, None, None, "", 0.0, Options(**options))


def pages(known: list[Subscription]) -> list[list[str]]:
    """The ids that a client gets with each answer."""
    script, found = requests.subscriptions(), []
    try:
        asked = next(script)
        while True:
            assert isinstance(asked.request, Subscriptions)
            frame = encode_reply(page(known, asked.request.after))
            assert len(frame) < FRAME_MAX / 2
            answer = decode_reply(frame)
            found.append([one["id"] for one in answer["subscriptions"]])
            asked = script.send(answer)
    except StopIteration as end:
        assert [one["id"] for one in end.value] == [id for ids in found for id in ids]
    return found


def test_thousands_are_told_in_pages_each_once_and_by_age():
    known = [made(number) for number in range(1, 5001)]
    found = pages([*known[2500:], *known[:2500]])  # as a file that was begun anew may have them
    assert [id for ids in found for id in ids] == [one.id for one in known]
    assert len(found) < 30


def test_of_large_ones_each_has_a_page():
    assert pages([made(number, "x" * 125_000) for number in (3, 5, 9)]) == [["s3"], ["s5"], ["s9"]]


def test_none_is_one_empty_page():
    assert pages([]) == [[]]


def test_what_is_explained_fits_a_frame():
    wanted = made(1, kind="threshold", seconds=10.0, times=10_000)
    streams = [StreamState("x", "$1", f"%{n}", f"p{n}", 0) for n in range(5000)]
    rule = Rule(wanted, {"kind": {"panes": {f"x/%{n}": [1.0] * 100 for n in range(1000)}}})
    told = explain(wanted, rule, streams, 1.0)
    assert len(encode_reply(told)) < FRAME_MAX
    assert told["state"] is None
    assert told["why"][-1] == f"it looks in {5000 - len(told['streams'])} more panes that nothing is said of here"
    assert explain(wanted, Rule(wanted), streams[:1], 1.0)["state"] == {"panes": {}}
