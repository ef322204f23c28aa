"""All patterns as a few filters, which are kept few while patterns come and go. Pure: large ones are made by the owner.

A new pattern is looked for at once: by itself, then with others by their literals. Filters are merged as in a
log-structured store, with those that are not much larger: so there are few, and most patterns are seldom touched. Merges
that would take long are left to a thread of the owner; what matches is always the same.
"""

from collections.abc import Iterable, Iterator

from .filters import Candidate, Filter, Literal, Plain

_PLAIN_MOST = 4  # a pattern that is tried by itself costs more than a filter of a thousand
_HERE_MOST = 125  # patterns: a filter of them is made in some 15 ms, in which nothing is matched
_FEW = 3  # filters
_GROWTH = 8  # a filter is made anew when an eighth of it has come since


class Engine:
    """Which patterns may match in a block of text; those that are known at the start are a filter at once."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._home: dict[str, Filter] = {}  # pattern -> the filter that answers for it; others that have it do not
        self._plain = Plain()
        self.filters: list[Filter] = []
        known = list(dict.fromkeys(patterns))
        if known:
            self.filters.append(Literal(known))
            self._home = dict.fromkeys(known, self.filters[0])

    def __len__(self) -> int:
        return len(self._home)

    def add(self, *patterns: str) -> None:
        """Look for them from now on."""
        fresh = [pattern for pattern in dict.fromkeys(patterns) if pattern not in self._home]
        self._home |= dict.fromkeys(fresh, self._plain)
        self._plain.patterns += fresh
        if len(self._plain.patterns) > _PLAIN_MOST:
            self._merge_plain()

    def _merge_plain(self) -> None:
        merged = self._plain.patterns
        while self.filters and len(self.filters[-1].patterns) + len(merged) <= _HERE_MOST:
            merged = self._living(self.filters.pop()) + merged
        self._plain = Plain()
        self.filters.append(Literal(merged))
        self._home.update(dict.fromkeys(merged, self.filters[-1]))

    def remove(self, pattern: str) -> None:
        """Look for it no longer."""
        home = self._home.pop(pattern, None)
        if home is self._plain:
            self._plain.patterns.remove(pattern)

    def candidates(self, text: bytes) -> Iterator[Candidate]:
        """Each pattern that may match, once, and where: not all of `text` needs to be valid UTF-8."""
        for filter in (self._plain, *self.filters):
            for candidate in filter.candidates(text):
                if self._home.get(candidate[0]) is filter:
                    yield candidate

    def _living(self, filter: Filter) -> list[str]:
        return [pattern for pattern in filter.patterns if self._home.get(pattern) is filter]

    def to_merge(self) -> list[str]:
        """Patterns that one filter should look for instead of several; none if it is well as it is."""
        if len(self.filters) <= _FEW:
            return []
        wanted: list[str] = []
        several = False
        for living in sorted(filter(None, map(self._living, self.filters)), key=len):
            if len(living) <= _GROWTH * len(wanted):
                wanted, several = wanted + living, True
            elif several:
                break
            else:
                wanted = living  # what is smaller is left alone, too: each is many times as large as the one before
        return wanted if several else []

    def install(self, merged: Filter) -> None:
        """Let a new filter answer for its patterns, as far as they are still wanted."""
        self._home.update((pattern, merged) for pattern in merged.patterns if pattern in self._home)
        self._plain.patterns = self._living(self._plain)
        self.filters = [filter for filter in (merged, *self.filters) if self._living(filter)]
