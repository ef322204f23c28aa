"""Answers that would not fit a frame: subscriptions and panes come in pages, and of many streams the first are told."""

from ctmux.client import requests
from ctmux.services.keeper.pane import Pane
from ctmux.services.keeper.topology import Topology
from ctmux.services.keeper.watched import watched
from ctmux.services.matcher.explain import explain
from ctmux.services.matcher.options import Options
from ctmux.services.matcher.rule import Rule
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription
from ctmux.shared.codec import FRAME_MAX, decode_reply, encode_reply
from ctmux.shared.messages import Panes, Subscriptions
from ctmux.shared.page import page
from ctmux.shared.tmux import ServerInfo

SERVERS = sorted((ServerInfo(f"/tmp/tmux-1000/{name}", 1, 1, "3.5a") for name in "ab"), key=lambda info: info.key)
KEYS = [info.key for info in SERVERS]


def made(number: int, pattern: str = "error: (.*)", kind: str = "pattern", **options) -> Subscription:
    return Subscription(f"s{number}", number, kind, [pattern], None, None, None, "", 0.0, Options(**options))


def ask(script, answer):
    """Each answer, and in the end what the client makes of them."""
    answers = []
    try:
        asked = next(script)
        while True:
            frame = encode_reply(answer(asked.request))
            assert len(frame) < FRAME_MAX / 2
            answers.append(decode_reply(frame))
            asked = script.send(answers[-1])
    except StopIteration as end:
        return answers, end.value


def pages(known: list[Subscription]) -> list[list[str]]:
    """The ids that a client gets with each answer."""

    def answer(request: Subscriptions):
        shown, following = page(((one.number, one) for one in known), request.after, Subscription.public)
        return {"subscriptions": shown, "next": following}

    answers, listed = ask(requests.subscriptions(), answer)
    found = [[one["id"] for one in answer["subscriptions"]] for answer in answers]
    assert [one["id"] for one in listed] == [id for ids in found for id in ids]
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


class Watched:
    """Two tmux servers with 3,000 panes each, a session for each ten."""

    def __init__(self):
        self.servers = [(info, Topology(info.key)) for info in SERVERS]
        for _info, topology in self.servers:
            topology.sessions = {f"${n}": f"session {n}" for n in range(300)}
            topology.windows = {f"@{n}": "a window" * 4 for n in range(3000)}
            topology.panes = {f"%{n}": self.pane(n) for n in reversed(range(3000))}

    def pane(self, n):
        return Pane(n, f"${n // 10}", f"@{n}", f"p{n}.{n}.w{n}.k")

    def answer(self, request: Panes):
        return watched(self.servers, request.after)


def test_thousands_of_panes_are_told_in_pages_each_once():
    answers, (panes, sessions) = ask(requests.watched(), Watched().answer)
    assert [(one["server"], one["pane"]) for one in panes] == [(key, f"%{n}") for key in KEYS for n in range(3000)]
    assert [(one["server"], one["session"]) for one in sessions] == [(key, f"${n}") for key in KEYS for n in range(300)]
    assert panes[42] == {
        "server": KEYS[0], "socket": SERVERS[0].socket, "session": "$4", "session_name": "session 4", "window": "@42",
        "window_name": "a window" * 4, "pane": "%42", "pid": 42, "stream": "p42.42.w42.k", "unobserved": None,
        "exited": False,
    }  # fmt: skip
    assert sessions[0] == {"server": KEYS[0], "session": "$0", "name": "session 0"}
    assert len(answers) < 30


def test_what_comes_and_goes_between_two_pages_moves_no_other_pane():
    known = Watched()
    born = 3000

    def answer(request):
        nonlocal born
        told = known.answer(request)
        for _info, topology in known.servers:
            if told["panes"]:
                topology.panes.pop(told["panes"][-1]["pane"], None)  # the one after which the next page begins
            topology.panes[f"%{born}"] = known.pane(born)
        born += 1
        return told

    _answers, (panes, _sessions) = ask(requests.watched(), answer)
    told = [(one["server"], int(one["pane"][1:])) for one in panes]
    assert told == sorted(set(told))
    ended = {n for n in range(3000) if (KEYS[1], n) not in told}
    assert 0 < len(ended) < 30 and {n for key, n in told if key == KEYS[0]} >= set(range(3000))


def test_no_pane_is_one_empty_page():
    assert watched([], "") == watched([], "nonsense") == {"panes": [], "sessions": [], "next": None}


def test_what_is_explained_fits_a_frame():
    wanted = made(1, kind="threshold", seconds=10.0, times=10_000)
    streams = [StreamState("x", "$1", f"%{n}", f"p{n}", 0) for n in range(5000)]
    rule = Rule(wanted, {"kind": {"panes": {f"x/%{n}": [1.0] * 100 for n in range(1000)}}})
    told = explain(wanted, rule, streams, 1.0)
    assert len(encode_reply(told)) < FRAME_MAX
    assert told["state"] is None
    assert told["why"][-1] == f"it looks in {5000 - len(told['streams'])} more panes that nothing is said of here"
    assert explain(wanted, Rule(wanted), streams[:1], 1.0)["state"] == {"panes": {}}
