"""Which events set off what, and which do not: as data."""

import itertools
from typing import Any

from ctmux.services.runner.book import Book
from ctmux.services.runner.intent import Intent
from ctmux.services.runner.tallies import Tally
from ctmux.shared.actions import Action
from ctmux.shared.codec import timestamp
from ctmux.shared.config import RunnerConfig
from ctmux.shared.messages import Event

RUN = {"do": "run", "argv": ["/bin/true"]}
CONFIG = RunnerConfig(rate_events=3, rate_seconds=60.0, queue=5, max_age=30.0, loop_depth=2, loop_seconds=10.0)


def event(n: int, at: float = 1000.0, kind: str = "pattern.matched", pane: str = "%1", **data: Any) -> Event:
    return Event(n, timestamp(at), kind, "srv", "$0", None, pane, "s1", {"line": "x", **data}, {}, "p", n, "", [])


def book(*specs: dict[str, Any], depth: int = 0, **config: Any) -> Book:
    made = Book(CONFIG._replace(**config))
    made.registry.arm({"id": "s1", "name": "n", "actions": list(specs or [RUN]), "armed_by": {"depth": depth}})
    return made


def allow(_key: str, _action: Action) -> str | None:
    return None


def decide(made: Book, one: Event, now: float = 1000.0, **more: Any) -> list[str]:
    found = made.decide(one, now, allow, **more)
    return ["run" if isinstance(decision, Intent) else decision.code for decision in found]


def test_each_action_of_a_subscription_is_decided_by_itself():
    made = book(RUN, {**RUN, "rate": [1, 60.0]})
    assert decide(made, event(1)) == ["run", "run"]
    assert decide(made, event(2)) == ["run", "rate"]
    assert [one.id for one in made.decide(event(3), 1000.0, allow) if isinstance(one, Intent)] == ["3.s1.0"]


def test_only_firings_of_what_is_armed_set_off_anything():
    made = book()
    for kind in ("subscription.created", "action.finished", "pane.exited", "user.x"):
        assert decide(made, event(1, kind=kind)) == []
    assert decide(made, event(1, kind="idle.expired")) == ["run"]
    assert decide(made, event(1)._replace(subscription="s2")) == []


def test_what_has_ended_sets_off_nothing_more_but_what_came_before_does():
    made = book()
    assert decide(made, event(1)) == ["run"]
    made.learn(event(2, kind="subscription.ended"))
    assert decide(made, event(3)) == []
    assert made.dump()["rates"] == {}


def test_the_rate_is_by_the_times_of_the_events():
    made = book()
    assert [decide(made, event(n, 1000.0 + n)) for n in range(1, 6)] == [["run"]] * 3 + [["rate"]] * 2
    for _ in range(3):
        made.load.leave("s1")
    assert decide(made, event(6, 1061.5), now=1062.0) == ["run"]
    assert decide(made, event(7, 1061.6), now=1062.0) == ["rate"]
    assert decide(made, event(8, 500.0), now=500.0) == ["run"]  # the clock was set back


def test_a_restarted_book_goes_on_with_the_rate():
    made = book()
    for n in range(1, 4):
        decide(made, event(n))
    again = Book(CONFIG)
    again.restore(made.dump())
    assert decide(again, event(4)) == ["rate"]


def test_a_snapshot_is_of_its_moment():
    made = book()
    made.learn(event(1, kind="server.found", socket="/run/tmux"))
    kept = made.dump()
    made.learn(event(2, kind="server.lost"))
    made.learn(event(3, kind="subscription.ended"))
    again = Book(CONFIG)
    again.restore(kept)
    assert decide(again, event(2)) == ["run"] and again.registry.sockets == {"srv": "/run/tmux"}


def test_what_is_known_is_not_decided_again():
    made = book(RUN, RUN)
    assert decide(made, event(1), known=frozenset({"s1/0"})) == ["run"]


def test_old_events_are_refused_unless_delivery_is_at_least_once():
    made = book(RUN, {**RUN, "deliver": "at-least-once"}, {**RUN, "max_age": 100.0})
    assert decide(made, event(1), now=1031.0) == ["stale", "run", "run"]


def test_what_began_with_history_is_never_stale():
    made = book()
    made.registry.arm({"id": "s1", "name": "n", "actions": [RUN], "start": "last 100"})
    assert decide(made, event(1), now=5000.0) == ["run"]
    again = Book(CONFIG)
    again.restore(made.dump())
    assert decide(again, event(2), now=5000.0) == ["run"]


