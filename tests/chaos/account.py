"""The account of a chaos run: which numbered lines came, which did not, which twice, which too late. Pure."""

import re
from dataclasses import asdict, dataclass, field
from typing import Any

_LINE = re.compile(r"chaos (\w+) (\d+)")


@dataclass
class Account:
    """What one observer has seen of every printer: `lines` are numbered from 1, without a hole."""

    lines: int = 0
    doubled: int = 0
    disordered: int = 0
    stall: float = 0.0  # the longest time without a line, seconds; measured by who sees them
    gaps: list[str] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)
    holes: dict[str, set[int]] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        return {**asdict(self), "holes": {name: sorted(holes) for name, holes in self.holes.items() if holes}}

    @classmethod
    def load(cls, fields: dict[str, Any]) -> "Account":
        return cls(**{**fields, "holes": {name: set(holes) for name, holes in fields["holes"].items()}})

    def line(self, text: str) -> None:
        """A line was seen, perhaps one of a printer."""
        found = _LINE.fullmatch(text)
        if found is None:
            return
        name, k = found[1], int(found[2])
        newest = self.newest.get(name, 0)
        holes = self.holes.setdefault(name, set())
        self.lines += 1
        if k > newest:
            holes.update(range(newest + 1, k))
            self.newest[name] = k
        elif k in holes:
            holes.discard(k)
            self.disordered += 1
        else:
            self.doubled += 1

    def missing(self, printed: dict[str, int]) -> int:
        """How many lines of these printers (name -> lines printed) never came."""
        return sum(
            len(self.holes.get(name, ())) + max(0, count - self.newest.get(name, 0)) for name, count in printed.items()
        )

    def late(self, printed: dict[str, int]) -> dict[str, str]:
        """What is missing, for a person: name -> lines seen of lines printed, and holes."""
        return {
            name: f"{self.newest.get(name, 0)} of {count}, {len(self.holes.get(name, ()))} holes"
            for name, count in printed.items()
            if self.newest.get(name, 0) < count or self.holes.get(name)
        }
