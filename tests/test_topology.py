"""Whole histories of one tmux server as data: what is seen, and which events that is."""

import json

import pytest
from ctmux.services.keeper.listing import ListedPane, Listing
from ctmux.services.keeper.pane import CLOSED as CLOSED_BY
from ctmux.services.keeper.pane import GRACE, STOPPED, Departed, Move
from ctmux.services.keeper.topology import Topology
from ctmux.shared.spool import parse_stream

LATER = GRACE + 1


class Story:
    """A topology, and what is told of it; `restored`: it is saved and loaded again before each step."""

    def __init__(self, restored: bool):
        self._restored = restored
        self.topology = Topology("x")
        self.listing = Listing({}, {}, {})
        self.drafts = []
        self.moves = []
        self.now = 100.0

    def tell(self, *steps):
        for step, *arguments in steps:
            if self._restored:
                self.topology = Topology.restore(json.loads(json.dumps(self.topology.dump())))
            getattr(self, step)(*arguments)
        return self

    # What can happen, one method each.

    def born(self, stream, session="$1"):
        self.drafts += self.topology.born(parse_stream(stream), session, self.now)

    def seen(self, *panes, sessions=None, windows=None):
        """Panes as `%1 in $1 @1 pid 100`, perhaps with `dead` or `dead 3` (its exit status) at the end."""
        listed = {}
        for text in panes:
            pane, _in, session, window, _pid, pid, *dead = text.split()
            status = {"exit_status": int(dead[1]), "signal": None} if len(dead) > 1 else None
            listed[pane] = ListedPane(pane, int(pid), window, session.split(","), bool(dead), True, status)
        names = {session: f"name of {session}" for pane in listed.values() for session in pane.sessions}
        self.listing = Listing({**names, **(sessions or {})}, windows or {}, listed)
        self.drafts += self.topology.update(self.listing, self.now, lambda move: 7)
        self.moves += self.topology.moves
        self.topology.moves.clear()
        self.finish()

    def named(self, sessions, windows, *panes):
        self.seen(*panes, sessions=sessions, windows=windows)

    def closed(self, stream):
        self.topology.stream_closed(stream)
        self.finish()

    def ended(self, pid, exit_status=None, signal=None):
        self.topology.program_ended(pid, {"exit_status": exit_status, "signal": signal})
        self.finish()

    def later(self):
        self.now += LATER
        self.finish()

    def unobserved(self, pane, reason):
        self.drafts += self.topology.unobserve(pane, reason, self.now)

    def finish_stream(self, stream):
        self.topology.finish(stream)

    def finish(self):
        """As the keeper does: the matcher has finished the output, then the exits and closed sessions are reported."""
        for pane in self.topology.leaving(self.now):
            known = self.topology.panes[pane]
            if known.stream and known.dead_since is None:
                self.topology.finish(known.stream)
            self.drafts += self.topology.exited(
                pane, self.now, 42 if known.stream else None, kept=known.dead_since is not None
            )
        self.drafts += self.topology.forget(self.listing, self.now)


def told(draft):
    """A draft as a line: kind, whom, and what matters of the data."""
    shown = [draft.kind, draft.pane or draft.session]
    if draft.kind == "pane.exited":
        shown += [f"status={draft.data['exit_status']}", f"signal={draft.data['signal']}"]
    if draft.kind == "pane.moved":
        shown += [f"{draft.data['origin']['session']}{draft.data['origin']['window']}->{draft.session}{draft.window}"]
    if draft.kind in ("session.created", "session.renamed", "window.renamed"):
        shown += [draft.data["name"]]
    return " ".join(map(str, shown))


PIPED = ("born", "p1.100.w1.k")
SEEN = ("seen", "%1 in $1 @1 pid 100")
OPENED = ["session.created $1 None", "pane.opened %1", "pane.observed %1", "session.renamed $1 name of $1"]
LISTED = ["session.created $1 name of $1", "pane.opened %1"]
SEEN_DEAD = ("seen", "%1 in $1 @1 pid 100 dead")
CLOSED = ("closed", "p1.100.w1.k")
GONE = ("seen",)

