"""Timers of the main loop."""

import itertools
import socket
import weakref

import zmq
from ctmux.shared.service import Service, Timer


class Loop(Service):
    """A main loop and nothing more, by a clock that only timers move on."""

    def __init__(self, monkeypatch):
        self._poller, self._actions, self._timers, self._order = zmq.Poller(), {}, [], itertools.count()
        self.now = 0.0
        monkeypatch.setattr("ctmux.shared.service._now", lambda: self.now)

    def work(self, seconds):
        self.now += seconds


def test_a_cancelled_timer_keeps_nothing_alive_until_it_is_due():
    class Child:
        """Whatever waits for it."""

        def end(self) -> None: ...

    child = Child()
    gone = weakref.ref(child)
    timer = Timer(lambda child=child: child.end())
    queue = [(60.0, 0, timer)]
    del child
    assert gone() is not None
    timer.cancel()
    assert gone() is None and queue[0][2].action is None


def test_who_asks_is_answered_between_many_timers(monkeypatch):
    loop = Loop(monkeypatch)
    asked, asks = socket.socketpair()
    seen = []
    loop.register(asked, lambda: seen.append(("asked", len(asked.recv(1)))))
    for number in range(10):
        loop.after(0.0, lambda number=number: (seen.append(number), loop.work(0.03)))
    asks.send(b"?")
    loop._run_once()
    assert seen == [("asked", 1), 0, 1]
    asks.send(b"?")
    loop._run_once()
    assert seen[3:] == [("asked", 1), 2, 3]
    while loop._timers:
        loop._run_once()
    assert [one for one in seen if isinstance(one, int)] == list(range(10))
    asked.close()
    asks.close()
