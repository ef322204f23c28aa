"""A subscription: what is waited for, where, and since when. Pure."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from .options import Options

# What a subscription may want of a pane beside lines; a NUL cannot be in a pattern.
OUTPUT, EXIT, COMMAND, PROMPT = "\0output", "\0exit", "\0command", "\0prompt"
_WANTS = {"idle": OUTPUT, "exit": EXIT, "command": COMMAND, "prompt": PROMPT}


@dataclass
class Subscription:
    """A rule. `server`, `session`, `pane`: its scope, None for all. `armed`: for each stream that was there when it was
    armed, the offset before which nothing counts; a stream that came later counts from its first byte."""

    id: str
    number: int
    kind: str
    patterns: list[str]
    server: str | None
    session: str | None
    pane: str | None
    token: str
    created: float
    options: Options = field(default_factory=Options)
    armed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.options, dict):  # as it was stored
            self.options = Options(**self.options)

    @cached_property
    def texts(self) -> list[str]:
        """All that is looked for in lines, each known by its index; the last may be what ends it."""
        return [*self.patterns, self.options.until] if self.options.until else self.patterns

    @property
    def wants(self) -> set[str]:
        """What it is told of: lines with these patterns, and facts of other kinds."""
        other = _WANTS.get(self.kind) or (OUTPUT if self.kind == "timeout" and not self.patterns else None)
        return {*self.texts, *([other] if other else ())}

    @cached_property
    def plain(self) -> bool:
        """Whether each line that matches is an event, and that is all: nothing has to be remembered."""
        options = self.options
        bounded = options.count or options.until or options.ttl or options.limit or options.cooldown or options.dedupe
        context = options.before or options.after
        return self.kind == "pattern" and options.start == "now" and not (bounded or context)

    def covers(self, server: str, session: str, pane: str) -> bool:
        """Whether a pane is in scope."""
        return (
            (self.server is None or self.server == server)
            and (self.session is None or self.session == session)
            and (self.pane is None or self.pane == pane)
        )

    def since(self, server: str, stream: str) -> int:
        """The offset in a stream from which on it counts."""
        return self.armed.get(f"{server}/{stream}", 0)

    def public(self) -> dict[str, Any]:
        """What a user sees of it: its options stand beside its other fields."""
        shown = asdict(self)
        options: dict[str, Any] = shown.pop("options")
        for hidden in ("armed", "token", "number"):
            del shown[hidden]
        return shown | options
