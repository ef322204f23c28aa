"""What a part of a service needs of its loop, with real sockets, and time that passes faster."""

import heapq
import itertools
import time

import zmq
from ctmux.shared.service import Timer

HASTE = 50  # a second of patience is 20 ms here


class Loop:
    """`paths`: where roles are asked, for what looks there."""

    def __init__(self, context, paths=None):
        self.context, self.paths = context, paths
        self._poller = zmq.Poller()
        self._actions = {}
        self._timers = []
        self._order = itertools.count()

    def register(self, readable, action):
        self._poller.register(readable, zmq.POLLIN)
        self._actions[readable] = action

    def unregister(self, readable):
        self._poller.unregister(readable)
        del self._actions[readable]

    def after(self, seconds, action):
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + seconds / HASTE, next(self._order), timer))
        return timer

    def run(self, until, seconds=5.0):
        """Turn until it is so."""
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "it did not come in time"
            wait = self._timers[0][0] - time.monotonic() if self._timers else deadline - time.monotonic()
            for readable, _event in self._poller.poll(max(0, min(wait, seconds) * 1000)):
                self._actions.get(readable, lambda: None)()
            while self._timers and self._timers[0][0] <= time.monotonic():
                timer = heapq.heappop(self._timers)[2]
                if timer.action:
                    timer.action()
