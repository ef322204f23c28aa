"""Which start of a process the journal does not know yet. Pure."""

import time

from ...shared.messages import Draft


def start(run: float, name: str, pid: int, at: int, known: tuple[int, list[str]]) -> Draft | None:
    """The event of a process that supervisord, which runs since `run`, has started `at` (seconds since the epoch); None
    if that is in the journal. `known`: the last position of the service there, and its keys.

    Its position is its time, or, where the clock was set back meanwhile, behind the last one.
    """
    position, keys = known
    key = f"{run}/{pid}"
    if at <= position and key in keys:
        return None
    again = any(one.startswith(f"{run}/") for one in keys)
    return Draft(
        f"service/{name}", at if at > position else position + 1, key, "service.restarted" if again else "service.started",
        time.time(), data={"service": name, "pid": pid},
    )  # fmt: skip