HISTORIES = {
    "born by its spool": ([PIPED, SEEN, SEEN], OPENED),
    "born by a listing": ([SEEN, SEEN], LISTED),
    "born by a listing, then piped": ([SEEN, PIPED, SEEN], [*LISTED, "pane.observed %1"]),
    "its spool seen twice": ([PIPED, PIPED, SEEN], OPENED),
    "exits with a status": (
        [PIPED, SEEN, ("ended", 100, 7), CLOSED, GONE],
        [*OPENED, "pane.exited %1 status=7 signal=None", "session.closed $1"],
    ),
    "dies of a signal": (
        [PIPED, SEEN, ("ended", 100, None, 9), CLOSED, GONE],
        [*OPENED, "pane.exited %1 status=None signal=9", "session.closed $1"],
    ),
    "gone before its stream is closed": (
        [PIPED, SEEN, ("ended", 100, 0), GONE, CLOSED],
        [*OPENED, "pane.exited %1 status=0 signal=None", "session.closed $1"],
    ),
    "gone before its status is known": (
        [PIPED, SEEN, GONE, CLOSED, ("ended", 100, 3)],
        [*OPENED, "pane.exited %1 status=3 signal=None", "session.closed $1"],
    ),
    "gone while its last output is still being written": ([PIPED, SEEN, ("ended", 100, 0), GONE, ("later",)], OPENED),
    "a status that nobody has is unknown, not 0": (
        [PIPED, SEEN, CLOSED, GONE, ("later",)],
        [*OPENED, "pane.exited %1 status=None signal=None", "session.closed $1"],
    ),
    "an unknown status has its grace": ([PIPED, SEEN, CLOSED, GONE], OPENED),
    "never observed, gone": (
        [SEEN, ("ended", 100, 1), GONE, ("later",)],
        [*LISTED, "pane.exited %1 status=1 signal=None", "session.closed $1"],
    ),
    "lived too short for any listing": (
        [PIPED, ("ended", 100, 0), CLOSED, GONE],
        [
            "session.created $1 None", "pane.opened %1", "pane.observed %1", "pane.exited %1 status=0 signal=None",
            "session.closed $1",
        ],
    ),
    "a session is closed after its panes": (
        [
            ("seen", "%1 in $1 @1 pid 100", "%2 in $1 @1 pid 200"), PIPED, ("born", "p2.200.w1.k"),
            ("ended", 100, 0), ("ended", 200, 0), GONE, ("closed", "p2.200.w1.k"), CLOSED,
        ],
        [
            "session.created $1 name of $1", "pane.opened %1", "pane.opened %2", "pane.observed %1", "pane.observed %2",
            "pane.exited %2 status=0 signal=None", "pane.exited %1 status=0 signal=None", "session.closed $1",
        ],
    ),
    "one of two panes exits": (
        [
            ("seen", "%1 in $1 @1 pid 100", "%2 in $1 @1 pid 200"), PIPED, ("ended", 100, 0), CLOSED,
            ("seen", "%2 in $1 @1 pid 200"),
        ],
        [
            "session.created $1 name of $1", "pane.opened %1", "pane.opened %2", "pane.observed %1",
            "pane.exited %1 status=0 signal=None",
        ],
    ),
    "moves to another window": (
        [PIPED, SEEN, ("seen", "%1 in $1 @2 pid 100")],
        [*OPENED, "pane.moved %1 $1@1->$1@2"],
    ),
    "moves to another session, which takes the old one with it": (
        [PIPED, SEEN, ("seen", "%1 in $2 @1 pid 100")],
        [*OPENED, "session.created $2 name of $2", "pane.moved %1 $1@1->$2@1", "session.closed $1"],
    ),
    "linked to a second session it stays": ([PIPED, SEEN, ("seen", "%1 in $1,$2 @1 pid 100")],
        [*OPENED, "session.created $2 name of $2"]),
    "unlinked from its session it moves": (
        [PIPED, SEEN, ("seen", "%1 in $1,$2 @1 pid 100"), ("seen", "%1 in $2 @1 pid 100")],
        [*OPENED, "session.created $2 name of $2", "pane.moved %1 $1@1->$2@1", "session.closed $1"],
    ),
    "exits where it moved to": (
        [PIPED, SEEN, ("seen", "%1 in $2 @1 pid 100"), ("ended", 100, 0), CLOSED, GONE],
        [
            *OPENED, "session.created $2 name of $2", "pane.moved %1 $1@1->$2@1", "session.closed $1",
            "pane.exited %1 status=0 signal=None", "session.closed $2",
        ],
    ),
    "respawned while it ran": (
        [PIPED, SEEN, ("ended", 100, None, 9), ("seen", "%1 in $1 @1 pid 101")], [*OPENED, "pane.respawned %1"]
    ),
    "respawned before it was first seen": (
        [("seen", "%1 in $1 @1 pid 101"), PIPED, ("ended", 101, 4), CLOSED, GONE],
        [*LISTED, "pane.respawned %1", "pane.observed %1", "pane.exited %1 status=4 signal=None", "session.closed $1"],
    ),
    "respawned before its spool was seen, which is told once": (
        [SEEN, ("seen", "%1 in $1 @1 pid 101"), PIPED], [*LISTED, "pane.respawned %1", "pane.observed %1"]
    ),
    "respawned twice before its spool was seen": (
        [("seen", "%1 in $1 @1 pid 101"), ("seen", "%1 in $1 @1 pid 102"), PIPED],
        [*LISTED, "pane.respawned %1", "pane.observed %1"],
    ),
    "respawned, then it exits with its own status": (
        [
            PIPED, SEEN, ("ended", 100, 1), ("seen", "%1 in $1 @1 pid 101"), ("ended", 100, 5), ("ended", 101, 2), CLOSED,
            GONE,
        ],
        [*OPENED, "pane.respawned %1", "pane.exited %1 status=2 signal=None", "session.closed $1"],
    ),
    "dead but kept (remain-on-exit)": (
        [PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD],
        [*OPENED, "pane.exited %1 status=3 signal=None"],
    ),
    "dead before its status is known": (
        [PIPED, SEEN, SEEN_DEAD, ("ended", 100, 3)],
        [*OPENED, "pane.exited %1 status=3 signal=None"],
    ),
    "dead with the status that only tmux has": (
        [PIPED, SEEN, ("seen", "%1 in $1 @1 pid 100 dead 3"), SEEN_DEAD],
        [*OPENED, "pane.exited %1 status=3 signal=None"],
    ),
    "dead with a status that tmux tells otherwise: ours was first": (
        [PIPED, SEEN, ("ended", 100, None, 9), ("seen", "%1 in $1 @1 pid 100 dead 3"), SEEN_DEAD],
        [*OPENED, "pane.exited %1 status=None signal=9"],
    ),
    "dead with a status that nobody has": (
        [PIPED, SEEN, SEEN_DEAD, ("later",), SEEN_DEAD],
        [*OPENED, "pane.exited %1 status=None signal=None"],
    ),
    "dead when it is first seen": (
        [SEEN_DEAD, ("later",), SEEN_DEAD],
        [*LISTED, "pane.exited %1 status=None signal=None"],
    ),
    "dead, then killed: it exits once": (
        [PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD, CLOSED, GONE, ("later",)],
        [*OPENED, "pane.exited %1 status=3 signal=None", "session.closed $1"],
    ),
    "dead, then respawned, then it exits again": (
        [
            PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD, ("seen", "%1 in $1 @1 pid 101"),
            ("ended", 101, 4), ("seen", "%1 in $1 @1 pid 101 dead"),
        ],
        [
            *OPENED, "pane.exited %1 status=3 signal=None", "pane.respawned %1", "pane.exited %1 status=4 signal=None",
        ],
    ),
    "renamed": (
        [
            ("named", {"$1": "a"}, {"@1": "zsh"}, "%1 in $1 @1 pid 100"),
            ("named", {"$1": "b"}, {"@1": "zsh"}, "%1 in $1 @1 pid 100"),
            ("named", {"$1": "b"}, {"@1": "vim"}, "%1 in $1 @1 pid 100"),
            ("named", {"$1": "b"}, {"@1": "vim"}, "%1 in $1 @1 pid 100"),
        ],
        ["session.created $1 a", "pane.opened %1", "session.renamed $1 b", "window.renamed $1 vim"],
    ),
    "its pipe is taken, once": (
        [PIPED, SEEN, ("unobserved", "%1", "taken"), ("unobserved", "%1", "taken"), ("born", "p1.100.w1.m")],
        [*OPENED, "pane.unobserved %1", "gap %1", "pane.observed %1"],
    ),
    "not seen once, then again: what is there has not exited": (
        [PIPED, SEEN, GONE, SEEN, ("ended", 100, 0), CLOSED, ("later",)], OPENED
    ),
    "another program's end is not its own": ([PIPED, SEEN, ("ended", 999, 5), CLOSED, GONE], OPENED),
    "not seen once, then again": (
        [PIPED, SEEN, GONE, SEEN, ("later",), ("ended", 100, 0), CLOSED, GONE],
        [*OPENED, "pane.exited %1 status=0 signal=None", "session.closed $1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("restored", [False, True], ids=["one keeper", "killed at every step"])
def test_history(history, restored):
    steps, events = HISTORIES[history]
    story = Story(restored).tell(*steps)
    assert [told(draft) for draft in story.drafts] == events
    assert [draft.position for draft in story.drafts] == list(range(1, len(events) + 1))
    assert {(draft.producer, draft.server) for draft in story.drafts} <= {("keeper/x", "x")}


@pytest.mark.parametrize("history", HISTORIES)
def test_a_keeper_that_is_killed_reports_the_same(history):
    steps, _events = HISTORIES[history]
    assert Story(True).tell(*steps).drafts == Story(False).tell(*steps).drafts


def test_what_an_exit_says():
    drafts = Story(False).tell(PIPED, SEEN, ("ended", 100, 7), CLOSED, GONE).drafts
    exited = next(draft for draft in drafts if draft.kind == "pane.exited")
    assert (exited.session, exited.window, exited.pane) == ("$1", "@1", "%1")
    assert exited.data == {"exit_status": 7, "signal": None, "pid": 100, "stream": "p1.100.w1.k", "end": 42}
    assert exited.ends == ["match/x/p1.100.w1.k", "commands/x/p1.100.w1.k"]


def test_what_a_respawn_says():
    drafts = Story(False).tell(PIPED, SEEN, ("ended", 100, 1), ("seen", "%1 in $1 @1 pid 101")).drafts
    assert drafts[-1].data == {"pid": 101, "previous": {"pid": 100, "exit_status": 1, "signal": None}}


def test_what_a_respawn_says_that_was_not_seen():
    drafts = Story(False).tell(("seen", "%1 in $1 @1 pid 101"), ("ended", 101, 4), PIPED).drafts
    assert drafts[-2].data == {"pid": 101, "previous": {"pid": 100, "exit_status": None, "signal": None}}


def test_the_output_of_a_kept_pane_is_not_over():
    drafts = Story(False).tell(PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD).drafts
    assert drafts[-1].kind == "pane.exited" and drafts[-1].ends == []


def test_the_next_event_ends_who_wrote_of_streams_that_are_over():
    """Of panes that were kept (remain-on-exit), that were observed anew, whose exit was told before its matches."""
    story = Story(True).tell(PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD, ("finish_stream", "p1.100.w1.k"), GONE)
    closed = story.drafts[-1]
    assert (closed.kind, closed.ends) == (
        "session.closed", ["service/watcher-x-1", "match/x/p1.100.w1.k", "commands/x/p1.100.w1.k"],
    )  # fmt: skip
    story.tell(("born", "p2.200.w2.m", "$2"))
    assert [draft.ends for draft in story.drafts[-3:]] == [[], [], []]  # once


def test_an_event_ends_not_so_many_that_it_becomes_large():
    topology = Topology("x")
    for number in range(150):
        topology.finish(f"p{number}.1.w1.k")
        topology.finish(f"p{number}.1.w1.k")
    assert [len(topology.draft("pane.moved", 1.0).ends) for _ in range(3)] == [200, 100, 0]


def test_a_respawned_pane_with_a_new_stream_departs_from_the_old_one():
    story = Story(False).tell(PIPED, SEEN, CLOSED, ("ended", 100, 3), SEEN_DEAD, ("born", "p1.101.w1.n"))
    assert [draft.kind for draft in story.drafts[-3:]] == ["pane.exited", "pane.respawned", "pane.observed"]
    assert story.topology.departed == [Departed("%1", "$1", "p1.100.w1.k", exited=False)]
    assert Topology.restore(json.loads(json.dumps(story.topology.dump()))) == story.topology
    story.tell(("seen", "%1 in $1 @1 pid 101"))
    assert [draft.kind for draft in story.drafts[-2:]] == ["pane.respawned", "pane.observed"]  # told once


def test_what_is_missing_when_a_pane_is_unobserved():
    topology = Story(False).tell(PIPED, SEEN, CLOSED).topology
    unobserved, gap = topology.unobserve("%1", CLOSED_BY, 5.0, end=30)
    assert (unobserved.kind, gap.kind, gap.pane) == ("pane.unobserved", "gap", "%1")
    assert gap.data == {"what": "output", "stream": "p1.100.w1.k", "start": 30, "end": None, "reason": CLOSED_BY}
    assert [draft.kind for draft in topology.unobserve("%1", STOPPED, 6.0)] == ["pane.unobserved"]  # we are told to


@pytest.mark.parametrize(
    ("status", "lost", "kinds"),
    [
        ({"exit_status": 0, "signal": None}, True, ["pane.exited"]),
        ({"exit_status": None, "signal": 1}, True, ["gap", "pane.exited"]),
        ({"exit_status": None, "signal": 1}, False, ["pane.exited"]),
        (None, True, ["gap", "pane.exited"]),
        (None, False, ["pane.exited"]),
    ],
)
def test_what_is_missing_when_the_tmux_server_ends(status, lost, kinds):
    topology = Story(False).tell(PIPED, SEEN).topology
    topology.panes["%1"].status = status
    drafts = topology.exited("%1", 5.0, 42, lost=lost)
    assert [draft.kind for draft in drafts] == kinds
    if len(kinds) == 2:
        assert (drafts[0].data["stream"], drafts[0].data["start"], drafts[0].data["end"]) == ("p1.100.w1.k", 42, None)


def test_a_pane_that_was_kept_departs_when_it_is_gone():
    story = Story(False).tell(PIPED, SEEN, ("ended", 100, 3), SEEN_DEAD, GONE)
    assert story.topology.departed == [Departed("%1", "$1", "p1.100.w1.k", exited=True)]


def test_a_spool_follows_its_pane():
    story = Story(False).tell(PIPED, SEEN, ("seen", "%1 in $1 @2 pid 100"))
    assert story.moves == []
    story.tell(("seen", "%1 in $2 @2 pid 100"))
    assert story.moves == [Move("p1.100.w1.k", "$1", "$2")]
    within, away = (draft.data for draft in story.drafts if draft.kind == "pane.moved")
    assert within == {"origin": {"session": "$1", "window": "@1"}, "stream": None, "offset": None}
    assert away == {"origin": {"session": "$1", "window": "@2"}, "stream": "p1.100.w1.k", "offset": 7}


def test_a_spool_that_appears_after_its_pane_has_moved_follows():
    story = Story(False).tell(SEEN, ("seen", "%1 in $2 @1 pid 100"), PIPED, ("seen", "%1 in $2 @1 pid 100"))
    assert story.moves == [Move("p1.100.w1.k", "$1", "$2")]


def test_a_pane_without_a_spool_moves_without_one():
    assert Story(False).tell(SEEN, ("seen", "%1 in $2 @1 pid 100")).moves == []


def test_a_move_that_was_not_made_yet_is_kept_over_a_restart():
    topology = Topology("x")
    topology.moves.append(Move("p1.100.w1.k", "$1", "$2"))
    assert Topology.restore(json.loads(json.dumps(topology.dump()))) == topology


@pytest.mark.parametrize(
    ("steps", "waiting"),
    [
        ([PIPED, SEEN], False),
        ([PIPED, SEEN, GONE], True),
        ([PIPED, SEEN, GONE, CLOSED, ("ended", 100, 0)], False),
        ([PIPED, SEEN, SEEN_DEAD], True),
    ],
)
def test_waiting_means_look_again(steps, waiting):
    assert Story(False).tell(*steps).topology.waiting() == waiting


def test_a_spool_that_comes_after_the_exit_opens_no_pane():
    topology = Topology("x")
    stream = parse_stream("p1.100.w1.k")
    topology.born(stream, "$1", 1.0)
    topology.stream_closed(stream.name)
    topology.exited("%1", 2.0, 0)
    topology.forget(Listing({}, {}, {}), 3.0)
    topology = Topology.restore(topology.dump())
    assert topology.born(parse_stream("p1.100.w1.late"), "$1", 4.0) == []
