"""What is wrong with an instance, from what its processes say of themselves. Pure."""

from typing import Any

from ..shared.journal import DAMAGED


def find(programs: list[dict[str, Any]], roles: dict[str, dict[str, Any] | None]) -> list[str]:
    """A sentence for each trouble, with what to do; none if all is well."""
    troubles = [
        f"{program['name']} is {program['state'].lower()}; see: ctmux daemon logs {program['name']}"
        for program in programs
        if program["state"] not in ("RUNNING", "STARTING")
        and not (program["name"].startswith("watcher-") and program["state"] == "EXITED")
    ]
    troubles += [f"{name} does not answer; see: ctmux daemon logs {name}" for name, role in roles.items() if role is None]
    logger, keeper, runner = (roles.get(name) or {} for name in ("logger", "keeper", "runner"))
    trouble = logger.get("trouble")
    if trouble:
        troubles.append(
            f"the journal cannot be written since {trouble['since']}: {trouble['reason']}; "
            "make space, and the events follow"
        )
    lost = [f"{first}-{last}" for first, last in logger.get("lost", ())]
    if lost:
        troubles.append(f"events {', '.join(lost)} were {DAMAGED} when it was opened; see: ctmux events verify")
    troubles += [f"tmux server {socket} is not watched: {reason}" for socket, reason in keeper.get("refused", {}).items()]
    if runner.get("trouble"):
        troubles.append(f"no action runs: {runner['trouble']}")
    if keeper.get("bounded") is False:
        troubles.append("spools grow without bound: no file system here can punch holes; set CTMUX_RUNTIME_DIR to one")
    return troubles
