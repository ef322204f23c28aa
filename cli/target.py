"""What a target means: `%12`, `session:window.pane`, a session or window with one pane, or a label. Pure.

Names match whole and exactly; tmux's own prefixes, patterns and "the current one" do not exist here. What looks like an id
is an id. Whatever fits more than one thing, or nothing, is NoTarget, with what to write instead.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from ..shared.errors import CtmuxError, NoTarget, UsageError

_PANE = re.compile(r"%[0-9]+")
_WINDOW = re.compile(r"@[0-9]+")
_SESSION = re.compile(r"\$[0-9]+")
# Characters that would make a label unreadable in a list, or unprintable; tmux takes any.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN = 8  # candidates in an error


class PaneRecord(NamedTuple):
    """One pane as one session shows it: a pane of a linked window has a record for each session. `active`: the pane that
    the session's current window has in focus; `mode`: in copy mode or the like, where keys do not reach the program."""

    pane: str
    session: str
    session_name: str
    window: str
    window_index: int
    window_name: str
    pane_index: int
    label: str | None
    pid: int
    command: str
    width: int
    height: int
    dead: bool
    active: bool
    mode: bool = False


class OfSession(Protocol):
    """Any record that tells its session."""

    @property
    def session(self) -> str: ...
    @property
    def session_name(self) -> str: ...


S = TypeVar("S", bound=OfSession)


class _Meaning(NamedTuple):
    kind: str
    panes: list[PaneRecord]


def resolve_session(target: str, records: Iterable[S]) -> S:
    """The first record of the session with this name or `$3`."""
    for record in _of_session(target, records):
        return record
    raise NoTarget(f"no session {target!r}; see: ctmux session list")


def resolve_pane(target: str, panes: Sequence[PaneRecord]) -> PaneRecord:
    """The one pane that the target names."""
    meaning = _the_one(target, panes)
    if len(meaning.panes) > 1:
        raise NoTarget(
            f"{meaning.kind} {target!r} has {len(meaning.panes)} panes: {_listed(meaning.panes)}; name one of them"
        )
    return meaning.panes[0]


def resolve_panes(target: str, panes: Sequence[PaneRecord]) -> list[PaneRecord]:
    """As resolve_pane, but a session or window means all its panes."""
    return _the_one(target, panes).panes


def check_label(label: str, pane: str | None, panes: Iterable[PaneRecord]) -> None:
    """Raises an error unless `label` can name `pane` (None: a new one), and nothing else."""
    if not label or label.isspace() or label[0] in "%@$" or ":" in label or _CONTROL.search(label):
        raise UsageError(f"label {label!r}: needs a visible character, no ':', no control character, no %, @ or $ in front")
    for record in panes:
        if record.session_name == label:
            raise CtmuxError(f"label {label!r} is the name of a session; choose another")
        if record.label == label and record.pane != pane:
            raise CtmuxError(
                f"label {label!r} is taken by {_place(record)}; choose another, "
                f"or free it: ctmux pane label {record.pane} --remove"
            )


def _the_one(target: str, panes: Sequence[PaneRecord]) -> _Meaning:
    found: dict[tuple[str, frozenset[str]], _Meaning] = {}
    for kind, records in _meanings(target, panes):
        distinct: dict[str, PaneRecord] = {}
        for record in records:
            distinct.setdefault(record.pane, record)
        if distinct:
            found.setdefault((kind, frozenset(distinct)), _Meaning(kind, list(distinct.values())))
    if len(found) == 1:
        return found.popitem()[1]
    if not found:
        raise NoTarget(f"no pane {target!r}; see: ctmux pane list (a target is %ID, a label or session:window.pane)")
    told = "; ".join(f"{meaning.kind} {_listed(meaning.panes)}" for meaning in found.values())
    raise NoTarget(f"{target!r} is ambiguous: {told}; name one by its id")


def _meanings(target: str, panes: Sequence[PaneRecord]) -> Iterator[tuple[str, list[PaneRecord]]]:
    """Everything that the target could mean; empty ones too."""
    if _PANE.fullmatch(target):
        yield "pane", [record for record in panes if record.pane == target]
        return
    window, dot, last = target.partition(".")
    if _WINDOW.fullmatch(window):
        shown = [record for record in panes if record.window == window]
        yield ("pane", [record for record in shown if _is(record, last)]) if dot else ("window", shown)
        return
    yield "session", list(_of_session(target, panes))
    if _SESSION.fullmatch(target):
        return
    for name, rest in _splits(target, ":"):  # since tmux 3.7 names of sessions may have colons, as names of windows had
        yield from _in_session(rest, list(_of_session(name, panes)))
    for pane in dict.fromkeys(record.pane for record in panes if target and record.label == target):
        yield "label", [record for record in panes if record.pane == pane]


def _in_session(rest: str, panes: Sequence[PaneRecord]) -> Iterator[tuple[str, list[PaneRecord]]]:
    """`window` or `window.pane` among the panes of one session."""
    for window in _windows(rest, panes):
        yield "window", window
    for name, last in _splits(rest, "."):
        for window in _windows(name, panes):
            yield "pane", [record for record in window if _is(record, last)]


def _is(record: PaneRecord, part: str) -> bool:
    """Whether the last part of `window.pane` is this pane."""
    return part in (record.pane, str(record.pane_index))


def _windows(name: str, panes: Sequence[PaneRecord]) -> Iterator[list[PaneRecord]]:
    is_id = _WINDOW.fullmatch(name)
    for window in dict.fromkeys(record.window for record in panes):
        records = [record for record in panes if record.window == window]
        if window == name or (not is_id and any(name in (str(r.window_index), r.window_name) for r in records)):
            yield records


def _of_session(target: str, records: Iterable[S]) -> Iterator[S]:
    is_id = _SESSION.fullmatch(target)
    return (record for record in records if target == (record.session if is_id else record.session_name))


def _splits(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(re.escape(separator), text):
        yield text[: found.start()], text[found.end() :]


def _place(record: PaneRecord) -> str:
    label = f" {record.label}" if record.label else ""
    return f"{record.pane} ({record.session_name}:{record.window_index}.{record.pane_index}{label})"


def _listed(panes: list[PaneRecord]) -> str:
    more = f" and {len(panes) - _SHOWN} more" if len(panes) > _SHOWN else ""
    return ", ".join(_place(record) for record in panes[:_SHOWN]) + more
