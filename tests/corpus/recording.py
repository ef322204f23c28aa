"""A recording as `ctmux pane record` wrote it: the bytes as they came, with their times."""

import base64
import json
from typing import NamedTuple


class Recording(NamedTuple):
    """`pieces`: (seconds, data), as published."""

    width: int
    height: int
    pieces: list[tuple[float, bytes]]

    @classmethod
    def parse(cls, text: str) -> "Recording":
        """`cli/asciicast.py` says what the lines are."""
        head, *events = (json.loads(line) for line in text.split("\n") if line)
        assert head["version"] == 2
        pieces = []
        exact = None
        for seconds, code, data in events:
            if code == "b":
                exact = base64.b64decode(data)
            elif code == "o":
                pieces.append((seconds, data.encode() if exact is None else exact))
                exact = None
        return cls(head["width"], head["height"], pieces)
