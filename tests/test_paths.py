"""Where an instance lives, and that nobody else can get there."""

import os

import pytest
from ctmux.shared.counted import counted
from ctmux.shared.errors import Refused, UsageError
from ctmux.shared.paths import LONGEST_SOCKET, SOCKET_PATH_MAX, check_socket_path, ensure_private, resolve

EUID = os.geteuid()
ROOM = SOCKET_PATH_MAX - LONGEST_SOCKET  # bytes that a runtime directory may have


@pytest.mark.parametrize(
    ("environ", "runtime"),
    [
        ({}, f"/tmp/ctmux-{EUID}/default"),
        ({"XDG_RUNTIME_DIR": ""}, f"/tmp/ctmux-{EUID}/default"),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/ctmux/default"),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "CTMUX_INSTANCE": "ci"}, "/run/user/7/ctmux/ci"),
        ({"XDG_RUNTIME_DIR": "/run/user/7", "CTMUX_RUNTIME_DIR": "/x/y/"}, "/x/y"),
    ],
)
def test_runtime_directory(environ, runtime):
    assert resolve(environ).runtime == runtime


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({"XDG_STATE_HOME": "/s"}, "/s/ctmux/default"),
        ({"XDG_STATE_HOME": "/s", "CTMUX_INSTANCE": "ci"}, "/s/ctmux/ci"),
        ({"XDG_STATE_HOME": "/s", "CTMUX_STATE_DIR": "/t"}, "/t"),
        ({"HOME": "/home/ada"}, "/home/ada/.local/state/ctmux/default"),
    ],
)
def test_state_directory(environ, state):
    assert resolve(environ).state == state


def test_an_instance_that_is_asked_for_wins():
    assert resolve({"CTMUX_INSTANCE": "ci"}, "mine").instance == "mine"


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "é", "²", "-", "a\n", "a.b", "x" * 33, "%h"])
def test_impossible_instance_names(name):
    with pytest.raises(UsageError, match="instance name"):
        resolve({}, name)


@pytest.mark.parametrize("name", ["a", "A-1_b", "0", "x" * 32])
def test_possible_instance_names(name):
    assert resolve({}, name).runtime.endswith(f"/{name}")


@pytest.mark.parametrize("excess", [1, 30])
def test_a_path_too_long_says_by_how_much_and_what_to_set(excess):
    with pytest.raises(UsageError, match=f"by {counted(excess, 'byte')}.*set CTMUX_RUNTIME_DIR"):
        resolve({"CTMUX_RUNTIME_DIR": "/" + "x" * (ROOM - 1 + excess)})


def test_the_longest_directory_has_room_for_the_longest_socket():
    paths = resolve({"CTMUX_RUNTIME_DIR": "/" + "x" * (ROOM - 1)})
    for address in (paths.publishers, paths.subscribers, paths.notices, paths.control("watcher-0123abcd-99999")):
        check_socket_path(address, "CTMUX_RUNTIME_DIR")


def test_bytes_count_and_not_characters():
    with pytest.raises(UsageError, match="too long"):
        resolve({"CTMUX_RUNTIME_DIR": "/" + "é" * (ROOM - 1)})


@pytest.mark.parametrize("setting", ["CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR"])
def test_control_characters(setting):
    with pytest.raises(UsageError, match="control characters"):
        resolve({setting: "/tmp/a\nb"})


def test_nothing_is_made_by_resolving(tmp_path):
    resolve({"CTMUX_RUNTIME_DIR": f"{tmp_path}/run"[:ROOM], "CTMUX_STATE_DIR": f"{tmp_path}/state"})
    assert list(tmp_path.iterdir()) == []


# ---- private directories -------------------------------------------------------------------------------------------


def test_made_with_its_parents_and_accepted_again(tmp_path):
    directory = tmp_path / "a" / "b" / "run"
    ensure_private(str(directory))
    assert directory.stat().st_mode & 0o777 == 0o700
    ensure_private(str(directory))


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770])
def test_open_to_others(tmp_path, mode):
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(Refused, match=f"mode {mode:04o}.*chmod 700"):
        ensure_private(str(directory))


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to("target")
    with pytest.raises(Refused, match="a link is not accepted"):
        ensure_private(str(tmp_path / "run"))


def test_a_dangling_link_is_not_followed(tmp_path):
    (tmp_path / "run").symlink_to("nowhere")
    with pytest.raises(Refused, match="a link is not accepted"):
        ensure_private(str(tmp_path / "run"))
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_not_a_directory(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(Refused, match="is not a directory"):
        ensure_private(str(tmp_path / "run"))


@pytest.mark.skipif(EUID != 0, reason="only root can give a directory away")
def test_a_foreign_owner(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir(mode=0o700)
    os.chown(directory, 12345, 12345)
    with pytest.raises(Refused, match="belongs to user 12345"):
        ensure_private(str(directory))


def test_a_parent_that_cannot_be_is_told_in_one_line(tmp_path):
    """As XDG_RUNTIME_DIR of another user after `su`: nothing can be made there."""
    (tmp_path / "file").touch()
    with pytest.raises(Refused):
        ensure_private(str(tmp_path / "file" / "run"))


def test_the_parent_in_tmp_is_checked_like_our_own(tmp_path):
    """Anybody can make /tmp/ctmux-<uid> first."""
    parent = f"/tmp/ctmux-test-{os.getpid()}"
    os.symlink(tmp_path, parent)
    try:
        with pytest.raises(Refused, match="a link is not accepted"):
            ensure_private(f"{parent}/default")
        assert list(tmp_path.iterdir()) == []
        os.unlink(parent)
        os.symlink(tmp_path / "nowhere", parent)
        with pytest.raises(Refused):
            ensure_private(f"{parent}/default")
    finally:
        os.unlink(parent)
