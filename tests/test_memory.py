"""What a runner knows when it begins: of a log, with a snapshot or without; the logger's own ledger numbers it."""

from typing import Any

import pytest
from ctmux.services.logger.ledger import Ledger
from ctmux.services.runner import drafts
from ctmux.services.runner.book import Book
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.memory import Memory
from ctmux.services.runner.snapshot import Snapshot
from ctmux.shared.codec import event_line
from ctmux.shared.config import RunnerConfig
from ctmux.shared.errors import NoDaemon
from ctmux.shared.journal import fits
from ctmux.shared.messages import Draft, Event, Filter, Get, Positions, Request, Status, Subscriptions

RUN = {"do": "run", "argv": ["/bin/true"]}
RATED = {**RUN, "rate": [2, 60.0]}


def allow(_key, _action):
    return None


class Instance:
    """The roles that a runner asks, which answer from lists."""

    def __init__(self) -> None:
        self.ledger = Ledger("log")
        self.events: list[Event] = []
        self.first = 1  # what is before it is not kept any more
        self.page = 3
        self.damaged: set[int] = set()
        self.armed: list[dict[str, Any]] | None = None  # as the matcher says it; None: it does not answer
        self.servers: list[dict[str, Any]] = []

    def ask(self, role: str, request: Request) -> dict[str, Any]:
        match role, request:
            case "logger", Status():
                return {"head": self.ledger.head, "log": self.ledger.log, "first": self.first}
            case "logger", Positions(producers):
                return {"positions": self.ledger.positions(producers, 1 << 18)}
            case "logger", Get(since, limit, wanted):
                found = [event for event in self.events if event.n >= max(since, self.first)]
                page = found[: min(limit, self.page)]
                lines = [self._line(event) for event in page if fits(event, Filter(*wanted))]
                return {"lines": lines, "next": page[-1].n + 1 if page else since}
            case "matcher", Subscriptions(after) if self.armed is not None:
                more = after + 1 < len(self.armed)
                return {"subscriptions": self.armed[after : after + 1], "next": after + 1 if more else None}
            case "keeper", Status():
                return {"servers": self.servers}
        raise NoDaemon(role)

    def _line(self, event: Event) -> bytes:
        return b"{" if event.n in self.damaged else event_line(event)

    def write(self, *made: Draft) -> list[Event]:
        events = self.ledger.accept(list(made))
        self.ledger.commit(events)
        self.events += events
        return events

    def say(self, kind: str, at: float = 1000.0, of: str | None = None, **data: Any) -> Event:
        n = self.ledger.head + 1
        (event,) = self.write(Draft("p", n, "", kind, at, "srv", "$0", None, "%1", of, data))
        return event

    def arm(self, *specs: dict[str, Any], id: str = "s1") -> Event:
        return self.say("subscription.created", of=id, subscription=shown(id, *specs))

    def fire(self, at: float = 1000.0) -> Event:
        return self.say("pattern.matched", at, "s1", line="x")

    def intend(self, event: Event, at: int = 0, attempt: int = 1, **spec: Any) -> Intent:
        made = Intent(f"{event.n}.s1.{at}", event.n, "s1", None, at, {**RUN, **spec}, attempt, 0, event)
        self.write(drafts.intended("log", made)._replace(time=1000.0))
        return made


def shown(id: str, *specs: dict[str, Any]) -> dict[str, Any]:
    """A subscription as the matcher shows it."""
    return {"id": id, "name": None, "actions": list(specs), "armed_by": None, "start": "now"}


@pytest.fixture
def instance() -> Instance:
    return Instance()


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "actions.json")


def begin(instance: Instance, path: str) -> tuple[Memory, Book]:
    book = Book(RunnerConfig())
    return Memory(instance.ask, path, book), book


def test_in_a_log_in_which_nothing_was_armed_all_is_decided(instance, path):
    for _ in range(10):
        instance.say("pane.opened")
    memory, book = begin(instance, path)
    assert (memory.since, memory.decided, memory.log, memory.known) == (11, 10, "log", frozenset())
    assert not book.registry.armed and not memory.unfinished()


def test_without_a_snapshot_it_begins_where_the_first_was_armed(instance, path):
    instance.say("server.found", socket="/run/tmux")
    instance.arm(id="s0")  # without an action
    armed = instance.arm(RUN)
    instance.fire()
    memory, book = begin(instance, path)
    assert (memory.since, memory.decided) == (armed.n, armed.n - 1)
    assert book.registry.sockets == {"srv": "/run/tmux"}


