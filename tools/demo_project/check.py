"""Compile the modules, run the tests. A progress bar, colours, and an exit status: how many tests failed.

Lines that tools/demo waits for end with `@` and the time just before they are written.
"""

import asyncio
import glob
import os
import sys
import time
import unittest
from typing import Any

import test_bill

BAR_SECONDS, TEST_SECONDS = 4.0, 0.8  # a run that can be watched
COLOURS = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
GREEN, RED, DIM = "32", "1;31", "2"


def paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[m" if COLOURS else text


def say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def stamp() -> str:
    return paint(DIM, f"@{time.time():.6f}")


def compile_all(paths: list[str]) -> None:
    """The bar is drawn over itself with a CR, as everywhere."""
    drawn = -1
    for number, path in enumerate(paths, 1):
        with open(path, encoding="utf-8") as file:
            compile(file.read(), path, "exec")
        time.sleep(BAR_SECONDS / len(paths))
        tenths = 10 * number // len(paths)
        if tenths > drawn:
            drawn = tenths
            say(f"\rcompiling [{paint(GREEN, '##' * tenths)}{'..' * (10 - tenths)}] {10 * tenths:3d}%", end="")
    say(f"  {stamp()}")


class Result(unittest.TestResult):
    """One line for each test."""

    def startTest(self, test: unittest.TestCase) -> None:
        time.sleep(TEST_SECONDS)
        super().startTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        say(f"{paint(GREEN, 'PASSED')} {test.id()}")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        say(f"{paint(RED, 'FAILED')} {test.id()} - {err[1]}  {stamp()}")


def main() -> int:
    library = os.path.dirname(asyncio.__file__)
    compile_all(sorted([*glob.glob(f"{library}/*.py"), *glob.glob("*.py")]))
    result = Result()
    unittest.defaultTestLoader.loadTestsFromModule(test_bill).run(result)
    failed = len(result.failures) + len(result.errors)
    said = paint(RED, f"{failed} of {result.testsRun} tests failed") if failed else paint(GREEN, "all tests passed")
    say(said)
    time.sleep(TEST_SECONDS)  # tmux may drop what a pane prints with its last breath, with ctmux or without
    return failed


if __name__ == "__main__":
    sys.exit(main())
