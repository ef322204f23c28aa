"""What a target means, as data: nothing is guessed, and whatever is not exact is NoTarget."""

import re
from typing import Any

import pytest
from ctmux.cli.server import SessionRecord, parse
from ctmux.cli.target import PaneRecord, check_label, resolve_pane, resolve_panes, resolve_session
from ctmux.shared.errors import CtmuxError, NoTarget, UsageError
from ctmux.shared.tmux import literal
from hypothesis import given
from hypothesis import strategies as st


def pane(number: int, session: str, window: str, index: int, **more: Any) -> PaneRecord:
    """`session` as "3 name", `window` as "@5 0 name"."""
    session_id, _, session_name = session.partition(" ")
    window_id, window_index, window_name = window.split(" ", 2)
    base = PaneRecord(
        f"%{number}", f"${session_id}", session_name, window_id, int(window_index), window_name, index, None, 100 + number,
        "sh", 80, 24, False, index == 0,
    )  # fmt: skip
    return base._replace(**more)


PANES = [
    pane(1, "0 work", "@0 0 editor", 0),
    pane(2, "0 work", "@0 0 editor", 1, label="tests"),
    pane(3, "0 work", "@1 1 sh", 0),
    pane(4, "1 solo", "@2 7 my shell", 0, label="build 🚀"),
    pane(5, "2 x;rm -rf", "@3 0 a.b", 0),
    pane(6, "2 x;rm -rf", "@3 0 a.b", 1),
    pane(7, "2 x;rm -rf", "@4 1 sh", 0, label="twice"),
    pane(8, "2 x;rm -rf", "@5 2 sh", 0, label="twice"),
    pane(9, "3 a:b.c", "@6 0 1", 0),
    pane(10, "3 a:b.c", "@7 1 z:y", 0, label="work"),
    pane(11, f"4 {'n' * 200}", "@8 0 sh", 0),
    pane(12, "5 a%b", "@9 0 sh", 0),
    pane(13, "6 %1", "@10 0 sh", 0, label="$0"),
    pane(14, "7 linked", "@11 3 both", 0),
    pane(14, "8 linked too", "@11 5 both", 0, label=None),
]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("%1", "%1"),  # an id, though a session has this name
        ("%14", "%14"),  # shown by two sessions, and still one pane
        ("tests", "%2"),
        ("build 🚀", "%4"),
        ("solo", "%4"),
        ("$1", "%4"),
        ("solo:7", "%4"),
        ("solo:my shell", "%4"),
        ("solo:@2", "%4"),
        ("@2", "%4"),
        ("@0.1", "%2"),
        ("work:0.1", "%2"),
        ("work:editor.1", "%2"),
        ("work:editor.%2", "%2"),
        ("$0:@0.%2", "%2"),
        ("work:sh", "%3"),
        ("work:1.0", "%3"),
        ("x;rm -rf:a.b.1", "%6"),
        ("x;rm -rf:@4", "%7"),
        ("a:b.c:0", "%9"),
        ("a:b.c:z:y", "%10"),
        ("a:b.c:z:y.0", "%10"),
        ("n" * 200, "%11"),
        ("a%b", "%12"),
        ("$6", "%13"),
        ("linked:3.0", "%14"),
        ("linked too:5", "%14"),
    ],
)
def test_one_pane(target: str, found: str) -> None:
    assert resolve_pane(target, PANES).pane == found


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("", "no pane ''"),
        ("%99", "no pane '%99'"),
        ("$9", "no pane '$9'"),
        ("@0.7", "no pane"),
        ("@", "no pane"),
        ("@99", "no pane '@99'"),
        ("%", "no pane"),
        ("wor", "no pane 'wor'"),  # tmux would take the prefix
        ("sol*", "no pane"),  # and the pattern
        ("=solo", "no pane"),
        ("Solo", "no pane"),
        (".0", "no pane"),  # and the current window
        (":0.1", "no pane"),
        ("work:", "no pane"),
        ("work:+", "no pane"),
        ("work:{end}", "no pane"),
        ("work:0.7", "no pane"),
        ("work:0.00", "no pane"),
        ("work:0.-1", "no pane"),
        ("work:ed", "no pane"),
        ("solo:0", "no pane"),
        ("solo:7.%2", "no pane"),
        ("sh", "no pane"),  # windows need their session
        ("work:0", "window 'work:0' has 2 panes: %1 (work:0.0), %2 (work:0.1 tests); name one"),
        ("$0", "session '$0' has 3 panes"),
        ("x;rm -rf", "session 'x;rm -rf' has 4 panes"),
        ("x;rm -rf:sh", "ambiguous: window %7 (x;rm -rf:1.0 twice); window %8 (x;rm -rf:2.0 twice); name one by its id"),
        ("twice", "ambiguous: label %7"),
        ("work", "ambiguous: session %1 (work:0.0), %2 (work:0.1 tests), %3 (work:1.0); label %10"),
        ("a:b.c:1", "ambiguous"),  # the window 1, and the window named so
    ],
)
def test_no_target(target: str, reason: str) -> None:
    with pytest.raises(NoTarget) as raised:
        resolve_pane(target, PANES)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_label_that_is_a_session_is_ambiguous_even_for_one_pane() -> None:
    with pytest.raises(NoTarget, match="ambiguous"):
        resolve_pane("solo", [pane(1, "0 solo", "@0 0 sh", 0, label="solo")])


