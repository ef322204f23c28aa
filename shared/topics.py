"""Topics of the bus: what a subscriber filters by. Every part ends with a dot, so a prefix never cuts an id."""

HEAD = b"head."
EVENT = b"event."
OUT = b"out."


def _digits(tmux_id: str | None) -> str:
    return tmux_id[1:] if tmux_id else "-"


def out(server: str, session: str, pane: str) -> bytes:
    """`out.<server>.<session>.<pane>.`, tmux ids without their sign."""
    return f"out.{server}.{_digits(session)}.{_digits(pane)}.".encode()


def out_prefix(server: str) -> bytes:
    return f"out.{server}.".encode()


def place(topic: bytes) -> tuple[str, str]:
    """Session and pane of a topic of output; what is none has none that exists."""
    parts = [*topic.decode(errors="replace").split("."), "", "", "", ""]
    return f"${parts[2]}", f"%{parts[3]}"


def event(server: str | None, session: str | None, pane: str | None, kind: str) -> bytes:
    """`event.<server>.<session>.<pane>.<kind>.`, `-` for what the event does not have."""
    return f"event.{server or '-'}.{_digits(session)}.{_digits(pane)}.{kind}.".encode()


def subscription(subscription_id: str) -> bytes:
    """`subscription.<id>.`: the events of one subscription once more, for a subscriber that wants only these."""
    return f"subscription.{subscription_id}.".encode()
