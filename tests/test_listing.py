"""What tmux lists, as values: whatever people call their windows."""

import re

import pytest
from ctmux.services.keeper.listing import ARGUMENTS, ListedPane, Listing, parse, whole
from hypothesis import given
from hypothesis import strategies as st


def named(tmux_id, name):
    return f"{tmux_id} {len(name.encode())} {name};".encode()


def test_nothing():
    assert parse(b"\n") == parse(b"") == Listing({}, {}, {})


def test_a_server():
    text = (
        b"$1 4 main;@1 3 zsh;$1 @1 %1 0 1 0300  ;"
        b"$2 5 other;@2 3 vim;$2 @2 %5 1 0 0400 3 ;$2 @2 %6 0 1 0500  ;@3 3 a b;after-new-window;after-split-window;\n"
    )
    assert parse(text) == Listing(
        {"$1": "main", "$2": "other"},
        {"@1": "zsh", "@2": "vim", "@3": "a b"},
        {
            "%1": ListedPane("%1", 300, "@1", ["$1"], dead=False, piped=True, status=None),
            "%5": ListedPane("%5", 400, "@2", ["$2"], True, False, {"exit_status": 3, "signal": None}),
            "%6": ListedPane("%6", 500, "@2", ["$2"], dead=False, piped=True, status=None),
        },
        ("after-new-window", "after-split-window"),
    )


NAMES = [
    "two words", " leading", "trailing ", "", "  ", "$9 @9 %9 0 0 0999  ;", "$9 1 x;", "@9 1 x;", "$1", "é 日本", "\r",
    "\x85",    "\u2028", "\x0b\x0c", "a\tb", "a;b", ";", "\\;", "after-new-window;", "3",
]  # fmt: skip


@given(st.one_of(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_name_is_only_a_name(name):
    windows = named("@1", name) + b"$1 @1 %1 0 1 0300  ;" + named("@2", name)
    listing = parse(named("$1", name) + windows + named("$2", name) + b"\n")
    assert listing.sessions == {"$1": name, "$2": name}
    assert listing.windows == {"@1": name, "@2": name}
    assert (list(listing.panes), listing.unhooked) == (["%1"], ())


def test_a_name_that_is_not_utf8():
    assert parse(b"$1 4 caf\xe9;$2 1 x;\n").sessions == {"$1": "caf\ufffd", "$2": "x"}


def test_a_part_of_a_listing_is_not_whole():
    text = b"$1 4 main;@1 3 zsh;$1 @1 %1 0 1 0300  ;\n"
    assert whole(text) == text and not any(whole(text[:end]) for end in range(len(text)))


def test_the_listing_of_nothing_is_whole():
    assert whole(b"\n") == b"\n"


def test_a_linked_window_is_in_several_sessions_lowest_id_first():
    text = b"$10 @1 %1 0 1 0300  ;$10 @1 %1 0 1 0300  ;$9 @1 %1 0 1 0300  ;\n"
    assert parse(text).panes["%1"].sessions == ["$9", "$10"]


def test_a_pane_without_a_program():
    assert parse(b"$1 @1 %1 1 0 0  ;\n").panes["%1"].pid == 0


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("1 0 0300 0 ", {"exit_status": 0, "signal": None}),
        ("1 0 0300 255 ", {"exit_status": 255, "signal": None}),
        ("1 0 0300  9", {"exit_status": None, "signal": 9}),
        ("1 0 0300  ", None),  # unknown is not 0
        ("0 0 0300  ", None),
        ("0 0 0300 0 ", None),  # it runs again
    ],
)
def test_how_a_dead_pane_ended(told, status):
    assert parse(f"$1 @1 %1 {told};\n".encode()).panes["%1"].status == status


def test_the_formats_are_what_is_parsed():
    """tmux's own formats with values put in are a listing."""
    values = {
        "session_id": "$1", "n:session_name": "7", "session_name": "my name", "window_id": "@2", "n:window_name": "3",
        "window_name": "p q", "pane_id": "%3", "pane_dead_status": "", "pane_dead_signal": "9", "pane_dead": "1",
        "pane_pipe": "1", "pane_pid": "400",
    }  # fmt: skip
    text = re.sub(r"#\{\?after-new-session\[9000\],,([a-z-]+;)\}", r"\1", ARGUMENTS[-1])  # that one is not there
    text = re.sub(r"#\{\?[^}]*\}", "", text)
    for name, value in values.items():
        text = text.replace(f"#{{{name}}}", value)
    text, loops = re.subn(r"#\{[SWP]:", "", text)
    assert parse(text.replace("}", "", loops).encode()) == Listing(
        {"$1": "my name"},
        {"@2": "p q"},
        {"%3": ListedPane("%3", 400, "@2", ["$1"], True, True, {"exit_status": None, "signal": 9})},
        ("after-new-session",),
    )
