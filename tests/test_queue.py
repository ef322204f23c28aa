"""Whose turn it is: bounds of each subscription and of all, and nobody waits behind a busy one."""

from ctmux.services.runner.intent import Intent
from ctmux.services.runner.load import Load
from ctmux.services.runner.queue import Queue, Waiting


def waiting(subscription: str, n: int, most: int = 2) -> Waiting:
    return Waiting(Intent(f"{n}.{subscription}.0", n, subscription, None, 0, {}, 1, 0, None), most, 0.0)


def queue(load: Load, *all_of_them: Waiting) -> Queue:
    made = Queue(load)
    for one in all_of_them:
        load.wait(one.intent.subscription)
        made.add(one)
    return made


def drain(queue: Queue) -> list[str]:
    found = []
    while one := queue.next():
        found.append(one.intent.id)
    return found


def test_subscriptions_take_turns_and_their_own_are_in_order():
    made = queue(Load(10), *(waiting("a", n, 10) for n in range(3)), waiting("b", 9))
    assert drain(made) == ["0.a.0", "9.b.0", "1.a.0", "2.a.0"]


def test_no_more_of_one_than_its_bound_and_of_all_than_theirs():
    load = Load(3)
    made = queue(load, *(waiting("a", n) for n in range(4)))
    assert drain(made) == ["0.a.0", "1.a.0"]
    made.add(waiting("b", 5))
    made.add(waiting("b", 6))
    assert drain(made) == ["5.b.0"]
    load.end("a")
    assert (drain(made), len(made)) == (["2.a.0"], 2)
    load.end("b")
    assert drain(made) == ["6.b.0"]


def test_one_types_into_a_pane_at_a_time():
    first, second, elsewhere = waiting("a", 0, 9), waiting("b", 1, 9), waiting("c", 2, 9)
    load, pane = Load(10), ("srv", "%1")
    made = queue(load, first._replace(typing=pane), waiting("a", 3, 9), second._replace(typing=pane), waiting("b", 4, 9))
    made.add(elsewhere._replace(typing=("srv", "%2")))
    assert drain(made) == ["0.a.0", "2.c.0", "3.a.0"]  # b's later one does not overtake its first
    made.ended(elsewhere.intent)
    assert drain(made) == []
    made.ended(first.intent)
    assert drain(made) == ["1.b.0", "4.b.0"]


def test_what_is_taken_out_waits_no_more():
    load = Load(1)
    made = queue(load, *(waiting("a", n) for n in range(3)))
    assert [intent.n for intent in made.take(lambda intent: intent.n == 1)] == [1]
    assert [one.intent.n for one in made] == [0, 2] and load.waiting("a") == 2


def test_the_load_counts_who_waits_and_who_runs():
    load = Load(3)
    for _ in range(3):
        load.wait("a")
    load.begin("a")
    assert (load.waiting("a"), load.free("a", 2), load.free("b", 4)) == (2, 1, 2)
    load.begin("a")
    load.begin("b")
    assert (load.waiting("a"), load.free("a", 4), load.free("c", 4)) == (1, 0, 0)
    load.end("a")
    load.leave("a")
    load.leave("a")  # it is not there any more
    assert (load.waiting("a"), load.free("a", 1), load.free("c", 4)) == (0, 0, 1)
