"""What spools tell by themselves, and what they do not."""

from types import SimpleNamespace

import pytest
from ctmux.services.keeper.facts import Facts
from ctmux.services.keeper.pane import HANGS, Pane
from ctmux.services.keeper.processes import Born, Ended
from ctmux.services.keeper.spools import Spools
from ctmux.services.keeper.topology import Topology
from ctmux.shared.spool import parse_stream

STREAM = "p1.17.w0.k"


@pytest.fixture
def gone(tmp_path):
    """A pane that is gone since 100, whose stream has not ended as far as anybody was told."""
    pane = Pane(17, "$0", "@0", stream=STREAM, gone_since=100.0)
    reporter = SimpleNamespace(topology=Topology("aa", panes={"%1": pane}))
    spools = Spools(str(tmp_path), "aa", None, lambda session: True)
    folder = tmp_path / "aa" / "s0"
    folder.mkdir()
    facts = Facts(spools, None, reporter, None, None)
    return SimpleNamespace(pane=pane, path=folder / f"{STREAM}.raw", unheard=facts.unheard, topology=reporter.topology)


def test_a_stream_without_a_writer_has_ended_though_its_end_was_told_too_early(gone):
    with gone.path.open("wb"):
        assert gone.unheard(129.9) == []
        assert not gone.pane.closed
    gone.unheard(100.5)
    assert not gone.pane.closed  # it is mostly told a moment later
    assert gone.unheard(101.0) == []
    assert gone.pane.closed


def test_a_writer_that_does_not_end_hides_no_exit(gone):
    """A `cat` that is stopped, say. It is told from where on output is missing."""
    with gone.path.open("wb", buffering=0) as writer:
        writer.write(b"begun")
        unobserved, gap = gone.unheard(130.0)
        assert gone.pane.closed and gone.topology.leaving(130.0) == ["%1"] and gone.unheard(131.0) == []
    assert (unobserved.kind, unobserved.data["reason"], gap.kind) == ("pane.unobserved", HANGS, "gap")
    assert (gap.data["stream"], gap.data["start"], gap.data["end"]) == (STREAM, 5, None)


def test_the_end_of_a_stream_is_waited_for_no_longer_where_the_clock_is_set_back(gone):
    assert gone.unheard(50.0) == [] and gone.topology.leaving(50.0) == []
    gone.unheard(50.9)
    assert not gone.pane.closed
    gone.unheard(51.0)
    assert gone.pane.closed


@pytest.mark.parametrize("now", [100.0, 50.0])
def test_a_birth_is_waited_for_no_longer_where_the_clock_is_set_back(now):
    facts = Facts(
        None, SimpleNamespace(busy=lambda gone: True), SimpleNamespace(topology=None), SimpleNamespace(gone=False), None
    )
    assert facts.birth_is_near({"$0"}, 100.0) and facts.birth_is_near({"$0"}, now)
    assert facts.birth_is_near({"$0"}, now + 29.0)
    assert not facts.birth_is_near({"$0"}, now + 30.0)


def test_a_stream_whose_spool_was_removed_has_ended(gone):
    gone.unheard(101.0)
    assert gone.pane.closed


def test_a_pane_that_is_there_is_left_alone(gone):
    gone.pane.gone_since = None
    gone.unheard(200.0)
    assert not gone.pane.closed


def test_a_birth_is_never_noted_without_its_events(tmp_path):
    """The state on the disk is what was reported: a keeper that is killed at any moment leaves both or neither. A pane that
    was born and ended at once had an exit and no birth."""
    topology, noted = Topology("aa", sessions={"$0": "main"}), []

    def note(drafts):
        noted.append((topology.position, [draft.kind for draft in drafts]))

    reporter = SimpleNamespace(topology=topology, report=note)
    spools = Spools(str(tmp_path), "aa", None, lambda session: True)
    folder = tmp_path / "aa" / "s0"
    folder.mkdir()
    (folder / f"{STREAM}.raw").touch()
    lookout = SimpleNamespace(stopped=False, look_soon=lambda seconds: None)
    nudge = SimpleNamespace(ended=lambda pid: None)
    ended = Ended(17, {"exit_status": 0, "signal": None})
    Facts(spools, None, reporter, lookout, nudge).take([Born("aa", "$0", parse_stream(STREAM)), ended])
    assert noted == [(2, ["pane.opened", "pane.observed"])]
    assert topology.panes["%1"].status == ended.status