def test_long_lists_are_cut() -> None:
    with pytest.raises(NoTarget, match=r"has 50 panes: .* and 42 more; name one"):
        resolve_pane("big", [pane(n, "0 big", "@0 0 sh", n) for n in range(50)])


def test_no_panes_at_all() -> None:
    with pytest.raises(NoTarget):
        resolve_pane("work", [])


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("work:0", ["%1", "%2"]),
        ("$0", ["%1", "%2", "%3"]),
        ("x;rm -rf", ["%5", "%6", "%7", "%8"]),
        ("tests", ["%2"]),
        ("%14", ["%14"]),
        ("$8", ["%14"]),
    ],
)
def test_all_panes(target: str, found: list[str]) -> None:
    assert [record.pane for record in resolve_panes(target, PANES)] == found


@pytest.mark.parametrize("target", ["work", "twice", "nobody", "", "x;rm -rf:sh"])
def test_all_panes_of_nothing_certain(target: str) -> None:
    with pytest.raises(NoTarget):
        resolve_panes(target, PANES)


def test_sessions() -> None:
    assert resolve_session("work", PANES).session == "$0"  # the label does not count here
    assert resolve_session("$5", PANES).session_name == "a%b"
    assert resolve_session("%1", PANES).session == "$6"
    sessions = [SessionRecord("$0", "work", 1, 0, "", []), SessionRecord("$1", "$0", 1, 0, "", [])]
    assert resolve_session("$0", sessions).session_name == "work"
    for target in ("", "wor", "=work", "$99", "work:0", "tests"):
        with pytest.raises(NoTarget, match="ctmux session list"):
            resolve_session(target, PANES)


@pytest.mark.parametrize("label", ["", " ", "%3", "$x", "@x", "a:b", "a\nb", "\x1b[1m", "\udcff"])
def test_labels_that_name_nothing(label: str) -> None:
    with pytest.raises(UsageError):
        check_label(label, None, PANES)


def test_labels_are_unique() -> None:
    check_label("a.b #(x) 👩‍👩‍👧", None, PANES)
    check_label("tests", "%2", PANES)
    with pytest.raises(CtmuxError, match="taken by %2"):
        check_label("tests", "%3", PANES)
    with pytest.raises(CtmuxError, match="name of a session"):
        check_label("solo", "%3", PANES)


def test_listing_is_read_by_its_spaces_only() -> None:
    lines = [
        "s $3 2 1 1700000000 a  name s $9 ", "w @5 4 1  w @6 p", "p %12 2 00 80 24 1 1 1 p %9 label",
        "s $3 2 1 1700000000 a  name s $9 ", "w @6 5 0 ", "p %13 0 00 80 24 0 1 0 ",
    ]  # fmt: skip
    (session,) = parse(lines)
    assert session[:4] == ("$3", "a  name s $9 ", 2, 1)
    first, second = session.panes
    assert (first.window_name, first.window_index, first.label, first.pane_index) == (" w @6 p", 4, "p %9 label", 2)
    assert (first.dead, first.active, first.mode) == (True, True, True)
    assert (second.window_name, second.label, second.active, second.mode) == ("", None, False, False)


def test_formats_are_taken_as_text() -> None:
    assert literal("#(touch x) #{pid} a#b ##") == "##(touch x) ##{pid} a##b ####"
    assert literal("#[bold] ##[x] %H") == "#[bold] ##[x] %H"


NAMES = st.text(st.sampled_from(list("ab:.%$@=0 1é🚀*")), min_size=1, max_size=6)


@st.composite
def topologies(draw: st.DrawFn) -> list[PaneRecord]:
    """A server with any names, as tmux could have it."""
    panes: list[PaneRecord] = []
    windows = 0
    for session, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))):
        for index in range(draw(st.integers(1, 3))):
            window = draw(NAMES)
            for place in range(draw(st.integers(1, 3))):
                label = draw(st.none() | NAMES)
                panes.append(pane(len(panes), f"{session} {name}", f"@{windows} {index} {window}", place, label=label))
            windows += 1
    return panes


@given(topologies())
def test_ids_always_name_their_pane(panes: list[PaneRecord]) -> None:
    for record in panes:
        assert resolve_pane(record.pane, panes) == record
        assert resolve_pane(f"{record.session}:{record.window}.{record.pane}", panes) == record
        assert record in resolve_panes(record.session, panes)


@given(topologies(), NAMES | st.text(max_size=8))
def test_a_target_is_exact_or_refused(panes: list[PaneRecord], target: str) -> None:
    try:
        found = resolve_pane(target, panes)
    except NoTarget:
        return
    ways = {found.pane, found.session, found.session_name, found.window, found.label}
    for session in (found.session, found.session_name):
        for window in (found.window, str(found.window_index), found.window_name):
            ways |= {f"{session}:{window}", f"{session}:{window}.{found.pane_index}", f"{session}:{window}.{found.pane}"}
    ways |= {f"{found.window}.{found.pane_index}", f"{found.window}.{found.pane}"}
    assert target in ways


@given(topologies())
def test_what_two_panes_answer_to_names_neither(panes: list[PaneRecord]) -> None:
    labels = [record.label for record in panes]
    for record in panes:
        if record.label and labels.count(record.label) > 1 and not re.match(r"[%@$]\d+", record.label):
            with pytest.raises(NoTarget):
                resolve_pane(record.label, panes)
