"""A bill: one test is slow, one fails."""

import time


def test_sum():
    assert 1 + 1 == 2


def test_slow():
    time.sleep(0.7)


def test_total():
    print("ERROR: printed by a test")
    assert 7 * 3 == 20, "FAILED: the total"
