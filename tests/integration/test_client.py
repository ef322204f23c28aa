"""The client library, blocking and asyncio: where a stream goes on, what is live, and many streams side by side."""

import asyncio
import time
from typing import Any

import pytest
from ctmux import AsyncClient, Chunk, Client, CtmuxError, DeadlinePassed, Event, NoDaemon
from ctmux.shared.errors import NoTarget, UsageError
from guest import Guest
from harness import World, until

pytestmark = [pytest.mark.any_tmux, pytest.mark.usefixtures("environment")]


def server_of(world: World) -> str:
    return str(world.wait_event("server.found")["server"])


def test_an_event_stream_goes_on_from_its_position_and_tells_what_is_live(guest: Guest) -> None:
    for name in ("a", "b"):
        guest.tmux("rename-window", "-t", "main:0", name)
        guest.wait_event("window.renamed", name=name)
    with Client() as client:
        stream = client.events(since=guest.first, kind="window.renamed", timeout=30)
        assert next(stream).data["name"] == "a" and not stream.live
        position = stream.position
        again = client.events(since=position, kind="window.renamed", timeout=30)
        assert next(again).data["name"] == "b" and not again.live
        live = client.events(kind="window.renamed", timeout=30)
        renamed = (guest.tmux("rename-window", "-t", "main:0", f"c{n}") for n in range(10**6))
        events = client.events(since=guest.events()[-1]["n"] + 1, timeout=30)
        until(lambda: [next(renamed), next(events).kind == "window.renamed" and events.live][1])
        with pytest.raises(DeadlinePassed):
            client_timeout = client.events(kind="timeout.expired", timeout=0.3)
            next(client_timeout)
        assert live.position == 1  # nothing was asked of it yet


def test_output_goes_on_from_its_position(guest: Guest) -> None:
    pane = guest.tmux(
        "new-window", "-d", "-P", "-F", "#{pane_id}", "printf one; read a; printf two; read a; printf three; read a"
    )
    server = server_of(guest)
    got = b""
    position: dict[str, int] = {}
    with Client() as client:
        until(lambda: [p for p in client.panes() if p["pane"] == pane and p["stream"]])
        for word, wanted in ((b"one", "Enter"), (b"two", "Enter"), (b"three", "Enter")):
            for item in (stream := client.output(server, [pane], since=position, timeout=30)):
                assert isinstance(item, Chunk)
                got += item.data
                position = stream.position
                if got.endswith(word):
                    break
            guest.tmux("send-keys", "-t", pane, wanted)
        rest = list(client.output(server, [pane], since=position, timeout=30))
        assert isinstance(rest[-1], Event) and rest[-1].kind == "pane.exited"
    got += b"".join(item.data for item in rest[:-1])
    assert got.replace(b"\r\n", b"") == b"onetwothree"


