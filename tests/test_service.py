"""Timers of the main loop."""

import weakref

from ctmux.shared.service import Timer


def test_a_cancelled_timer_keeps_nothing_alive_until_it_is_due():
    class Child:
        """Whatever waits for it."""

        def end(self) -> None: ...

    child = Child()
    gone = weakref.ref(child)
    timer = Timer(lambda child=child: child.end())
    queue = [(60.0, 0, timer)]
    del child
    assert gone() is not None
    timer.cancel()
    assert gone() is None and queue[0][2].action is None
