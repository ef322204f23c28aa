"""Questions and answers over a real socket."""

import contextlib
import os
import queue
import shutil
import socket
import tempfile
import threading

import pytest
import zmq
from ctmux.shared import bus, codec
from ctmux.shared.errors import BY_CODE, CtmuxError, DeadlinePassed, NoDaemon, UsageError
from ctmux.shared.messages import Get, Panes, Status, Tip
from ctmux.shared.rpc import Client, Server, dealer, wait_answer
from harness import until


@pytest.fixture
def address():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    yield f"{directory}/s.sock"
    shutil.rmtree(directory)


@pytest.fixture
def context():
    made = bus.context()
    yield made
    made.destroy(linger=0)


@pytest.fixture
def client(context, address):
    made = Client(context, address)
    yield made
    made.close()


@contextlib.contextmanager
def serving(context, address, handlers):
    """A server in a thread of its own, until the end of the block."""
    server = Server(context, address)
    for kind, handler in handlers.items():
        server.handle(kind, handler)
    stopped, stop = socket.socketpair()

    def run() -> None:
        poller = zmq.Poller()
        poller.register(server.socket, zmq.POLLIN)
        poller.register(stopped, zmq.POLLIN)
        while stopped.fileno() not in dict(poller.poll()):
            server.receive()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.send(b"\0")
        thread.join(5)
        server.socket.close(linger=0)
        stop.close()
        stopped.close()


def failing(error):
    def handler(_request, _reply):
        raise error

    return handler


ECHO = {Tip: lambda request, _reply: {"subscription": request.subscription}}


def test_an_answer(context, address, client):
    with serving(context, address, ECHO):
        assert client.ask(Tip("a"))["subscription"] == "a"
        assert client.ask(Tip("b"))["subscription"] == "b"


def test_a_handler_may_answer_later(context, address, client):
    waiting: queue.Queue = queue.Queue()

    def later(_request, reply):
        waiting.put(reply)

    def now(_request, _reply):
        waiting.get_nowait()({"late": True})
        return {}

    with serving(context, address, {Status: later, Panes: now}):
        other = Client(context, address)
        asked: queue.Queue[dict] = queue.Queue()
        thread = threading.Thread(target=lambda: asked.put(client.ask(Status())))
        thread.start()
        until(lambda: not waiting.empty())
        other.ask(Panes(""))
        thread.join(5)
        assert asked.get(timeout=5)["late"] is True
        other.close()


@pytest.mark.parametrize("error", BY_CODE.values())
def test_an_error_comes_as_what_it_is(context, address, client, error):
    with serving(context, address, {Status: failing(error("told why"))}), pytest.raises(error, match="told why") as raised:
        client.ask(Status())
    assert type(raised.value) is error


def test_a_handler_with_a_fault_is_an_error_and_ends_nobody(context, address, client, capfd):
    def fault(_request, _reply):
        raise ValueError("no such case")

    with serving(context, address, {Panes: fault, Status: lambda _request, _reply: {"n": 1}}):
        with pytest.raises(CtmuxError, match=r"no such case.*ctmux daemon logs"):
            client.ask(Panes(""))
        assert client.ask(Status())["n"] == 1
    assert "ValueError: no such case" in capfd.readouterr().err


def test_a_request_that_this_process_does_not_answer(context, address, client):
    with serving(context, address, ECHO), pytest.raises(UsageError, match="does not answer 'panes'"):
        client.ask(Panes(""))


@pytest.mark.parametrize(
    "frame", [b"", b"\xc1", b"noise", codec.pack({"v": 2, "verb": "status"}), codec.pack({"v": 1, "verb": "destroy"}),
              codec.pack({"v": 1, "verb": "position"}), codec.pack([])]
)  # fmt: skip
def test_a_damaged_request_gets_a_failure_and_costs_nobody_else(context, address, client, frame):
    with serving(context, address, ECHO):
        raw = dealer(context, address)
        raw.send_multipart([b"number12", frame])
        assert raw.poll(5000)
        number, reply = raw.recv_multipart()
        raw.close(linger=0)
        assert number == b"number12"
        with pytest.raises(UsageError):
            codec.decode_reply(reply)
        assert client.ask(Tip("a"))["subscription"] == "a"


