"""How programs end, with real ones."""

import os
import queue
import select
import signal
import subprocess

import pytest
from ctmux.services.keeper.processes import Born, Closed, Ended, Processes, decode, wait_status
from ctmux.shared.spool import parse_stream

RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2])


class Program:
    """A program that waits until it is told how to end; the parent has not reaped it before `reap`."""

    def __init__(self):
        self._process = subprocess.Popen(["/bin/sh", "-c", "read how; eval $how"], stdin=subprocess.PIPE)
        self.pid = self._process.pid
        self.fd = os.pidfd_open(self.pid)

    def end(self, how):
        self._process.stdin.write(how.encode() + b"\n")
        self._process.stdin.close()

    def wait(self):
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        assert poll.poll(5000)

    def reap(self):
        return self._process.wait(5)

    def close(self):
        os.close(self.fd)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(5)
        if not self._process.stdin.closed:
            self._process.stdin.close()


@pytest.fixture
def program():
    made = Program()
    yield made
    made.close()


ENDS = [
    ("exit 0", {"exit_status": 0, "signal": None}),
    ("exit 7", {"exit_status": 7, "signal": None}),
    ("exit 255", {"exit_status": 255, "signal": None}),
    ("kill -TERM $$", {"exit_status": None, "signal": signal.SIGTERM}),
    ("kill -KILL $$", {"exit_status": None, "signal": signal.SIGKILL}),
    ("kill -HUP $$", {"exit_status": None, "signal": signal.SIGHUP}),
]


@pytest.mark.parametrize(("how", "status"), ENDS)
def test_a_program_that_was_not_reaped_yet(program, how, status):
    program.end(how)
    program.wait()
    assert decode(wait_status(program.fd, program.pid)) == status


@pytest.mark.parametrize(("how", "status"), ENDS)
def test_a_program_that_was_reaped_before_we_looked(program, how, status):
    """The pidfd has the status since Linux 6.15; before that it is unknown, never 0."""
    program.end(how)
    program.reap()
    known = decode(wait_status(program.fd, program.pid))
    assert known == (status if RELEASE >= (6, 15) else {"exit_status": None, "signal": None})


def test_a_program_that_runs_has_no_status(program):
    assert wait_status(program.fd, program.pid) is None


def test_unknown_is_not_zero():
    assert decode(None) == {"exit_status": None, "signal": None}


def test_a_core_dump_is_its_signal():
    assert decode(signal.SIGSEGV | 0x80) == {"exit_status": None, "signal": signal.SIGSEGV}


# ---- the thread ----------------------------------------------------------------------------------------------------


class Watched:
    """The thread, and its facts one by one as they come."""

    def __init__(self, root):
        self._woken = queue.Queue()
        self.processes = Processes(root, lambda: self._woken.put(None))

    def next(self):
        while not self.processes.facts:
            self._woken.get(timeout=5)
        return self.processes.facts.popleft()


@pytest.fixture
def root(tmp_path):
    (tmp_path / "aa" / "s1").mkdir(parents=True)
    return tmp_path


def named(pid, pane=1):
    return parse_stream(f"p{pane}.{pid}.w1.k")


def test_a_spool_appears_is_closed_and_its_program_ends(root, program):
    watched = Watched(str(root))
    watched.processes.watch_server("aa")
    stream = named(program.pid)
    with open(root / "aa" / "s1" / f"{stream.name}.raw", "wb"):
        assert watched.next() == Born("aa", "$1", stream)
    assert watched.next() == Closed("aa", stream)
    program.end("exit 7")
    assert watched.next() == Ended(program.pid, {"exit_status": 7, "signal": None})


def test_what_was_there_before(root, program):
    stream = named(program.pid)
    (root / "aa" / "s1" / f"{stream.name}.raw").touch()
    (root / "aa" / "s1" / "notes").touch()
    (root / "aa" / "meta").mkdir()
    watched = Watched(str(root))
    watched.processes.watch_server("aa")
    assert [watched.next(), watched.next()] == [Born("aa", "$1", stream), Closed("aa", stream)]
    program.end("kill -KILL $$")
    assert watched.next() == Ended(program.pid, {"exit_status": None, "signal": 9})


def test_a_session_that_comes_later(root, program):
    watched = Watched(str(root))
    watched.processes.watch_server("aa")
    (root / "aa" / "s22").mkdir()
    stream = named(program.pid)
    with open(root / "aa" / "s22" / f"{stream.name}.raw", "wb"):
        assert watched.next() == Born("aa", "$22", stream)
    facts = iter(watched.next, Closed("aa", stream))  # perhaps once more: the folder was listed, and its event came too
    assert set(facts) <= {Born("aa", "$22", stream)}


def test_a_program_that_is_watched_by_its_pid(root, program):
    watched = Watched(str(root))
    watched.processes.watch_program(program.pid)
    watched.processes.watch_program(program.pid)
    program.end("exit 3")
    assert watched.next() == Ended(program.pid, {"exit_status": 3, "signal": None})
    assert not watched.processes.facts


def test_a_program_that_is_gone_already(root, program):
    program.end("exit 0")
    program.reap()
    watched = Watched(str(root))
    for pid in (program.pid, 0, -1):
        watched.processes.watch_program(pid)
    assert not watched.processes.facts


def test_many_programs_that_live_for_a_moment(root):
    """Each spool appears before its program is reaped: every status is right or unknown, none is lost."""
    watched = Watched(str(root))
    watched.processes.watch_server("aa")
    programs = [
        subprocess.Popen(["/bin/sh", "-c", f"read go; exit {number}"], stdin=subprocess.PIPE) for number in range(20)
    ]
    for number, process in enumerate(programs):
        open(root / "aa" / "s1" / f"{named(process.pid, number).name}.raw", "wb").close()
    born = 0
    while born < len(programs):
        born += isinstance(watched.next(), Born)
    for process in programs:
        process.communicate(b"\n", timeout=5)
    ends = {}
    while len(ends) < len(programs):
        fact = watched.next()
        if isinstance(fact, Ended):
            ends[fact.pid] = fact.status["exit_status"]
    for number, process in enumerate(programs):
        assert ends[process.pid] in ((number,) if RELEASE >= (6, 15) else (number, None))
