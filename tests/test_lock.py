"""Locks that end with their holder."""

import os
import subprocess
import sys

import pytest
from ctmux.shared import lock
from ctmux.shared.errors import Refused


@pytest.fixture
def path(tmp_path):
    return f"{tmp_path}/role.lock"


def test_one_holder(path):
    fd = lock.acquire(path)
    assert fd is not None
    assert lock.acquire(path) is None
    assert lock.is_held(path)
    os.close(fd)
    assert not lock.is_held(path)
    again = lock.acquire(path)
    assert again is not None
    os.close(again)


def test_no_file_is_no_holder(path):
    assert not lock.is_held(path)
    assert not os.path.exists(path)


def test_only_its_owner_can_open_it(path):
    fd = lock.acquire(path)
    assert os.fstat(fd).st_mode & 0o777 == 0o600
    os.close(fd)


def process(code):
    """Another Python that has said "up"."""
    code = f"import sys; from ctmux.shared import lock; {code}"
    made = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False
    )
    assert made.stdout.readline() == "up\n"
    return made


UP = "print('up', flush=True)"


def test_a_killed_holder_holds_nothing(path):
    with process(f"fd = lock.acquire({path!r}); {UP}; sys.stdin.read()") as holder:
        assert lock.is_held(path)
        assert lock.acquire(path) is None
        holder.kill()
    assert not lock.is_held(path)


def test_a_child_of_the_holder_does_not_inherit_it(path):
    fd = lock.acquire(path)
    with process(f"{UP}; sys.stdin.read()"):
        os.close(fd)
        assert not lock.is_held(path)


def test_looking_never_keeps_somebody_from_taking(path):
    """`ctmux status` while a service starts: at every step of the look, somebody takes the lock."""
    os.close(lock.acquire(path))
    refused = []

    def at_every_step(_frame, event, argument):
        fd = lock.acquire(path)
        if fd is None:
            refused.append((event, argument))
        else:
            os.close(fd)

    sys.setprofile(at_every_step)
    try:
        lock.is_held(path)
    finally:
        sys.setprofile(None)
    assert refused == []


def test_what_is_no_directory_has_no_holder(path):
    open(path, "w").close()
    assert not lock.is_held(f"{path}/x")


def test_what_is_not_ours_to_see_is_said(path, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Refused, match=r"another user's: unset XDG_RUNTIME_DIR"):
        lock.is_held(path)
