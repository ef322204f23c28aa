"""Whom the keeper tells that a stream is matched: nobody before the matcher says so, and everybody when it cannot."""

import os
import shutil
import tempfile
from types import SimpleNamespace

import pytest
from ctmux.services.keeper.exits import Exits
from ctmux.services.keeper.finisher import Finisher
from ctmux.services.keeper.pane import Departed
from ctmux.services.keeper.spools import Spools
from ctmux.services.keeper.topology import Topology
from ctmux.shared import bus
from ctmux.shared.errors import CtmuxError
from ctmux.shared.messages import Finish, Status
from ctmux.shared.paths import Paths
from ctmux.shared.rpc import Server
from loop import Loop


def finish(stream):
    return Finish("aa", "$0", "%1", stream, 0, True, True)


class Matcher:
    """It fails at the streams in `fails`."""

    def __init__(self, server):
        self.fails = set()
        server.handle(Finish, self._finish)
        server.handle(Status, lambda _request, _reply: {})

    def _finish(self, request, _reply):
        if request.stream in self.fails:
            raise CtmuxError("too many open files")
        return {}


@pytest.fixture
def loop():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    context = bus.context()
    yield Loop(context, Paths("default", directory, directory))
    context.destroy(linger=0)
    shutil.rmtree(directory)


@pytest.fixture
def finisher(loop):
    return Finisher(loop, loop.paths.control("matcher"))


@pytest.fixture
def matcher(loop):
    server = Server(loop.context, loop.paths.control("matcher"))
    loop.register(server.socket, server.receive)
    return Matcher(server)


def test_what_fails_is_not_done_and_asked_again_behind_the_others(loop, finisher, matcher):
    matcher.fails = {"a"}
    done = []
    finisher.finish(finish("a"), lambda: done.append("a"), lambda: done.append("gone"))
    finisher.ask(finish("b"), lambda: done.append("b"))
    loop.run(lambda: "b" in done)
    assert done == ["b"] and finisher.busy
    matcher.fails = set()
    loop.run(lambda: not finisher.busy)
    assert done == ["b", "a"]


def test_a_matcher_that_fails_for_ever_hides_no_exit_and_is_asked_on(loop, finisher, matcher):
    matcher.fails = {"a"}
    done = []
    finisher.finish(finish("a"), lambda: done.append("a"), lambda: done.append("gone"))
    loop.run(lambda: done)
    assert done == ["gone"] and finisher.busy
    matcher.fails = set()
    loop.run(lambda: not finisher.busy)
    assert done == ["gone", "a"]


def test_a_close_asks_what_failed_before(loop, finisher, matcher):
    matcher.fails = {"a"}
    done = []
    finisher.ask(finish("a"), lambda: done.append("a"))
    finisher.ask(finish("b"), lambda: done.append("b"))
    finisher.close()
    loop.run(lambda: done == ["b"])
    matcher.fails = set()
    loop.run(lambda: not finisher.busy)
    assert done == ["b", "a"]


def test_without_a_matcher_the_exit_is_told_once(loop, finisher):
    done = []
    finisher.finish(finish("a"), lambda: done.append("a"), lambda: done.append("gone"))
    loop.run(lambda: done)
    assert done == ["gone"] and finisher.busy


def test_a_stream_that_the_matcher_failed_at_is_not_over(loop, finisher, matcher, tmp_path):
    """It would never be read again."""
    stream = "p1.1.w0.k"
    topology = Topology("aa", departed=[Departed("%1", "$0", stream, exited=True)])
    spools = Spools(str(tmp_path), "aa", SimpleNamespace(add=lambda server, stream: None), lambda session: True)
    os.mkdir(f"{spools.directory}/s0")
    open(f"{spools.directory}/s0/{stream}.raw", "wb").close()
    reporter = SimpleNamespace(topology=topology, report=lambda drafts: None)
    lookout = SimpleNamespace(gone=False)
    matcher.fails = {stream}
    Exits(loop, reporter, spools, finisher, None, lookout, None).finish(2.0)
    behind = []
    finisher.ask(finish("b"), lambda: behind.append("b"))
    loop.run(lambda: behind)
    assert not spools.is_over(stream) and topology.departed
    matcher.fails = set()
    loop.run(lambda: not topology.departed)
    assert spools.is_over(stream)
