"""The processes behind pipes: this test is the tmux server, its children are real."""

import contextlib
import os
import select
import signal
import subprocess
import sys

import pytest
from ctmux.services.keeper.hooks import pipe_command
from ctmux.services.keeper.writers import Writers
from harness import until


@contextlib.contextmanager
def forked():
    """A copy of us that is no program yet."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    try:
        yield
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(pid, 0)


def arrived(pid):
    """Whether it is a program with its words: they come a moment after the exec."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


@contextlib.contextmanager
def program(*command, **options):
    """A child that has become another program."""
    made = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
    until(lambda: arrived(made.pid))
    try:
        yield made
    finally:
        made.kill()
        made.communicate(timeout=5)


def pipe(directory, pane):
    """The shell of a pane's pipe, held up before its spool is there."""
    command = pipe_command(str(directory), "s1", f"p{pane}.17.w1.k").replace("##", "#").replace("%%", "%")
    return program("sh", "-c", command.replace("umask 077", "read go"))


@pytest.fixture
def directory(tmp_path):
    made = tmp_path / "it's #1 100%"
    made.mkdir()
    return made


def starting(directory, *panes, server=None, gone=False):
    return Writers(server or os.getpid(), str(directory)).starting(set(panes), gone)


def test_a_pipe_that_starts_is_its_panes(directory, tmp_path):
    with pipe(directory, 12):
        assert starting(directory, "%1", "%12", "%121") == {"%12"}
        assert starting(directory, "%1") == set()
        assert starting(tmp_path, "%12") == set()  # another server's, or another ctmux's
    assert starting(directory, "%12") == set()


def test_a_fork_may_become_anybodys_pipe(directory):
    with forked():
        assert starting(directory, "%1", "%2") == {"%1", "%2"}
    assert starting(directory, "%1", "%2") == set()


def test_a_child_that_has_ended_is_nobody(directory):
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert starting(directory, "%1") == set()
    child.wait(5)


def test_a_child_that_runs_the_servers_own_program_is_no_fork(directory):
    """A nested tmux, say, which may live for weeks."""
    with program(sys.executable, "-c", "input()"):
        assert starting(directory, "%1") == set()


def test_a_server_that_is_gone_has_left_its_pipes_to_others(directory):
    with pipe(directory, 3), forked(), program("cat") as other:
        assert starting(directory, "%3", server=other.pid) == set()
        assert starting(directory, "%3", "%4", server=other.pid, gone=True) == {"%3"}


def test_all_writers_are_ended_in_one_go_and_nobody_else(directory):
    paths = [str(directory / f"{number}.raw") for number in range(3)]
    with contextlib.ExitStack() as stack:
        cats = [stack.enter_context(program("cat", stdout=stack.enter_context(open(path, "wb")))) for path in paths]
        Writers(os.getpid(), str(directory)).end([*paths[:2], f"{directory}/gone.raw"])
        assert [cat.wait(5) for cat in cats[:2]] == [-signal.SIGTERM] * 2
        fd = os.pidfd_open(cats[2].pid)
        assert not select.select([fd], [], [], 0.05)[0]
        os.close(fd)


def test_what_is_written_though_nobody_can_read_it(directory):
    names = ["p1.17.w1.k", "p2.18.w1.k"]
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(program("cat", stdout=stack.enter_context(open(directory / f"{name}.raw", "wb"))))
        stack.enter_context(program("cat", stdout=stack.enter_context(open(directory / "theirs", "wb"))))
        (directory / f"{names[0]}.raw").unlink()
        assert Writers(os.getpid(), str(directory)).streams() == set(names)
    assert Writers(os.getpid(), str(directory)).streams() == set()
