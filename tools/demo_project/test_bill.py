"""The tests of bill.py."""

import unittest

import bill


class Bill(unittest.TestCase):
    def test_parse_whole_amounts(self) -> None:
        self.assertEqual([bill.parse(text) for text in ("0", "7", "12.00")], [0, 700, 1200])

    def test_parse_every_cent(self) -> None:
        for cents in range(10000):
            self.assertEqual(bill.parse(f"{cents // 100}.{cents % 100:02d}"), cents)

    def test_show(self) -> None:
        self.assertEqual([bill.show(cents) for cents in (5, 50, 1250)], ["0.05", "0.50", "12.50"])

    def test_split_evenly(self) -> None:
        self.assertEqual(bill.split(900, 3), [300, 300, 300])

    def test_split_loses_nothing(self) -> None:
        for people in range(1, 10):
            self.assertEqual(sum(bill.split(1000, people)), 1000)

    def test_tip(self) -> None:
        self.assertEqual(bill.tip(1999, 10), 200)

    def test_tip_of_nothing(self) -> None:
        self.assertEqual(bill.tip(0, 15), 0)
