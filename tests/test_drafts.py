"""What is said of actions, as data: a frame holds it, whatever they are given."""

from ctmux.services.runner import drafts
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.plan import Plan
from ctmux.shared.codec import FRAME_MAX, pack
from ctmux.shared.messages import Event

EVENT = Event(7, "2026-01-01T00:00:00.000000Z", "pattern.matched", "srv", "$0", None, "%1", "s1", {}, {}, "p", 7, "", [])
INTENT = Intent("7.s1.0", 7, "s1", None, 0, {"do": "run", "argv": ["x"]}, 1, 0, EVENT)
LONG = "\U000e0041" * 4096  # ten characters each where it is written out


def test_a_frame_holds_what_is_said():
    words, few = ["x", *[LONG] * 100], ["x", "y"]
    plan = Plan(words, {f"V{n}": LONG for n in range(100)}, "/")
    for draft in (drafts.started(INTENT, 1, words), drafts.rehearsed("log", INTENT, plan, None)):
        assert len(pack(draft)) < FRAME_MAX // 2
        assert draft.data["argv"][0] == "x" and draft.data["argv"][-1] == "… (101 in all)"
    spec = {"do": "shell", "text": "ж" * 61_000}
    shell = INTENT._replace(spec=spec)
    for draft in (drafts.intended("log", shell), drafts.rehearsed("log", shell, None, None)):
        assert len(pack(draft)) < FRAME_MAX // 4
        assert draft.data["what"].startswith("/bin/sh -c") and draft.data["what"].endswith(" characters)")
    assert drafts.started(INTENT, 1, few).data["argv"] == few


def test_what_is_too_much_for_an_event_is_refused_in_a_dry_run_too():
    for line, times, refused in (("x" * 200, 9, False), ("x" * 200, 8000, True), ("\x01" * 200, 300, True)):
        event = EVENT._replace(data={"line": line})
        spec = {"do": "publish", "name": "x", "data": ["{line}"] * times}
        draft = drafts.rehearsed("log", INTENT._replace(spec=spec, event=event), None, None)
        assert len(pack(draft)) < FRAME_MAX // 2
        assert ("value" in draft.data, "too much for an event" in draft.data.get("refused", "")) == (not refused, refused)
