"""The error tree: on the wire a code and a sentence, at the command line one line and a named exit code.

CtmuxError         failed      exit 1    it was tried and did not work
├── UsageError     usage       exit 2    the request itself is wrong
├── NoDaemon       no_daemon   exit 3    nothing answers
├── NoTarget       no_target   exit 4    no such session, pane or subscription, or more than one
├── Refused        refused     exit 5    possible, but not allowed
└── DeadlinePassed deadline    exit 124  it has not come in time
"""

from typing import ClassVar

EXIT_INTERRUPTED = 130


class CtmuxError(Exception):
    """Raised when something was tried and did not work."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1


class UsageError(CtmuxError):
    """Raised when the request itself is wrong."""

    code = "usage"
    exit_code = 2


class NoDaemon(CtmuxError):
    """Raised when no daemon answers."""

    code = "no_daemon"
    exit_code = 3


class NoTarget(CtmuxError):
    """Raised when a session, pane or subscription does not exist, or more than one fits."""

    code = "no_target"
    exit_code = 4


class Refused(CtmuxError):
    """Raised when something is possible but not allowed."""

    code = "refused"
    exit_code = 5


class DeadlinePassed(CtmuxError):
    """Raised when something has not come in time."""

    code = "deadline"
    exit_code = 124


BY_CODE: dict[str, type[CtmuxError]] = {
    error.code: error for error in (CtmuxError, UsageError, NoDaemon, NoTarget, Refused, DeadlinePassed)
}


def from_wire(code: str, message: str) -> CtmuxError:
    """The error that a reply carries; an unknown code becomes the root of the tree."""
    return BY_CODE.get(code, CtmuxError)(message)
