"""All patterns as a few filters, which are kept few while patterns come and go. Pure: compiling is the owner's affair.

A new pattern is looked for at once: by itself, then with others by their literals. Where they are many, they are compiled
in another process, and that filter takes over when it is done; what matches is the same. Filters are merged as in a
log-structured store, with those that are not much larger: so there are few, and most patterns are seldom touched.
"""

from collections.abc import Container, Iterable, Iterator

from .filters import Candidate, Compiled, Filter, Literal, Plain

_PLAIN_MOST = 8  # a pattern that is tried by itself costs as much as a filter of a thousand
_GROWTH = 8  # a compiled filter is made anew when an eighth of it has come since;
_LITERAL_GROWTH = 4  # a literal one costs less and is made sooner,
_LITERAL_MOST = 1000  # but in this process: a larger one is not made anew, for that would stall


class Engine:
    """Which patterns may match in a block of text."""

    def __init__(self) -> None:
        self._home: dict[str, Filter] = {}  # pattern -> the filter that answers for it; others that have it do not
        self._plain = Plain()
        self._literal: list[Filter] = []
        self.compiled: list[Compiled] = []
        self._refused: set[str] = set()  # what cannot be compiled

    def __len__(self) -> int:
        return len(self._home)

    def add(self, pattern: str) -> None:
        """Look for a pattern from now on."""
        if pattern in self._home:
            return
        self._home[pattern] = self._plain
        self._plain.patterns.append(pattern)
        if len(self._plain.patterns) > _PLAIN_MOST:
            self._merge_plain()

    def _merge_plain(self) -> None:
        merged = self._plain.patterns
        while self._literal and len(self._literal[-1].patterns) <= min(_LITERAL_GROWTH * len(merged), _LITERAL_MOST):
            merged = self._living(self._literal.pop()) + merged
        self._plain = Plain()
        self._literal.append(Literal(merged))
        self._home.update(dict.fromkeys(merged, self._literal[-1]))

    def remove(self, pattern: str) -> None:
        """Look for it no longer."""
        home = self._home.pop(pattern, None)
        self._refused.discard(pattern)
        if home is self._plain:
            self._plain.patterns.remove(pattern)

    def candidates(self, text: bytes) -> Iterator[Candidate]:
        """Each pattern that may match, once, and where the first line begins in which it may. `text` is valid UTF-8."""
        for filter in (self._plain, *self._literal, *self.compiled):
            for candidate in filter.candidates(text):
                if self._home.get(candidate[0]) is filter:
                    yield candidate

    def _living(self, filter: Filter) -> list[str]:
        return [pattern for pattern in filter.patterns if self._home.get(pattern) is filter]

    # ---- compiled filters ------------------------------------------------------------------------------------------

    def to_compile(self) -> list[str]:
        """Patterns that one compiled filter should look for; none if it is well as it is."""
        wanted = [
            pattern
            for filter in (self._plain, *self._literal)
            for pattern in self._living(filter)
            if pattern not in self._refused
        ]
        if len(wanted) <= _PLAIN_MOST:
            return []
        for living in sorted(map(self._living, self.compiled), key=len):
            if len(living) <= _GROWTH * len(wanted):
                wanted += living
        return wanted

    def restore(self, compiled: Compiled, wanted: Container[str]) -> None:
        """Begin with a compiled filter of an earlier engine, as far as its patterns are wanted now."""
        self._home.update((pattern, compiled) for pattern in compiled.patterns if pattern in wanted)
        self.compiled = [filter for filter in (*self.compiled, compiled) if self._living(filter)]

    def install(self, compiled: Compiled, asked: Iterable[str] = ()) -> None:
        """Let a compiled filter answer for its patterns. What was `asked` for and is not in it is never asked for again."""
        self._home.update((pattern, compiled) for pattern in compiled.patterns if pattern in self._home)
        self.refuse(set(asked) - set(compiled.patterns))
        self._plain.patterns = self._living(self._plain)
        self._literal = [filter for filter in self._literal if self._living(filter)]
        self.compiled = [filter for filter in (*self.compiled, compiled) if self._living(filter)]

    def refuse(self, patterns: Iterable[str]) -> None:
        """The compiler does not take these."""
        self._refused |= self._home.keys() & set(patterns)
