"""A hand at a pane: types as people do, and goes on when it sees what it waits for."""

import time
from pathlib import Path

from harness import World, until

_KEY = 0.02  # seconds between two keys of somebody who types quickly
READS = "\x1b[?2004h"  # a line editor asks for a line: bash, zsh, fish and readline say this then


class Hand:
    """One pane of a world. What it has seen, it does not see again: `sees` looks at what came after that."""

    def __init__(self, world: World, pane: str):
        self._world, self.pane = world, pane
        self._seen = 0
        self.sent: list[tuple[int, str]] = []  # (bytes printed before, text) of what went through `ctmux pane exec`

    def printed(self) -> bytes:
        """All that the pane has printed."""
        return b"".join(Path(found.path).read_bytes() for found in self._world.spools(self.pane))

    def sees(self, text: str) -> None:
        def look() -> bool:
            at = self.printed().find(text.encode(), self._seen)
            if at >= 0:
                self._seen = at + len(text.encode())
            return at >= 0

        try:
            until(look)
        except AssertionError:
            raise AssertionError(f"{text!r} did not come; seen: {self.printed()[self._seen :]!r}") from None

    def shows(self, text: str) -> None:
        """Waits until the screen has this text, wherever and however it was drawn."""
        until(lambda: text in self._screen())

    def _screen(self) -> str:
        return self._world.tmux("capture-pane", "-p", "-t", self.pane)

    def shows_last(self, text: str) -> None:
        """Waits until this is on one of the last lines of the screen, where people type."""
        until(lambda: text in "\n".join(self._screen().rstrip().split("\n")[-4:]))

    def quiet(self, seconds: float = 0.3) -> None:
        """Waits until nothing has been printed for so long: nothing announces that a screen is drawn."""
        size, since = len(self.printed()), time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.02)
            if len(self.printed()) != size:
                size, since = len(self.printed()), time.monotonic()

    def completes(self, text: str) -> None:
        """Tab, until the screen has it."""

        def look() -> bool:
            self.keys("Tab")
            self.quiet()
            return text in self._screen()

        until(look)

    def keys(self, *names: str) -> None:
        for name in names:
            self._world.tmux("send-keys", "-t", self.pane, name)
            time.sleep(_KEY)

    def types(self, text: str) -> None:
        """Key by key; a `|` in the text is a moment of thought, longer than a pane has to be quiet for."""
        for key in text:
            if key == "|":
                time.sleep(0.3)
            else:
                self._world.tmux("send-keys", "-t", self.pane, "-l", "--", "\\;" if key == ";" else key)
                time.sleep(_KEY)

    def enters(self, text: str = "", then: str = READS) -> None:
        """Types a line, and waits for what comes then: the next prompt."""
        self.types(text)
        self._seen = len(self.printed())
        self.keys("Enter")
        self.sees(then)

    def ends(self, text: str) -> None:
        """Types the line that ends the program."""
        self.types(text)
        self.keys("Enter")

    def executes(self, text: str, then: str) -> None:
        """Through `ctmux pane exec`, as programs do, at a prompt that has stood for a moment."""
        self.quiet()
        self._seen = len(self.printed())
        self.sent.append((self._seen, text))
        self._world.ctmux("pane", "exec", self.pane, text)
        self.sees(then)