def test_what_was_decided_last_is_known_and_all_before_it(instance, path):
    instance.arm(RUN, RUN)
    first, second = instance.fire(), instance.fire()
    instance.intend(first)
    instance.intend(second, at=1)
    memory, book = begin(instance, path)
    assert (memory.decided, memory.known) == (second.n - 1, frozenset({"s1/1"}))
    (one,) = book.decide(second, 1000.0, allow, memory.known)
    assert isinstance(one, Intent) and one.at == 0


def test_a_snapshot_says_it_all_and_the_log_what_came_since(instance, path):
    instance.arm(RATED)
    book = Book(RunnerConfig())
    for event in instance.events:
        book.learn(event)
    Snapshot.take("log", 1, 2, book).save(path)
    first, second, third = (instance.fire() for _ in range(3))
    instance.intend(first)
    instance.intend(second)
    instance.say("action.finished", action=f"{first.n}.s1.0", attempt=1)
    instance.first = 2  # that it was armed is not in the log any more
    memory, book = begin(instance, path)
    assert (memory.since, memory.decided) == (2, second.n - 1)
    assert [left.intent.n for left in memory.unfinished()] == [second.n]
    for event in (first, second, third):
        memory.hear(event)
    assert [one.code for one in book.decide(third, 1000.0, allow)] == ["rate"]


def test_rates_count_by_the_time_of_the_cause_however_late_its_intent_was(instance, path):
    instance.arm(RATED)
    first, second, third = (instance.fire(at) for at in (900.0, 1000.0, 1010.0))
    instance.intend(first)  # at 1000
    instance.intend(second)
    memory, book = begin(instance, path)
    for event in (first, second):
        memory.hear(event)
    assert [type(one) for one in book.decide(third, 1010.0, allow)] == [Intent]


@pytest.mark.parametrize("change", [{"log": "other"}, {"n": 100}, {"format": 0}, None])
def test_a_snapshot_of_another_log_or_ahead_of_it_or_damaged_is_not_believed(instance, path, change, tmp_path):
    armed = instance.arm(RUN)
    instance.fire()
    Snapshot.take("log", 2, 3, Book(RunnerConfig())).save(path)
    assert begin(instance, path)[0].since == 3
    text = (tmp_path / "actions.json").read_text()
    wanted = {"log": '"log": "log"', "n": '"n": 2', "format": '"format": 1'}
    for key, value in (change or {}).items():
        said = f'"{value}"' if isinstance(value, str) else value
        text = text.replace(wanted[key], f'"{key}": {said}')
    (tmp_path / "actions.json").write_text(text if change else text[:-1])
    memory, _book = begin(instance, path)
    assert memory.since == armed.n


def test_what_is_open_has_its_cause_and_whether_another_attempt_was_announced(instance, path):
    instance.arm(*[RUN] * 5)
    event = instance.fire()
    over, under_way, again, second, refused = (instance.intend(event, at) for at in range(5))
    instance.write(drafts.finished(over, {}))
    instance.write(drafts.refused(refused, "not allowed"))
    instance.write(drafts.interrupted(again, "killed", again=True))
    instance.write(drafts.interrupted(second, "killed", again=True))
    second = instance.intend(event, 3, attempt=2)
    instance.write(drafts.interrupted(second._replace(attempt=1), "late", again=False))  # of the attempt before
    memory, _book = begin(instance, path)
    left = [(one.intent.at, one.intent.attempt, one.announced) for one in memory.unfinished()]
    assert left == [(under_way.at, 1, False), (again.at, 1, True), (second.at, 2, False)]
    assert all(one.intent.event == event for one in memory.unfinished())


def test_a_cause_that_is_damaged_or_no_longer_kept_is_none(instance, path):
    instance.arm(RUN, RUN)
    first, second = instance.fire(), instance.fire()
    instance.intend(first)
    instance.intend(second)
    memory, _book = begin(instance, path)
    instance.first, instance.damaged = second.n, {second.n}
    assert [one.intent.event for one in memory.unfinished()] == [None, None]


def test_what_is_older_than_the_log_is_known_by_matcher_and_keeper(instance, path):
    instance.arm(RUN, id="s9")
    instance.say("subscription.ended", of="s9")
    instance.fire()
    instance.first = 2
    instance.armed = [shown("s2"), shown("s1", RUN)]
    instance.servers = [{"server": "srv", "socket": "/run/tmux"}]
    memory, book = begin(instance, path)
    assert list(book.registry.armed) == ["s1"] and book.registry.sockets == {"srv": "/run/tmux"}
    assert memory.since == 2


def test_a_full_disk_keeps_no_snapshot_and_ends_nothing(tmp_path, capsys):
    Snapshot.take("log", 1, 2, Book(RunnerConfig())).save(str(tmp_path / "none" / "actions.json"))
    assert "No such file" in capsys.readouterr().out
