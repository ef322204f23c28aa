"""Whose turn it is: bounds of each subscription and of all, and nobody waits behind a busy one."""

from ctmux.services.runner.book import Intent
from ctmux.services.runner.queue import Queue, Waiting


def waiting(subscription: str, n: int, most: int = 2) -> Waiting:
    return Waiting(Intent(f"{n}.{subscription}.0", n, subscription, None, 0, {}, 1, 0, None), most, 0.0)


def drain(queue: Queue) -> list[str]:
    found = []
    while one := queue.next():
        found.append(one.intent.id)
    return found


def test_subscriptions_take_turns_and_their_own_are_in_order():
    queue = Queue(10)
    for n in range(3):
        queue.add(waiting("a", n, 10))
    queue.add(waiting("b", 9))
    assert drain(queue) == ["0.a.0", "9.b.0", "1.a.0", "2.a.0"]


def test_no_more_of_one_than_its_bound_and_of_all_than_theirs():
    queue = Queue(3)
    for n in range(4):
        queue.add(waiting("a", n))
    assert drain(queue) == ["0.a.0", "1.a.0"]
    queue.add(waiting("b", 5))
    queue.add(waiting("b", 6))
    assert drain(queue) == ["5.b.0"]
    queue.ended("a")
    assert (drain(queue), len(queue), queue.running) == (["2.a.0"], 2, {"a": 2, "b": 1})


def test_what_is_taken_out_waits_no_more():
    queue = Queue(1)
    for n in range(3):
        queue.add(waiting("a", n))
    assert [one.intent.n for one in queue.take(lambda intent: intent.n == 1)] == [1]
    assert [one.intent.n for one in queue] == [0, 2]
