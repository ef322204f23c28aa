"""What a pane that was there before us shows becomes its history."""

import os
from pathlib import Path

import pytest
from ctmux.services.keeper.listing import ListedPane, Listing
from ctmux.services.keeper.pipes import Pipes, history
from ctmux.services.keeper.spools import Spools
from ctmux.services.keeper.topology import Topology


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (b"0 2\none\n\n", b"one\r\n"),
        (b"2 1\none\n$\n", b"one\r\n$"),  # at a prompt
        (b"2 2\n$\nbelow\n", b"$\r\nbelow"),
        (b"0 3\n\n\n\n", b""),
        (b"5 24\n" + b"x" * 80 * 24 + b"\n", b"x" * 80 * 24),  # one line in 24 rows, the cursor in the first of them
        (b"", None),  # tmux has ended while it was asked
        (b" 0\n", None),  # the pane has gone; display-message does not mind
    ],
)
def test_history(answer: bytes, shown: bytes | None) -> None:
    assert history(answer) == shown


@pytest.mark.parametrize("there", [True, False])
def test_a_pipe_whose_spool_is_there_is_our_own(there: bool, tmp_path: Path) -> None:
    """The keeper was frozen between two looks, and has yet to be told of the spool."""
    spools = Spools(str(tmp_path), "x", kept=None, lives=lambda session: True)  # type: ignore[arg-type]
    os.makedirs(f"{spools.directory}/s1")
    topology, pipes = Topology("x"), Pipes(None, spools, None)  # type: ignore[arg-type]
    seen = Listing({"$1": "one"}, {}, {"%1": ListedPane("%1", 100, "@1", ["$1"], False, True, None)})
    topology.update(seen, 1.0, lambda move: 0)
    assert pipes.open_missing(seen, topology, 1.0) == []
    if there:
        Path(f"{spools.directory}/s1/p1.100.w1.k.raw").touch()
    told = [draft.kind for draft in pipes.open_missing(seen, topology, 9.0)]
    assert told == ([] if there else ["pane.unobserved", "gap"])
