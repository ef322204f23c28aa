"""The sockets of the bus, with the options that every process agrees on."""

import zmq

from .codec import FRAME_MAX

# Messages; a chunk has up to 64 KiB. What a slow peer does not take beyond it is dropped for that peer, which fills it in.
HWM = 1_000


def context() -> "zmq.Context[zmq.Socket[bytes]]":
    """A context whose end never waits for unsent messages: everything important is acknowledged elsewhere."""
    made: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made.linger = 0
    return made


def socket(ctx: "zmq.Context[zmq.Socket[bytes]]", kind: int) -> "zmq.Socket[bytes]":
    made = ctx.socket(kind)
    made.set_hwm(HWM)
    made.setsockopt(zmq.MAXMSGSIZE, FRAME_MAX)
    return made


def announcer(ctx: "zmq.Context[zmq.Socket[bytes]]", address: str) -> "zmq.Socket[bytes]":
    """A publisher that can read what is subscribed to: each subscription, also a repeated one, is a message."""
    made = socket(ctx, zmq.XPUB)
    made.setsockopt(zmq.XPUB_VERBOSE, 1)
    made.setsockopt(zmq.RECONNECT_IVL, 10)
    made.connect(f"ipc://{address}")
    return made


def subscriber(ctx: "zmq.Context[zmq.Socket[bytes]]", address: str, *prefixes: bytes) -> "zmq.Socket[bytes]":
    made = socket(ctx, zmq.SUB)
    made.setsockopt(zmq.RECONNECT_IVL, 10)
    for prefix in prefixes:
        made.setsockopt(zmq.SUBSCRIBE, prefix)
    made.connect(f"ipc://{address}")
    return made
