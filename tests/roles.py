"""The death of a role, as a test wants it."""

import os
import signal
from typing import Any

from ctmux.shared import supervised
from harness import World, until


def kill(world: World, role: str) -> None:
    """SIGKILL to a role that has run for a second."""
    record = supervised.running(world.paths)
    assert record
    with supervised.connect(record) as proxy:

        def killed() -> bool:
            info: Any = proxy.supervisor.getProcessInfo(role)
            if info["statename"] == "RUNNING":
                os.kill(info["pid"], signal.SIGKILL)
            return bool(info["statename"] == "RUNNING")

        until(killed)
