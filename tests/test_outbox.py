"""Drafts on their way to a logger that is slow, silent, full or killed: a real ROUTER, a real ledger."""

import contextlib
import shutil
import socket
import tempfile
import threading

import pytest
import zmq
from ctmux.services.logger.ledger import Ledger
from ctmux.shared import bus
from ctmux.shared.codec import FRAME_MAX
from ctmux.shared.errors import CtmuxError, UsageError
from ctmux.shared.messages import Draft, Put
from ctmux.shared.outbox import Outbox
from ctmux.shared.rpc import Server
from loop import HASTE, Loop


class Logger:
    """Takes drafts as the logger does. `moods` says how it takes the next puts: `deaf` (drops it), `mute` (writes it, but
    does not answer), `full` (cannot write), `twice` (answers twice); then it is well."""

    def __init__(self, context, address, *moods):
        self._context, self._address = context, address
        self._moods = list(moods)
        self._ledger = Ledger("0f")
        self.written = []
        self.puts = []  # how many drafts came in each

    def _put(self, request, reply):
        self.puts.append(len(request.drafts))
        mood = self._moods.pop(0) if self._moods else "well"
        if mood == "full":
            raise CtmuxError("journal cannot be written: no space left on device")
        if any(draft[Draft._fields.index("data")].get("bad") for draft in request.drafts):
            raise UsageError("not a draft")
        if mood == "deaf":
            return None
        events = self._ledger.accept([Draft(*fields) for fields in request.drafts])
        self._ledger.commit(events)
        self.written += events
        if mood == "twice":
            reply({"head": self._ledger.head})
        return None if mood == "mute" else {"head": self._ledger.head}

    @contextlib.contextmanager
    def running(self):
        """One process of it: a socket of its own."""
        server = Server(self._context, self._address)
        server.handle(Put, self._put)
        stopped, stop = socket.socketpair()

        def run():
            poller = zmq.Poller()
            poller.register(server.socket, zmq.POLLIN)
            poller.register(stopped, zmq.POLLIN)
            while stopped.fileno() not in dict(poller.poll()):
                server.receive()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield self
        finally:
            stop.send(b"\0")
            thread.join(5)
            server.socket.close(linger=0)
            stop.close()
            stopped.close()

    def has(self):
        return [event.position for event in self.written]


@pytest.fixture
def context():
    made = bus.context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def address():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    yield f"{directory}/s.sock"
    shutil.rmtree(directory)


@pytest.fixture
def loop(context):
    return Loop(context)


@pytest.fixture
def outbox(loop, address):
    return Outbox(loop, address)


def drafts(*positions, **data):
    return [Draft("p", position, "", "pane.opened", 1.5, data=data) for position in positions]


def test_they_arrive_in_order_and_that_is_told(loop, outbox, context, address):
    told = []
    with Logger(context, address).running() as logger:
        outbox.put(drafts(1, 2), lambda: told.append(logger.has()))
        outbox.put(drafts(3), lambda: told.append(logger.has()))
        loop.run(lambda: len(told) == 2)
    assert logger.has() == [1, 2, 3]
    assert told[0][:2] == [1, 2] and told[1] == [1, 2, 3]
    assert len(outbox) == 0


def test_what_the_logger_will_never_take_takes_nothing_with_it(loop, outbox, context, address):
    told = []
    outbox.put([*drafts(1, 2), *drafts(3, bad=True), *drafts(4)], lambda: told.append(1))
    with Logger(context, address).running() as logger:
        loop.run(lambda: told)
        outbox.put(drafts(5, 6), lambda: told.append(2))
        loop.run(lambda: len(told) == 2)
    assert logger.has() == [1, 2, 4, 5, 6] and logger.puts[-1] > 1


def test_a_drop_is_told_to_who_asked_before_done(loop, outbox, context, address):
    told = []
    outbox.put(drafts(1), lambda: told.append("one"), told.append)
    outbox.put(drafts(2, bad=True), lambda: told.append("two"), told.append)
    outbox.put(drafts(3), lambda: told.append("three"), told.append)
    with Logger(context, address).running() as logger:
        loop.run(lambda: len(told) == 4)
    assert (told, logger.has()) == (["one", "not a draft", "two", "three"], [1, 3])


def test_what_no_frame_holds_holds_up_nothing(loop, outbox, context, address):
    """The logger would drop who sends it, and never answer."""
    told = []
    outbox.put(drafts(1))
    outbox.put(drafts(2, line="x" * FRAME_MAX), lambda: told.append("done"), lambda reason: told.append(reason))
    outbox.put(drafts(3, line="x" * (FRAME_MAX - 5000)), lambda: told.append("done"))
    with Logger(context, address).running() as logger:
        loop.run(lambda: len(told) == 3)
    assert logger.has() == [1, 3] and "more than a frame holds" in told[0]


def test_done_with_nothing_before_it_is_now(outbox):
    told = []
    outbox.put([], lambda: told.append(1))
    assert told == [1]


