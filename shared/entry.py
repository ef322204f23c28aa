"""How every service's `__main__` runs: one line for an error that a user can cause, and a named exit code."""

import sys
from collections.abc import Callable

from .errors import CtmuxError


def main(run: Callable[[], None]) -> None:
    try:
        run()
    except CtmuxError as error:
        print(f"ctmux: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
