"""Requests that no client of ours makes, to every process that answers any: each is refused, and nobody ends of it."""

import hostile
import pytest
import zmq
from ctmux import Client
from ctmux.shared import rpc
from ctmux.shared.codec import unpack
from guest import Guest, processes
from harness import until

pytestmark = [pytest.mark.any_tmux, pytest.mark.usefixtures("environment")]


def test_a_hostile_request_costs_nobody_his_life(guest: Guest) -> None:
    server = guest.wait_event("pane.observed", pane="%0")["server"]
    until(lambda: all(processes(guest).values()))
    before = processes(guest)
    with Client() as client, zmq.Context() as context:
        for role in ("logger", "matcher", "runner", "keeper", f"watcher-{server}-0"):
            socket = rpc.dealer(context, guest.paths.control(role))
            wanted = [*hostile.HOSTILE, *hostile.REFUSED]
            for number, fields in enumerate(wanted):
                socket.send_multipart([number.to_bytes(8, "big"), hostile.frame(fields)])
                assert socket.poll(10_000), (role, fields)
                answered, answer = socket.recv_multipart()
                assert int.from_bytes(answered, "big") == number
                assert number >= len(hostile.HOSTILE) or unpack(answer)["code"] == "usage", (role, fields)
            socket.close(linger=0)
            assert client.status(role)["role"] == role
    assert processes(guest) == before
