"""What a pane that was there before us shows becomes its history."""

import pytest
from ctmux.services.keeper.pipes import history


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
