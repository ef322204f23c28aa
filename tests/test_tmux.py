"""Asking tmux: whose sockets are trusted, and whether a server is still there."""

import os
import time

import pytest
from ctmux.services.keeper.alive import is_alive
from ctmux.shared import tmux


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where tmux keeps its sockets."""
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    return tmp_path / f"tmux-{os.geteuid()}"


@pytest.mark.parametrize("mode", [0o701, 0o704, 0o777])
def test_a_directory_that_is_not_ours_alone_is_not_trusted(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(tmux.Untrusted, match=r"not yours alone.*TMUX_TMPDIR"):
        tmux.identify(f"{folder}/default")


def test_a_link_is_not_trusted(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(tmux.Untrusted):
        tmux.run(f"{folder}/default", "list-sessions")


def test_what_somebody_has_chosen_is_asked(folder, tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(tmux.ServerGone):
        tmux.identify(f"{tmp_path}/mine")
    folder.mkdir(mode=0o700)
    with pytest.raises(tmux.ServerGone):
        tmux.identify(f"{folder}/default")


def test_a_server_that_does_not_answer_is_there_if_its_process_is(tmp_path):
    mine = tmux.ServerInfo(f"{tmp_path}/none", os.getpid(), 0, "3.3a")
    began = next(at for at in range(int(time.time()), 0, -1) if is_alive(mine._replace(started=at)))
    assert began <= time.time() and not is_alive(mine._replace(started=began - 3600))  # its number is used again
    assert not is_alive(mine._replace(pid=2**22 + 1, started=began))


def test_a_server_that_has_ended_is_not_there_though_nobody_has_reaped_it(tmp_path):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    now = int(time.time())
    assert not any(is_alive(tmux.ServerInfo(f"{tmp_path}/none", child, at, "3.3a")) for at in range(now - 9, now + 2))
    os.waitpid(child, 0)


def test_where_tmux_keeps_its_sockets(tmp_path, monkeypatch):
    name = f"tmux-{os.geteuid()}"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for chosen, base in {"real/": "real", "link": "real"}.items():
        monkeypatch.setenv("TMUX_TMPDIR", f"{tmp_path}/{chosen}")
        assert tmux.socket_directory() == f"{tmp_path}/{base}/{name}"
    for chosen in ("", f"{tmp_path}/none"):  # it does not make this directory, and we would take it for ours then
        monkeypatch.setenv("TMUX_TMPDIR", chosen)
        assert tmux.socket_directory() == f"{os.path.realpath('/tmp')}/{name}"
