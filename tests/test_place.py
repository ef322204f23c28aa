"""Where spools lie: where their space can be given back."""

import os

import pytest
from ctmux.shared import place
from ctmux.shared.errors import Refused
from ctmux.shared.paths import Paths
from disks import fill, mounted


@pytest.fixture
def paths(tmp_path):
    (tmp_path / "run").mkdir(mode=0o700)
    return Paths("default", str(tmp_path / "run"), str(tmp_path / "state"))


@pytest.fixture
def unable(paths):
    """The runtime directory on a file system that cannot punch holes; a real one."""
    with mounted(paths.runtime, "ramfs"):
        yield paths


def test_in_the_runtime_directory(paths):
    assert place.settle(paths) and not os.path.islink(paths.spool)
    assert os.stat(paths.spool).st_mode & 0o777 == 0o700
    assert place.settle(paths)
    place.release(paths)
    assert os.path.isdir(paths.spool)


def test_elsewhere(unable, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(place, "others", lambda: ["/nowhere", unable.runtime, str(tmp_path / "other")])
    assert not place.can_reclaim(unable.runtime)
    assert place.settle(unable) and os.path.islink(unable.spool)
    real = os.path.realpath(unable.spool)
    assert os.path.dirname(real) == str(tmp_path / "other") and os.stat(real).st_mode & 0o777 == 0o700
    open(f"{unable.spool}/x", "w").close()
    assert place.settle(unable)  # the next start finds it there
    place.release(unable)
    assert os.path.exists(f"{real}/x")  # not empty: it stays
    os.unlink(f"{real}/x")
    place.release(unable)
    assert not os.path.lexists(unable.spool) and not os.path.exists(real)


def test_a_place_that_is_gone_is_made_again(unable, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(place, "others", lambda: [str(tmp_path / "other")])
    place.settle(unable)
    os.rmdir(os.path.realpath(unable.spool))
    assert place.settle(unable) and os.path.isdir(unable.spool)


def test_nowhere(unable, monkeypatch):
    monkeypatch.setattr(place, "others", lambda: ["/nowhere", unable.runtime])
    assert not place.settle(unable)
    assert os.path.isdir(unable.spool) and not os.path.islink(unable.spool)


def test_what_others_may_enter_is_refused(unable, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(place, "others", lambda: [str(tmp_path / "other")])
    place.settle(unable)
    os.chmod(os.path.realpath(unable.spool), 0o755)
    with pytest.raises(Refused, match="open to others"):
        place.settle(unable)


def test_a_name_that_somebody_else_has_taken_is_passed_over(unable, tmp_path, monkeypatch):
    for base in ("taken", "free"):
        (tmp_path / base).mkdir()
    monkeypatch.setattr(place, "others", lambda: [str(tmp_path / "taken"), str(tmp_path / "free")])
    place.settle(unable)
    name = os.path.basename(os.path.realpath(unable.spool))
    os.unlink(unable.spool)
    os.chmod(tmp_path / "taken" / name, 0o777)
    assert place.settle(unable)
    assert os.path.dirname(os.path.realpath(unable.spool)) == str(tmp_path / "free")


def test_a_full_disk_is_no_reason(paths):
    with mounted(paths.runtime, "tmpfs", "size=1m"):
        fill(f"{paths.runtime}/ballast")
        assert place.can_reclaim(paths.runtime)
