"""What an action arms, as the matcher is asked for it. Pure."""

from ...shared.messages import Subscribe
from ...shared.specs import options_of
from .intent import Intent


def request(intent: Intent, log: str) -> Subscribe:
    given = intent.action.subscription or {}
    fields = {name: given.get(name) for name in ("server", "session", "pane")}
    options = {**options_of(given), "armed_by": {"action": intent.id, "depth": intent.depth + 1}}
    token = f"action/{log}/{intent.id}"  # asked again, it is the same
    return Subscribe(token, given["kind"], given.get("patterns", []), **fields, options=options)
