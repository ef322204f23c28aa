"""What tmux lists, as values: whatever people call their windows."""

import re

import pytest
from ctmux.services.keeper.listing import ARGUMENTS, ListedPane, Listing, ended, parse, whole
from hypothesis import given
from hypothesis import strategies as st

SERVER = (
    "s $1 main\nw @1 zsh\np $1 @1 %1 0 1 0300  \ne $1\n"
    "s $2 other\nw @2 vim\np $2 @2 %5 1 0 0400 3 \np $2 @2 %6 0 1 0500  \nw @3 a b\ne $2\n"
)


def of(text):
    return parse(text.encode())


def test_nothing():
    assert parse(b"") == of("h end\n") == Listing({}, {}, {})


def test_a_server():
    assert of(f"{SERVER}h after-new-window after-split-window end\n") == Listing(
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
    "two words", " leading", "trailing ", "", "  ", "p $9 @9 %9 0 0 0999  ", "s $9 x", "w @9 x", "e $9", "h x end", "$1",
    "é 日本", "\r", "\x85", "\u2028", "\x0b\x0c", "a\tb", "a;b",
]  # fmt: skip


@given(st.one_of(st.sampled_from(NAMES), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))))
def test_a_name_is_only_a_name(name):
    text = f"s $1 {name}\nw @1 {name}\np $1 @1 %1 0 1 0300  \ne $1\ns $2 {name}\ne $2\nh end\n"
    assert whole(text.encode())
    listing = of(text)
    assert (listing.sessions, listing.windows) == ({"$1": name, "$2": name}, {"@1": name})
    assert (list(listing.panes), listing.unhooked) == (["%1"], ())


def test_a_name_that_is_not_utf8():
    assert parse(b"s $1 caf\xe9\ne $1\nh end\n").sessions == {"$1": "caf\ufffd"}


def test_a_long_name_is_cut():
    name = "é" * 700_000
    listing = of(f"s $1 {name}\nw @1 {name}\ne $1\nh end\n")
    assert listing == Listing({"$1": name[:1024]}, {"@1": name[:1024]}, {})


def test_the_end_of_a_listing():
    text = f"{SERVER}h after-new-window end\n".encode()
    assert ended(text) and whole(text)
    assert not any(ended(text[:end]) or whole(text[:end]) for end in range(len(text)))
    assert ended(b"h end\n") and whole(b"h end\n")


@pytest.mark.parametrize(
    "cut",
    [
        "h \n",
        "h after-new-window \n",
        "s $1 \n\nh end\n",
        "s $1 main\nw @1 zsh\np $1 @1 %1 0 1 03\nh end\n",
        "s $1 main\nw @1 zsh\np $1 @1 %1 0 1 0300  \ne \nh end\n",
        "s $1 main\n\ns $2 other\ne $2\nh end\n",
    ],
)
def test_what_tmux_has_cut_is_not_whole(cut):
    """tmux 3.7 and later take formats for empty once a session takes longer than 100 ms."""
    assert not whole(cut.encode())


def test_a_linked_window_is_in_several_sessions_lowest_id_first():
    text = "p $10 @1 %1 0 1 0300  \np $10 @1 %1 0 1 0300  \np $9 @1 %1 0 1 0300  \n"
    assert of(text).panes["%1"].sessions == ["$9", "$10"]


@pytest.mark.parametrize("pid", ["0", "00", "0-1"])
def test_a_pane_without_a_program(pid):
    assert of(f"p $1 @1 %1 1 0 {pid}  \n").panes["%1"].pid == 0


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
    assert of(f"p $1 @1 %1 {told}\n").panes["%1"].status == status


def test_the_formats_are_what_is_parsed():
    """tmux's own formats with values put in are a listing."""
    values = {
        "session_id": "$1", "session_name": "my name", "window_id": "@2", "window_name": "p q", "pane_id": "%3",
        "pane_dead_status": "", "pane_dead_signal": "9", "pane_dead": "1", "pane_pipe": "1", "pane_pid": "400",
        "l:end": "end",
    }  # fmt: skip
    text = f"{ARGUMENTS[2]}\n{ARGUMENTS[-1]}\n"
    text = re.sub(r"#\{\?after-new-session\[9000\],,([a-z-]+ )\}", r"\1", text)  # that one is not there
    text = re.sub(r"#\{\?[^}]*\}", "", text)
    for name, value in values.items():
        text = text.replace(f"#{{{name}}}", value)
    text, loops = re.subn(r"#\{[WP]:", "", text)
    text = text.replace("}", "", loops)
    assert whole(text.encode())
    assert of(text) == Listing(
        {"$1": "my name"},
        {"@2": "p q"},
        {"%3": ListedPane("%3", 400, "@2", ["$1"], True, True, {"exit_status": None, "signal": 9})},
        ("after-new-session",),
    )
