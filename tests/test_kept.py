"""How long spools of panes that have ended are kept, real files, with timers of our own."""

import os

import pytest
from ctmux.services.keeper.kept import Kept
from ctmux.shared import spool
from ctmux.shared.config import KeeperConfig
from ctmux.shared.service import Timer

KIB = 1 << 10


class Keeper:
    """A directory of spools, and a `Kept` of them that may be started anew."""

    def __init__(self, root, seconds=3600.0, kib=100):
        self.root, self.tidied = root, []
        self._config = KeeperConfig(keep_seconds=seconds, keep_bytes=kib * KIB)
        self.start()

    def start(self):
        self.timers = []
        self.kept = Kept(self, self.root, self._config, lambda *folder: self.tidied.append(folder))
        self.kept.load()

    def after(self, seconds, action):
        self.timers.append((seconds, Timer(action)))
        return self.timers[-1][1]

    def end(self, pane, kib, server="aa", session="s1"):
        """A pane has ended that printed so much."""
        name = f"p{pane}.1.w1.k"
        path = f"{self.root}/{server}/{session}/{name}.raw"
        for folder in (os.path.dirname(path), f"{self.root}/{server}/meta"):
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"x" * kib * KIB)
        for suffix in ("done", "idx", "history"):
            open(f"{self.root}/{server}/meta/{name}.{suffix}", "wb").close()
        self.kept.add(server, name)
        return path

    @property
    def left(self):
        return [int(found.stream.pane[1:]) for found in spool.walk(self.root)]


@pytest.fixture
def root(tmp_path):
    return str(tmp_path)


def test_the_oldest_go_when_they_are_too_large_together(root):
    keeper = Keeper(root)
    for pane in range(1, 10):
        keeper.end(pane, 20)
    assert keeper.left == [5, 6, 7, 8, 9]
    assert sorted({name.split(".")[0] for name in os.listdir(f"{root}/aa/meta")}) == ["p5", "p6", "p7", "p8", "p9"]
    assert keeper.tidied == [("aa", "$1")] * 4 and len(keeper.timers) == 1
    keeper.end(10, 90)
    assert keeper.left == [10]


def test_the_servers_share_the_space(root):
    keeper = Keeper(root)
    keeper.end(1, 60, server="bb", session="s4")
    keeper.end(2, 60)
    assert keeper.left == [2] and keeper.tidied == [("bb", "$4")]


def test_the_newest_stays_however_large(root):
    keeper = Keeper(root)
    keeper.end(1, 10)
    keeper.end(2, 500)
    assert keeper.left == [2]


def test_only_what_is_on_the_disk_counts(root):
    keeper = Keeper(root)
    for pane in range(1, 5):
        path = keeper.end(pane, 1)
        os.truncate(path, 1 << 30)
    assert keeper.left == [1, 2, 3, 4]
    paths = [keeper.end(pane, 40) for pane in (5, 6)]
    for path in paths:
        os.truncate(path, 4 * KIB)  # its watcher was behind
    keeper.end(7, 40)
    assert 5 in keeper.left and 6 in keeper.left


def test_what_was_kept_before_counts_in_the_order_of_its_ends(root):
    keeper = Keeper(root)
    for pane, ended in ((1, 300), (2, 100), (3, 200)):
        os.utime(keeper.end(pane, 30).replace("/s1/", "/meta/").replace(".raw", ".done"), (ended, 1e10 + ended))
    keeper.start()
    assert keeper.left == [1, 2, 3]  # nothing goes before it is known who looks at the folders
    keeper.end(4, 30)
    assert keeper.left == [1, 3, 4]


def test_what_is_told_twice_counts_once(root):
    keeper = Keeper(root)
    keeper.end(1, 60)
    keeper.end(1, 60)
    keeper.end(2, 30)
    assert keeper.left == [1, 2]


def test_they_go_after_a_while_by_one_timer(root):
    keeper = Keeper(root, seconds=1e-9)
    keeper.end(1, 1)
    keeper.end(2, 1)
    [(seconds, timer)] = keeper.timers
    assert seconds < 0.001
    timer.action()
    assert keeper.left == [] and os.listdir(f"{root}/aa/meta") == [] and len(keeper.timers) == 1
    keeper.end(3, 1)
    assert len(keeper.timers) == 2
