"""What a watcher says on the bus: pieces of output, and where each stream is, for those who have lost one."""

import time
from collections.abc import Callable, Mapping

import zmq

from ...shared import bus, topics
from ...shared.codec import encode_chunk
from ...shared.messages import Chunk
from ...shared.service import Service, Timer
from .tail import Tail

# A subscriber that lost the newest chunk learns it from the next one. So that there is one, a stream that falls silent
# says where it is after these seconds, and then no more; and to everybody who subscribes.
_REMINDERS = (1.0, 10.0)


class Publisher:
    """Of the streams of one session. `over` is called with a stream whose end was said for the last time."""

    def __init__(
        self, service: Service, address: str, server: str, session: str, tails: Mapping[str, Tail],
        over: Callable[[str], None],
    ):  # fmt: skip
        self._service = service
        self._server, self._session = server, session
        self._tails, self._over = tails, over
        self._reminders: dict[str, Timer] = {}
        self._socket = bus.announcer(service.context, address)
        service.register(self._socket, self._subscribed)

    def say(self, tail: Tail, offset: int, now: float, data: bytes) -> None:
        """A piece of output; with no data, where the stream is."""
        chunk = Chunk(self._server, self._session, tail.stream.pane, tail.stream.name, offset, now, tail.ended, data)
        topic = topics.out(self._server, self._session, tail.stream.pane)
        self._socket.send_multipart([topic, *encode_chunk(chunk)], zmq.NOBLOCK)

    def announce(self, tail: Tail) -> None:
        """Say where the stream is: an empty chunk at its newest offset."""
        self.say(tail, tail.offset, time.time(), b"")

    def remind(self, tail: Tail) -> None:
        """The stream has just spoken: announce it when it has been silent for a while."""
        tail.spoke, tail.reminders = time.monotonic(), 0
        if tail.stream.name not in self._reminders:
            self._arm(tail)

    def _arm(self, tail: Tail) -> None:
        left = tail.spoke + _REMINDERS[tail.reminders] - time.monotonic()
        self._reminders[tail.stream.name] = self._service.after(left, lambda: self._remind_now(tail))

    def _remind_now(self, tail: Tail) -> None:
        del self._reminders[tail.stream.name]
        if time.monotonic() >= tail.spoke + _REMINDERS[tail.reminders]:
            self.announce(tail)
            tail.reminders += 1
        if tail.reminders < len(_REMINDERS):
            self._arm(tail)
        elif tail.ended:
            self._over(tail.stream.name)

    def forget(self, stream: str) -> None:
        """This stream is no longer ours to speak of."""
        reminder = self._reminders.pop(stream, None)
        if reminder:
            reminder.cancel()

    def _subscribed(self) -> None:
        """Tell whoever subscribes where each stream is: it may have lost something before, and now is connected."""
        prefixes = set()
        while self._socket.poll(0):
            message = self._socket.recv()
            if message[:1] == b"\1":
                prefixes.add(message[1:])
        for tail in self._tails.values():
            topic = topics.out(self._server, self._session, tail.stream.pane)
            if any(topic.startswith(prefix) for prefix in prefixes):
                self.announce(tail)