@pytest.mark.parametrize("frames", [[b""], [b"1"], [b"1", b"2", b"3"], [b"x" * 2_000_000], [b"1", b"x" * 2_000_000]])
def test_other_frames_are_ignored(context, address, client, frames):
    with serving(context, address, ECHO):
        raw = dealer(context, address)
        raw.send_multipart(frames)
        assert client.ask(Tip("a"))["subscription"] == "a"
        raw.close(linger=0)


def test_nobody_there(address, client):
    with pytest.raises(NoDaemon, match=r"no answer within 0\.05 s") as raised:
        client.ask(Status(), 0.05)
    assert address in str(raised.value)


def test_a_client_finds_who_comes_later(context, address, client):
    with pytest.raises(NoDaemon):
        client.ask(Tip("a"), 0.01)
    with serving(context, address, ECHO):
        assert client.ask(Tip("b"))["subscription"] == "b"
    with pytest.raises(NoDaemon):
        client.ask(Tip("c"), 0.01)
    with serving(context, address, ECHO):
        assert client.ask(Tip("d"))["subscription"] == "d"


def test_a_late_answer_does_not_meet_the_next_request(context, address, client):
    unanswered = []

    def answer(request, reply):
        if request.subscription == "slow":
            unanswered.append(reply)
            return None
        for late in unanswered:  # now, just before the right one
            late({"producer": "slow"})
        return {"subscription": request.subscription}

    with serving(context, address, {Tip: answer}):
        for _ in range(3):
            with pytest.raises(NoDaemon):
                client.ask(Tip("slow"), 0.02)
            assert client.ask(Tip("quick"))["subscription"] == "quick"
        assert client.ask(Tip("again"))["subscription"] == "again"


def test_an_answer_to_another_number_is_passed_over(context, address, client):
    """A server that answers twice."""

    def twice(request, reply):
        reply({"subscription": request.subscription, "turn": 1})
        return {"subscription": request.subscription, "turn": 2}

    with serving(context, address, {Tip: twice}):
        for producer in ("a", "b", "c"):
            answer = client.ask(Tip(producer))
            assert (answer["subscription"], answer["turn"]) == (producer, 1)


def test_each_client_gets_its_own_answers(context, address):
    wrong = []

    def ask(name: str) -> None:
        mine = Client(context, address)
        for number in range(50):
            if mine.ask(Tip(f"{name}{number}"))["subscription"] != f"{name}{number}":
                wrong.append(name)
        mine.close()

    with serving(context, address, ECHO):
        threads = [threading.Thread(target=ask, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert wrong == []


def test_bytes_come_as_they_are(context, address, client):
    data = bytes(range(256)) * 1000
    with serving(context, address, {Tip: lambda _request, _reply: {"data": data, "lines": [b"{}\n"]}}):
        answer = client.ask(Tip("s1"))
    assert (answer["data"], answer["lines"]) == (data, [b"{}\n"])


def test_waiting_for_an_answer(context, address, client):
    answers: queue.Queue[dict] = queue.Queue()
    thread = threading.Thread(target=lambda: answers.put(wait_answer(client, Tip("a"), 10.0)))
    thread.start()
    with serving(context, address, ECHO):
        assert answers.get(timeout=5)["subscription"] == "a"
    thread.join(5)


def test_waiting_in_vain(client):
    with pytest.raises(DeadlinePassed):
        wait_answer(client, Status(), 0.0)


def test_an_error_ends_the_waiting(context, address, client):
    with serving(context, address, {Get: failing(UsageError("since"))}), pytest.raises(UsageError, match="since"):
        wait_answer(client, Get(1, 1, []), 5.0)


def test_only_the_owner_can_connect(context, address):
    before = os.umask(0o077)
    try:
        with serving(context, address, {}):
            assert os.stat(address).st_mode & 0o077 == 0
    finally:
        os.umask(before)