def test_asyncio(guest: Guest) -> None:
    """Two streams of events and one of output side by side, while requests are made; every line once."""

    async def lines(client: AsyncClient, subscription: str, count: int) -> list[str]:
        found: list[str] = []
        async for event in client.events(since=guest.first, subscription=subscription, timeout=60):
            if event.kind == "pattern.matched":
                found.append(event.data["line"])
                if len(found) == count:
                    break
        return found

    async def printed(client: AsyncClient, pane: str) -> tuple[bytes, Any]:
        got, last, stream = b"", None, client.output(server_of(guest), [pane], since={}, timeout=60)
        async for item in stream:
            got, last = (got + item.data, last) if isinstance(item, Chunk) else (got, item)
        assert stream.position[next(iter(stream.position))] >= 0
        return got, last

    async def main() -> None:
        async with AsyncClient() as client:
            odd = await client.subscribe("pattern", "^n[0-9]*[13579]$", name="odd")
            every = await client.subscribe("pattern", "^n[0-9]+$")
            assert [s["id"] for s in await client.subscriptions()] == [odd["id"], every["id"]]
            pane = guest.tmux("new-window", "-d", "-P", "-F", "#{pane_id}",
                               "for i in $(seq 1 400); do echo n$i; done; sleep 0.3; exit 4")  # fmt: skip
            first, second, (got, last) = await asyncio.gather(
                lines(client, odd["id"], 200), lines(client, every["id"], 400), printed(client, pane)
            )
            assert first == [f"n{n}" for n in range(1, 401, 2)] and second == [f"n{n}" for n in range(1, 401)]
            assert got.split() == [f"n{n}".encode() for n in range(1, 401)]
            assert last.kind == "pane.exited" and last.data["exit_status"] == 4
            assert (await client.unsubscribe("odd"))["id"] == odd["id"]
            assert (await client.status("matcher"))["subscriptions"] == 1
            assert pane not in [p["pane"] for p in await client.panes() if not p["exited"]]
            with pytest.raises(UsageError):
                await client.subscribe("pattern", "(")
            with pytest.raises(NoTarget):
                await client.subscribe("timeout", seconds=1.0, server="00000000")
            with pytest.raises(DeadlinePassed):
                await anext(client.events(kind="timeout.expired", timeout=0.2))

    asyncio.run(main())


def test_more_subscriptions_than_a_frame_holds_are_all_known(guest: Guest) -> None:
    with Client() as client:
        made = [client.subscribe("exit", owner=f"{n} {'x' * 100_000}", tags=["many"])["id"] for n in range(12)]
        assert [one["id"] for one in client.subscriptions()] == made

    async def known() -> list[dict[str, Any]]:
        async with AsyncClient() as client:
            return await client.subscriptions()

    assert [one["id"] for one in asyncio.run(known())] == made
    assert len(guest.data("subscription", "remove", "--tag", "many")) == len(made)


def test_asyncio_is_not_blocked_and_ends_with_the_daemon(daemon: World) -> None:
    async def main() -> None:
        async with AsyncClient() as client:
            await client.status()
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.01)  # what is measured: a loop that is blocked does not come back to this
                    ticks += 1

            ticking = asyncio.ensure_future(tick())

            async def follow() -> None:
                async for _event in client.events(since=1):
                    pass

            following = asyncio.ensure_future(follow())
            await asyncio.get_running_loop().run_in_executor(None, daemon.stop)
            with pytest.raises(NoDaemon):
                await asyncio.wait_for(following, 20)
            with pytest.raises(CtmuxError):
                await client.status()
            assert ticks > 10
            ticking.cancel()

    begun = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - begun < 30


def test_a_cancelled_wait_can_be_begun_again(guest: Guest) -> None:
    async def main() -> None:
        async with AsyncClient() as client:
            stream = client.events(since=guest.first)
            got: list[int] = []
            for turn in range(3):
                while True:
                    try:
                        got.append((await asyncio.wait_for(anext(stream), 0.3)).n)
                    except TimeoutError:
                        break
                guest.tmux("rename-window", "-t", "main:0", f"name{turn}")
            got.append((await asyncio.wait_for(anext(stream), 20)).n)
            assert got == list(range(guest.first, guest.first + len(got))) and len(got) > 3
            await stream.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    asyncio.run(main())


def test_what_cannot_be_meant_is_refused(guest: Guest) -> None:
    server = server_of(guest)
    with Client() as client:
        for wrong in (
            lambda: client.output(server, ["12"]), lambda: client.output(server, "%0"), lambda: client.output(server),  # type: ignore[arg-type]
            lambda: client.output(server, session="main"), lambda: client.output(server, ["%0"], since=5),  # type: ignore[arg-type]
            lambda: client.events(kind="bogus"), lambda: client.events(pane="12"), lambda: client.events(session="0"),
            lambda: client.events(since="x"), lambda: client.events(since=-5),  # type: ignore[arg-type]
            lambda: client.publish("large", "x" * (1 << 20)),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                wrong()
        with pytest.raises(NoTarget):
            next(client.output("deadbeef", ["%0"]))