def test_done_waits_for_what_was_put_before(loop, outbox, context, address):
    told = []
    outbox.put(drafts(1))
    outbox.put([], lambda: told.append("first"))
    outbox.put([], lambda: told.append("second"))
    assert told == []
    with Logger(context, address).running():
        loop.run(lambda: len(told) == 2)
    assert told == ["first", "second"]


def test_done_may_put_more(loop, outbox, context, address):
    told = []

    def more():
        outbox.put(drafts(2), lambda: told.append("second"))
        told.append("first")

    with Logger(context, address).running() as logger:
        outbox.put(drafts(1), more)
        loop.run(lambda: len(told) == 2)
    assert (logger.has(), told) == ([1, 2], ["first", "second"])


def test_many_are_sent_in_batches(loop, outbox, context, address):
    told = []
    with Logger(context, address).running() as logger:
        outbox.put(drafts(*range(1300)), lambda: told.append(1))
        loop.run(lambda: told)
    assert logger.has() == list(range(1300))
    assert len(logger.puts) >= 3 and max(logger.puts) <= 500


def test_nobody_is_there_yet(loop, outbox, context, address):
    told = []
    outbox.put(drafts(1, 2), lambda: told.append(1))
    with pytest.raises(AssertionError, match="in time"):
        loop.run(lambda: told, seconds=0.1)
    with Logger(context, address).running() as logger:
        loop.run(lambda: told)
    assert logger.has() == [1, 2]


@pytest.mark.parametrize("mood", ["deaf", "mute", "full"])
def test_a_logger_in_a_bad_mood_gets_each_draft_once(loop, outbox, context, address, mood):
    told = []
    with Logger(context, address, mood, mood, mood).running() as logger:
        outbox.put(drafts(1, 2), lambda: told.append(1))
        outbox.put(drafts(3, 4), lambda: told.append(2))
        loop.run(lambda: len(told) == 2)
    assert (logger.has(), told) == ([1, 2, 3, 4], [1, 2])
    assert len(logger.puts) >= 4


def test_a_second_answer_is_not_the_answer_to_the_next_batch(loop, outbox, context, address):
    told = []
    with Logger(context, address, "twice", "deaf").running() as logger:
        outbox.put(drafts(1))
        outbox.put(drafts(2), lambda: told.append(logger.has()))
        loop.run(lambda: told)
    assert told == [[1, 2]]


def test_a_logger_that_is_killed_and_started_again(loop, outbox, context, address):
    told = []
    logger = Logger(context, address, "well", "mute")
    with logger.running():
        outbox.put(drafts(1), lambda: told.append(1))
        loop.run(lambda: told)
        outbox.put(drafts(2), lambda: told.append(2))
        loop.run(lambda: logger.has() == [1, 2])
    outbox.put(drafts(3), lambda: told.append(3))
    with logger.running():
        loop.run(lambda: len(told) == 3)
    assert (logger.has(), told) == ([1, 2, 3], [1, 2, 3])


def test_any_number_of_restarts(loop, outbox, context, address):
    logger = Logger(context, address, *["mute", "deaf", "well"] * 5)
    told = []
    for turn in range(5):
        outbox.put(drafts(*range(turn * 10, turn * 10 + 10)), lambda turn=turn: told.append(turn))
        seen = len(logger.puts)
        with logger.running():
            loop.run(lambda seen=seen: len(logger.puts) > seen)
    with logger.running():
        loop.run(lambda: len(told) == 5)
    assert (logger.has(), told) == (list(range(50)), list(range(5)))


def test_what_cannot_be_written_is_not_lost_while_more_comes(loop, outbox, context, address):
    told = []
    with Logger(context, address, *["full"] * 4).running() as logger:
        for position in range(4):
            outbox.put(drafts(position), lambda position=position: told.append(position))
            seen = len(logger.puts)
            loop.run(lambda seen=seen: len(logger.puts) > seen or len(told) > position)  # noqa: B023
        loop.run(lambda: len(told) == 4)
    assert (logger.has(), told) == ([0, 1, 2, 3], [0, 1, 2, 3])


@pytest.mark.parametrize("size", [10_000, 65_536, 300_000])
def test_large_drafts_arrive_too(loop, outbox, context, address, size):
    """Matched lines of 64 KB: together they are more than a socket takes in one frame."""
    told = []
    with Logger(context, address).running() as logger:
        outbox.put(drafts(*range(200), line="x" * size) if size < 300_000 else drafts(*range(5), line="x" * size),
                   lambda: told.append(1))  # fmt: skip
        loop.run(lambda: told, seconds=2.0)
    assert len(logger.has()) in (5, 200)


def test_a_full_logger_is_asked_once_a_second_however_much_comes(loop, outbox, context, address, monkeypatch):
    monkeypatch.setattr("ctmux.shared.outbox._RETRY", 1.0 * HASTE)
    with Logger(context, address, *["full"] * 50).running() as logger:
        for position in range(100):
            outbox.put(drafts(position))
            with pytest.raises(AssertionError, match="in time"):
                loop.run(lambda: False, seconds=0.01)
        assert len(logger.puts) < 20  # one a second, and some again where the logger's thread starves
