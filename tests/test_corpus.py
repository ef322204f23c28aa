"""Recorded sessions of real programs through the matcher: what was printed fires, what was typed or drawn does not.

`tests/corpus/record.py` makes the recordings; NAME.json has, for each pattern, the lines that must fire, in order.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpus.recording import Recording
from ctmux.services.matcher.engine import Engine
from ctmux.services.matcher.governor import Governor
from ctmux.services.matcher.index import Index
from ctmux.services.matcher.lines import Block
from ctmux.services.matcher.stream import StreamState
from ctmux.services.matcher.subscription import Subscription

RECORDINGS = Path(__file__).parent / "data" / "recordings"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.cast"))
QUIET = 0.15  # seconds after which an unfinished line is looked at
Pieces = list[tuple[float, bytes]]


def as_recorded(pieces: Pieces) -> Pieces:
    return pieces


def byte_by_byte(pieces: Pieces) -> Pieces:
    return [(at, data[place : place + 1]) for at, data in pieces for place in range(len(data))]


def joined(pieces: Pieces) -> Pieces:
    """All that came without a pause as one, up to 64 KiB."""
    made: Pieces = []
    last = 0.0
    for at, data in pieces:
        if made and at - last <= QUIET and len(made[-1][1]) + len(data) <= 65536:
            made[-1] = (at, made[-1][1] + data)
        else:
            made.append((at, data))
        last = at
    return made


def late(pieces: Pieces) -> Pieces:
    """As it is read after a restart: at once, so that no line was ever seen unfinished."""
    data = b"".join(data for _at, data in pieces)
    return [(0.0, data[place : place + 65536]) for place in range(0, len(data), 65536)]


class Play:
    """A recording and the matcher's pure parts; it does what `reader.py` does with a spool."""

    def __init__(self, patterns: list[str]) -> None:
        self._state = StreamState("0123abcd", "$1", "%1", "p1.2.w3.k", 0)
        self._engine, self._index, self._governor = Engine(), Index(), Governor()
        self.fired: dict[str, list[str]] = {pattern: [] for pattern in patterns}
        for number, pattern in enumerate(patterns, 1):
            self._engine.add(pattern)
            self._index.add(Subscription(f"s{number}", number, "pattern", [pattern], None, None, None, "", 0.0))

    def play(self, pieces: Pieces, sent: list[tuple[int, str]]) -> None:
        """`sent`: what ctmux sent to the pane, and behind which byte."""
        before, printed = 0.0, 0
        for at, data in pieces:
            printed += len(data)
            while sent and sent[0][0] < printed:
                since, text = sent.pop(0)
                self._state.typed.add(text, since)
            if at - before > QUIET:
                self._evaluate(self._state.lines.unfinished())
            for block in self._state.lines.feed(data):
                self._evaluate(block)
            before = at
        self._evaluate(self._state.lines.flush())

    def _evaluate(self, block: Block | None) -> None:
        if block:
            for hit in self._state.hits(block, self._engine, self._index, self._governor):
                self.fired[hit.subscription.patterns[0]].append(hit.line)


def told(name: str) -> list[dict[str, Any]]:
    """What must fire: for each pattern the lines, and where it matters those that are read late."""
    return json.loads((RECORDINGS / f"{name}.json").read_text())["expected"]  # type: ignore[no-any-return]


def sent(name: str, pieces: Pieces) -> list[tuple[int, str]]:
    """What was sent through ctmux, and how many bytes were printed before."""
    known = json.loads((RECORDINGS / f"{name}.json").read_text()).get("sent", [])
    return [(sum(len(data) for at, data in pieces if at <= seconds), text) for seconds, text in known]


@pytest.mark.parametrize("cut", [as_recorded, byte_by_byte, joined, late])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_printed_fires_and_nothing_else(name: str, cut: Callable[[Pieces], Pieces]) -> None:
    recording = Recording.parse((RECORDINGS / f"{name}.cast").read_text())
    expected = {each["pattern"]: each.get("late" if cut is late else "lines", each["lines"]) for each in told(name)}
    play = Play(list(expected))
    play.play(cut(recording.pieces), sent(name, recording.pieces))
    assert play.fired == expected


def test_each_program_is_there() -> None:
    assert set(NAMES) >= {
        "bash", "bash-marks", "zsh", "zsh-marks", "fish", "fish-marks", "dash", "python", "far", "screens",
        "npm", "pytest", "cargo", "vim", "less", "htop",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_recording_tempts(name: str) -> None:
    """Each has patterns that fire, and patterns that only what must not fire has."""
    recording = Recording.parse((RECORDINGS / f"{name}.cast").read_text())
    assert any(each["lines"] for each in told(name)) and any(not each["lines"] for each in told(name))
    assert max(at for at, _data in recording.pieces) > 1
