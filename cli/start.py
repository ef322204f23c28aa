"""The entry point of `ctmux`: Ctrl-C ends it in silence also while it loads, which takes longer than many a command."""

import signal


def run() -> None:
    """Load the command line, and run it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # a shell has its background jobs ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .main import run as run_main

    signal.signal(signal.SIGINT, before)
    run_main()
