"""What is done in programs that are no shells; each is the only thing its pane runs."""

from hand import Hand


def watch(hand: Hand) -> None:
    """It runs by itself."""


def vim(hand: Hand) -> None:
    hand.sees("8080")
    hand.types("/ERROR")
    hand.keys("Enter")
    hand.quiet()
    hand.types("OFAILED: 99 typed")
    hand.keys("Escape")
    hand.quiet()
    hand.types(":%s/ERROR/FAILED: 7/")
    hand.keys("Enter")
    hand.shows("FAILED: 7: no route")
    hand.quiet()
    hand.types(":q!")
    hand.keys("Enter")


def less(hand: Hand) -> None:
    hand.shows("server.log")
    hand.types("/ERROR")
    hand.keys("Enter")
    hand.quiet()
    hand.types("n")
    hand.quiet()
    hand.types("q")


def htop(hand: Hand) -> None:
    hand.shows("sh ERROR.sh")
    hand.quiet(0.5)
    hand.keys("Down", "Up")
    hand.types("/ERROR")
    hand.quiet(0.5)
    hand.keys("Escape")
    hand.types("q")
