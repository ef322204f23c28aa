"""A script in a loop: it is asked for what it needs, gets it in order, and waits while there is no room. Real sockets."""

import shutil
import tempfile

import pytest
import zmq
from ctmux.client.script import Ask, Receive
from ctmux.services.runner.pump import Pump
from ctmux.shared import bus
from ctmux.shared.errors import CtmuxError
from ctmux.shared.messages import Status
from ctmux.shared.paths import Paths
from ctmux.shared.rpc import Server
from loop import Loop


class World:
    """A loop with a role in it that answers, the bus as a pair of sockets, and a pump between them."""

    def __init__(self, directory):
        self.context = bus.context()
        self.loop = Loop(self.context, Paths("default", directory, directory))
        self.moods, self.taken, self.room, self.answered, self.silences = [], [], 1000, False, 0
        server = Server(self.context, self.loop.paths.control("logger"))
        server.handle(Status, self._answer)
        self.loop.register(server.socket, server.receive)
        self.bus, end = self.context.socket(zmq.PAIR), self.context.socket(zmq.PAIR)
        self.bus.bind("inproc://bus")
        end.connect("inproc://bus")
        self.pump = Pump(self.loop, end, self._script(), self.taken.append, lambda: len(self.taken) >= self.room)

    def _answer(self, _request, _reply):
        if self.moods and self.moods.pop(0):
            raise CtmuxError("not now")
        self.answered = True
        return {"head": 7}

    def _script(self):
        """What the answer is, then each message, twice; `ask` asks again."""
        yield (yield Ask("logger", Status()))["head"]
        while True:
            while (frames := (yield Receive())) is None:
                self.silences += 1
            (word,) = frames
            if word == b"ask":
                word = (yield Ask("logger", Status()))["head"]
            yield word
            yield word

    def say(self, *words):
        for word in words:
            self.bus.send_multipart([word])

    def until(self, *taken):
        self.loop.run(lambda: len(self.taken) >= len(taken))
        assert self.taken == list(taken)


@pytest.fixture
def world():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    made = World(directory)
    yield made
    made.context.destroy(linger=0)
    shutil.rmtree(directory)


def test_answers_and_messages_come_in_order(world):
    world.say(b"a", b"ask", b"b")
    world.pump.start()
    world.until(7, b"a", b"a", 7, 7, b"b", b"b")


def test_while_it_is_full_nothing_is_taken_and_nothing_lost(world):
    world.room = 2
    world.say(b"a", b"b")
    world.pump.start()
    world.until(7, b"a")
    world.pump.resume()  # there is none yet
    assert len(world.taken) == 2
    world.room = 1000
    world.pump.resume()
    world.until(7, b"a", b"a", b"b", b"b")


def test_an_answer_that_meets_no_room_waits_for_it(world):
    world.pump.start()
    world.room = 0
    world.loop.run(lambda: world.answered)
    over = []
    world.loop.after(1.0, lambda: over.append(True))
    world.loop.run(lambda: over)
    assert world.taken == []
    world.room = 1000
    world.pump.resume()
    world.until(7)


def test_what_is_refused_is_asked_again(world):
    world.moods = [True, True]
    world.pump.start()
    world.until(7)
    assert world.moods == []


def test_after_its_end_nothing_is_taken(world):
    world.say(b"a", b"b")
    world.pump.start()
    world.until(7, b"a", b"a", b"b", b"b")
    world.pump.stop()
    world.say(b"c")
    over = []
    world.loop.after(1.0, lambda: over.append(True))
    world.loop.run(lambda: over)
    world.pump.resume()
    assert len(world.taken) == 5


def test_the_script_is_told_when_nothing_comes(world):
    world.pump.start()
    world.loop.run(lambda: world.silences == 2)
    world.say(b"a")
    world.until(7, b"a", b"a")
    world.pump.stop()
    silences = world.silences
    over = []
    world.loop.after(7.0, lambda: over.append(True))
    world.loop.run(lambda: over)
    assert world.silences == silences