def test_a_full_queue_refuses_until_something_begins():
    made = book({**RUN, "rate": [1000, 1.0], "queue": 2, "concurrency": 2})
    for _ in range(2):
        made.load.begin("s1")
    assert [decide(made, event(n)) for n in range(1, 4)] == [["run"], ["run"], ["queue"]]
    made.load.leave("s1")
    assert decide(made, event(4)) == ["run"]
    assert decide(made, event(5)) == ["queue"]


def test_what_can_begin_at_once_does_not_wait():
    made = book({**RUN, "rate": [1000, 1.0], "queue": 3, "concurrency": 2})
    assert [decide(made, event(n)) for n in range(1, 9)] == [["run"]] * 5 + [["queue"]] * 3
    made = book({**RUN, "rate": [1000, 1.0], "queue": 3, "concurrency": 2}, together=2)
    made.load.begin("s2")
    assert [decide(made, event(n)) for n in range(1, 9)] == [["run"]] * 4 + [["queue"]] * 4


def test_the_policy_and_a_spec_that_is_not_understood_refuse():
    made = book(RUN, {"do": "fly"})
    found = made.decide(event(1), 1000.0, lambda _key, _action: "no")
    assert [one.code for one in found if isinstance(one, Tally)] == ["policy", "unknown"]


def test_a_chain_of_actions_ends():
    made = book({**RUN, "rate": [1000, 1.0]}, queue=100)
    assert decide(made, event(1)) == ["run"]
    numbers = itertools.count(2)
    depths = []
    for _ in range(4):  # each types into the pane that it came from
        found = made.decide(event(next(numbers)), 1000.0, allow)[0]
        depths.append(found.depth if isinstance(found, Intent) else found.code)
        made.chains.touched("srv", "%1", (found.depth if isinstance(found, Intent) else 0) + 1, 1000.0)
    assert depths == [0, 1, 2, "loop"]
    assert decide(made, event(next(numbers), pane="%2")) == ["run"]
    assert decide(made, event(next(numbers), 1011.0), now=1011.0) == ["run"]  # long after


def intent(made: Book, n: int) -> Intent:
    found = made.decide(event(n), 1000.0, allow)[0]
    assert isinstance(found, Intent)
    return found


def test_only_what_typed_or_started_a_pane_and_succeeded_is_a_cause():
    send, signal = {"do": "send", "text": "y"}, {"do": "signal", "signal": "USR1"}
    for spec, succeeded, pane, depth in (
        (send, True, "%1", 1),
        (send, False, "%1", 0),
        (signal, True, "%1", 0),
        ({"do": "kill"}, True, "%1", 0),
        ({"do": "pane", "argv": ["/bin/true"]}, True, "%1", 0),
        ({"do": "pane", "argv": ["/bin/true"]}, True, "%9", 1),
        ({"do": "pane", "argv": ["/bin/true"]}, False, "%9", 0),
    ):
        made = book(spec)
        one = intent(made, 1)
        made.chains.begins(one)
        assert made.chains.depth(event(2), 1000.0) == (spec["do"] in ("send", "pane"))  # while it acts
        made.chains.ended(one, succeeded, "%9" if spec["do"] == "pane" else "", 1000.0)
        assert made.chains.depth(event(3, pane=pane), 1000.0) == depth, spec


def test_an_action_may_say_how_many_in_a_row_it_allows():
    made = book({**RUN, "loop": 5}, RUN, {**RUN, "loop": 1})
    made.chains.touched("srv", "%1", 5, 1000.0)
    assert decide(made, event(1)) == ["run", "loop", "loop"]
    found = made.decide(event(2), 1000.0, allow)[1]
    assert isinstance(found, Tally) and "--loop-depth" in found.reason


def test_what_an_action_has_armed_or_started_is_behind_it():
    assert decide(book(depth=3), event(1)) == ["loop"]
    born = Book(CONFIG, lambda _event: 3)
    born.registry.arm({"id": "s1", "name": None, "actions": [RUN]})
    assert decide(born, event(1)) == ["loop"]


def test_a_pane_that_an_action_opens_is_behind_it_before_its_id_is_known():
    made = book({"do": "pane", "argv": ["/bin/true"], "loop": 1, "rate": []})
    one = intent(made, 1)._replace(depth=1)
    for succeeded, then in ((False, ["run", "run"]), (True, ["loop", "run"])):
        made.chains.begins(one)
        assert decide(made, event(2, pane="%7")) == ["loop"]
        made.chains.ended(one, succeeded, "%7", 1000.0)
        assert [decide(made, event(3, pane=pane))[0] for pane in ("%7", "%8")] == then


def test_who_armed_it_may_have_said_anything():
    for depth in ("3", 2.5, [], None, -1):
        assert decide(book(depth=depth), event(1)) == ["run"]  # type: ignore[arg-type]
