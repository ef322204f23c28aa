"""When one tmux server is looked at: when it signals a change, when somebody wishes it, when its process has ended."""

import os
from collections.abc import Callable

from ...shared import tmux
from ...shared.service import Service, Timer
from . import listing, patience
from .slot import Slot
from .waiter import Waiter, readable


class Lookout:
    """`show` gets the text of each listing; none (b"") when the server is `gone`."""

    def __init__(self, service: Service, info: tmux.ServerInfo, slot: Slot, show: Callable[[bytes], None]):
        self._service = service
        self._info = info
        self._slot = slot
        self._show = show
        self._waiter: Waiter | None = None
        self._server_fd = -1  # a pidfd: the server is gone when its process is, not when its socket does not answer
        self._wish: Timer | None = None
        self._failures = 0  # in a row
        self.gone = False
        self.stopped = False

    def open(self) -> None:
        """Hold the server's process. Raises ServerGone."""
        try:
            self._server_fd = os.pidfd_open(self._info.pid)
        except ProcessLookupError as error:
            raise tmux.ServerGone(f"no process {self._info.pid}, which should listen on {self._info.socket}") from error

    def begin(self) -> None:
        """Install the hooks and look."""
        self._wait(*self._slot.filling(), ";")

    def _wait(self, *first: str) -> None:
        """List the server and block on our channel, in one command queue of tmux: no change can fall between the two.

        Signals alone do not do: the second one on a channel that nobody waits on takes the first one back (tmux's
        cmd-wait-for.c), so a change is not seen by its signal but by a listing that is made after the last wake-up.
        """
        self._waiter = Waiter(self._info.socket, [*first, *listing.ARGUMENTS], ["wait-for", self._slot.channel])
        text = self._read(self._waiter.listing)
        if text is None or self.ended():
            self._end_waiter()
            self._look_later()
            return
        self._service.register(self._waiter, self._woken)
        self._show(text)

    def _look_later(self) -> None:
        """The server hangs, or has ended: then all that it had is gone."""
        if self.ended():
            self._show(b"")
        else:
            self._service.after(patience.pause(self._failures), self._wait_again)

    def _wait_again(self) -> None:
        if self._waiter is None and not self.gone and not self.stopped:
            self.begin()

    def _woken(self) -> None:
        self._end_waiter()
        self._wait()

    def _end_waiter(self) -> None:
        if self._waiter is not None:
            self._service.unregister(self._waiter)
            self._waiter.close()
            self._waiter = None

    def ended(self) -> bool:
        """Whether the server's process has ended."""
        if self._server_fd >= 0:
            self.gone = self.gone or readable(self._server_fd, 0)
        return self.gone

    @property
    def hangs(self) -> bool:
        """Whether it did not answer when it was asked last."""
        return self._failures > 0

    def look_soon(self, seconds: float) -> None:
        """Look again; wishes that come before that are one look."""
        if self._wish is not None:
            if seconds > 0:
                return
            self._wish.cancel()
        self._wish = self._service.after(seconds, self.look)

    def look(self) -> None:
        """List the server now."""
        if self.stopped:
            return
        if self._wish is not None:
            self._wish.cancel()
        self._wish = None
        text = self._read(self._list)
        # Asked afterwards: another server may listen on the socket by now.
        if self.ended():
            self._show(b"")
        elif text is None:
            self.look_soon(patience.pause(self._failures))
        else:
            self._show(text)

    def _list(self, seconds: float) -> bytes:
        return tmux.run(self._info.socket, *listing.ARGUMENTS, timeout=seconds)

    def _read(self, list_: Callable[[float], bytes]) -> bytes | None:
        """All that the server has; None if it hangs, is too slow, or ends while it answers: tmux's client says nothing of
        that, and what it has printed may be a part."""
        try:
            text = list_(patience.limit(self._failures))
            if not listing.whole(text):
                raise tmux.TmuxError("its answer was cut: it is very busy, or has ended")
        except tmux.TmuxError as error:
            if not self._failures and not self.ended():
                print(f"tmux server {self._info.socket}: {error}; trying again", flush=True)
            self._failures += 1
            return None
        self._failures = 0
        return text

    def stop(self) -> None:
        """Look no more."""
        self.stopped = True
        self._end_waiter()

    def close(self) -> None:
        """Stop, and let the server's process go."""
        self.stop()
        if self._server_fd >= 0:
            os.close(self._server_fd)
            self._server_fd = -1
