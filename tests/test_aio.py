"""A stream of the asyncio client whose waits are cancelled again and again, with a real socket."""

import asyncio
import gc
import shutil
import tempfile

import pytest
import zmq
import zmq.asyncio
from ctmux.client import aio
from ctmux.client.script import Ask
from ctmux.shared.codec import encode_failure, encode_reply
from ctmux.shared.errors import CtmuxError, UsageError
from ctmux.shared.messages import Status
from ctmux.shared.paths import Paths

A_MOMENT = 0.02  # seconds


class Logger:
    """It answers when the test says so."""

    def __init__(self, context, paths):
        self._socket = context.socket(zmq.ROUTER)
        self._socket.bind(f"ipc://{paths.control('logger')}")

    async def asked_by(self, stream):
        """The next request of a stream, whose waits are given up: who asks, and its number."""
        while not await self.is_asked():
            await give_up(stream)
        peer, number, _request = await self._socket.recv_multipart()
        return peer, number

    async def answer(self, asked, body):
        await self._socket.send_multipart([*asked, body])

    async def is_asked(self):
        return bool(await self._socket.poll(0))


class Heads:
    """A follower whose items are the answers to two questions."""

    live, position = False, None

    def follow(self):
        for _ in range(2):
            yield (yield Ask("logger", Status()))["head"]


@pytest.fixture
def paths(monkeypatch):
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    monkeypatch.setattr(aio, "require", lambda _paths: None)
    monkeypatch.setattr(aio, "TRY", 5.0)  # nothing is asked twice because the machine is busy
    yield Paths("default", directory, directory)
    shutil.rmtree(directory)


@pytest.fixture
def run(paths):
    """Runs a test of a stream and its logger; nobody complains of what is left."""

    def run(test):
        complaints = []

        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
            async with aio.AsyncClient() as client:
                client.paths = paths
                logger = Logger(client._context, paths)
                stream = aio.AsyncStream(client, Heads(), None, b"")
                await test(stream, logger)
                await stream.aclose()
                assert asyncio.all_tasks() == {asyncio.current_task()}
            del stream
            gc.collect()

        asyncio.run(main())
        gc.collect()
        assert complaints == []

    return run


async def give_up(stream):
    """Wait for the next item, for a moment."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), A_MOMENT)


def test_a_question_outlives_the_wait_for_its_answer(run):
    async def test(stream, logger):
        for head in (5, 6):
            asked = await logger.asked_by(stream)
            await give_up(stream)
            await give_up(stream)
            await logger.answer(asked, encode_reply({"head": head}))
            assert await anext(stream) == head
            assert not await logger.is_asked()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(test)


def test_an_answer_that_nobody_waits_for_is_kept(run):
    async def test(stream, logger):
        await logger.answer(await logger.asked_by(stream), encode_reply({"head": 5}))
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert await anext(stream) == 5

    run(test)


@pytest.mark.parametrize("error", [UsageError("no"), CtmuxError("no")])
def test_an_error_that_nobody_waits_for_is_raised_by_the_next(run, error):
    async def test(stream, logger):
        await logger.answer(await logger.asked_by(stream), encode_failure(error))
        with pytest.raises(type(error), match="no"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(test)


def test_a_question_ends_with_its_stream(run):
    async def test(stream, logger):
        await logger.asked_by(stream)

    run(test)


def test_a_question_ends_with_a_stream_that_is_left_alone(run, paths):
    async def test(stream, logger):
        left = aio.AsyncStream(stream._client, Heads(), None, b"")
        await logger.asked_by(left)
        del left
        gc.collect()
        [question] = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait([question])
        assert question.cancelled()

    run(test)
