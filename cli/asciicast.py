"""A recording in the form asciicast v2, exact to the byte. Pure.

The first line is the header, each other line an event `[seconds, code, text]`: "o" is output, "m" a marker, here a range
that could not be had. Text is UTF-8 and programs print any bytes, so what is not UTF-8 stands there as U+FFFD, and the line
before it has the code "b" and the true bytes in base64. Players skip codes they do not know.
Source: https://docs.asciinema.org/manual/asciicast/v2/
"""

import base64
import codecs
import json
from typing import Any


class Asciicast:
    """Makes the lines of a recording that begins at `began` (seconds since 1970)."""

    def __init__(self, began: float):
        self._began = began
        self._cut = b""  # the part of a character at the end of the last piece
        self.seconds = 0.0

    def header(self, width: int, height: int) -> str:
        return _line({"version": 2, "width": width, "height": height, "timestamp": int(self._began)})

    def output(self, time: float, data: bytes) -> str:
        """The lines of a piece of output; the first bytes of a character wait for the rest of it."""
        data = self._cut + data
        text, length = codecs.utf_8_decode(data, "replace", False)
        self._cut = data[length:]
        return self._event(time, text, data[:length])

    def missing(self, time: float, told: str) -> str:
        """The lines of a range that could not be had: a character does not go on behind it."""
        return self.end() + _line([self._at(time), "m", told])

    def end(self) -> str:
        """The lines of what still waits."""
        cut, self._cut = self._cut, b""
        return self._event(self._began + self.seconds, cut.decode(errors="replace"), cut)

    def _event(self, time: float, text: str, data: bytes) -> str:
        if not data:
            return ""
        at = self._at(time)
        exact = "" if text.encode() == data else _line([at, "b", base64.b64encode(data).decode()])
        return exact + _line([at, "o", text])

    def _at(self, time: float) -> float:
        """Seconds since the begin; they never go back, whatever clocks do."""
        self.seconds = max(self.seconds, round(time - self._began, 6))
        return self.seconds


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
