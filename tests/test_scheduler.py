"""Actions in their turn, with real processes: bounds, ends, refusals, and that the last end calls back."""

import shutil
import tempfile
from typing import Any

import pytest
from ctmux.services.runner.book import Book
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.means import Means
from ctmux.services.runner.scheduler import Scheduler
from ctmux.shared import bus
from ctmux.shared.config import RunnerConfig
from ctmux.shared.errors import NoTarget, Refused
from ctmux.shared.messages import Draft, Event
from ctmux.shared.paths import Paths
from ctmux.shared.policy import Policy
from loop import Loop

EVENT = Event(7, "2026-01-01T00:00:00.000000Z", "x.matched", "srv", "$0", None, "%1", "s1", {}, {}, "p", 7, "", [])
SLEEP, TRUE = ["sleep", "1000"], ["true"]


class World:
    """A scheduler in a loop; what it says is listed."""

    def __init__(self, directory: str, **config: Any):
        self.context = bus.context()
        self.loop = Loop(self.context, Paths("default", directory, directory))
        self.book = Book(RunnerConfig(**config))
        self.policy = Policy()
        self.ends: list[tuple[str, str]] = []
        self.data: list[dict[str, Any]] = []
        means = Means(self.loop, RunnerConfig(**config), self.book, self._policy, "token", "log", self.told)
        self.starts: list[str] = []
        self.scheduler = Scheduler(means, self._report)
        self.left: list[int] = []

    def _policy(self) -> Policy:
        if not self.policy.actions:
            raise Refused("runs no actions")
        return self.policy

    def told(self, made: list[Draft]) -> None:
        self.starts += [draft.data["action"] for draft in made]

    def _report(self, draft: Draft, intent: Intent) -> None:
        self.ends.append((intent.id, draft.kind.partition(".")[2]))
        self.data.append(draft.data)

    def add(self, id: str, argv: list[str], attempt: int = 1, **more: Any) -> None:
        self.book.load.wait("s1")
        spec = {"do": "run", "argv": argv, **more}
        self.scheduler.add(Intent(id, 7, "s1", None, 0, spec, attempt, 0, EVENT))

    def stop(self) -> None:
        self.scheduler.stop(lambda: self.left.append(len(self.ends)))

    def until_ended(self, count: int) -> None:
        self.loop.run(lambda: len(self.ends) == count)


@pytest.fixture
def world():
    directory = tempfile.mkdtemp(dir="/tmp")  # short: a socket's path has 107 bytes
    made = World(directory)
    yield made
    made.scheduler.kill()
    made.loop.run(lambda: not made.scheduler.running)
    made.context.destroy(linger=0)
    shutil.rmtree(directory)


def test_no_more_at_once_than_its_bound_and_the_next_when_one_ends(world):
    for n in range(3):
        world.add(f"a{n}", SLEEP, concurrency=2)
    assert world.scheduler.running == world.starts == ["a0", "a1"] and world.scheduler.waiting == 1
    world.scheduler.cancel("a0")
    world.loop.run(lambda: world.scheduler.running == ["a1", "a2"])
    assert world.ends == [("a0", "finished")]
    assert (world.data[0]["signal"], world.data[0]["reason"]) == ("SIGTERM", "cancelled")


def test_a_stop_calls_back_when_the_last_end_is_reported(world):
    world.add("runs", SLEEP, concurrency=2)
    world.add("again", SLEEP, concurrency=2, deliver="at-least-once")
    world.add("waits", SLEEP, concurrency=2)
    world.stop()
    assert world.ends == [("waits", "interrupted")] and world.left == []
    world.loop.run(lambda: world.left)
    assert sorted(world.ends[1:]) == [("again", "interrupted"), ("runs", "interrupted")]
    assert [data["again"] for data in world.data] == [id == "again" for id, _kind in world.ends]
    world.add("late", TRUE)
    assert world.ends[-1] == ("late", "interrupted") and world.left == [3]


def test_the_last_attempt_that_is_stopped_announces_no_other(world):
    for attempt in (19, 20):
        world.add(f"a{attempt}", SLEEP, attempt, concurrency=2, deliver="at-least-once")
    world.stop()
    world.loop.run(lambda: world.left)
    assert {id: data["again"] for (id, _kind), data in zip(world.ends, world.data, strict=True)} == {
        "a19": True,
        "a20": False,
    }


def test_a_stop_of_nothing_calls_back_at_once(world):
    world.stop()
    assert world.left == [0]


def test_what_could_not_be_intended_waits_no_more(world):
    world.book.load.wait("s1")
    world.scheduler.refuse(Intent("a0", 7, "s1", None, 0, {"do": "kill"}, 1, 0, EVENT), "too long")
    assert world.ends == [("a0", "refused")] and world.book.load.waiting("s1") == 0
    assert world.data[0]["reason"] == "its intent cannot be written to the log: too long"


def test_what_is_cancelled_before_its_turn_is_not_started(world):
    world.add("runs", SLEEP, concurrency=1)
    world.add("waits", SLEEP, concurrency=1)
    world.scheduler.cancel("waits")
    assert world.ends == [("waits", "interrupted")] and world.scheduler.waiting == 0
    with pytest.raises(NoTarget):
        world.scheduler.cancel("waits")


def test_what_is_not_allowed_when_its_turn_comes_is_refused_and_the_next_has_its(world):
    world.add("runs", TRUE, concurrency=1)
    world.add("waits", TRUE, concurrency=1)
    world.policy = Policy(actions=False)
    world.until_ended(2)
    world.policy = Policy()
    world.add("next", TRUE, concurrency=1)
    world.add("none", ["/no/such/program"], concurrency=1)
    world.until_ended(4)
    kinds = ["finished", "refused", "finished", "finished"]
    assert world.ends == list(zip(("runs", "waits", "next", "none"), kinds, strict=True))
    assert "no actions" in world.data[1]["reason"] and "no program" in world.data[3]["reason"]
    assert world.starts == ["runs", "next"] and world.scheduler.running == []
