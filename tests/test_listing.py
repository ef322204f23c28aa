"""What tmux lists, as values: whatever people call their windows."""

import re

import pytest
from ctmux.services.keeper.listing import ARGUMENTS, ListedPane, Listing, parse, whole


def test_nothing():
    assert parse(b"") == Listing({}, {}, {})


def test_a_server():
    panes = b"p $1 @1 %1 0 1 0300  ;\np $2 @2 %5 1 0 0400 3 ; $2 @2 %6 0 1 0500  ;\n"
    text = b"s $1 main\ns $2 other\nw @1 3 zsh;\nw @2 3 vim; @3 3 a b;\n" + panes
    assert parse(text) == Listing(
        {"$1": "main", "$2": "other"},
        {"@1": "zsh", "@2": "vim", "@3": "a b"},
        {
            "%1": ListedPane("%1", 300, "@1", ["$1"], dead=False, piped=True, status=None),
            "%5": ListedPane("%5", 400, "@2", ["$2"], True, False, {"exit_status": 3, "signal": None}),
            "%6": ListedPane("%6", 500, "@2", ["$2"], dead=False, piped=True, status=None),
        },
    )


@pytest.mark.parametrize(
    "name",
    ["two words", " leading", "trailing ", "", "  ", "p $9 @9 %9 0 0 0999", "s $9 x", "w @9 x", "$1", "é 日本", "\r",
     "\x85", "\u2028", "\x0b\x0c", "a\tb", "a;b", "; @9 1 x;", "\\", "a\\", "\\;", "$(id)|`x`"],
)  # fmt: skip
def test_a_name_is_only_a_name(name):
    bytes_ = len(name.encode())
    listing = parse(f"s $1 {name}\nw @1 {bytes_} {name}; @2 {bytes_} {name};\np $1 @1 %1 0 1 0300;\n".encode())
    assert listing.sessions == {"$1": name}
    assert (listing.windows, list(listing.panes)) == ({"@1": name, "@2": name}, ["%1"])


def test_a_name_that_is_not_utf8():
    assert parse(b"s $1 caf\xe9\n").sessions == {"$1": "caf\ufffd"}


@pytest.mark.parametrize("name", ["ctmux-end-of-listing", "x ctmux-end-of-listing"])
def test_no_name_ends_a_listing(name):
    """The first piece that is read of a long listing may end behind any line."""
    part = f"s $1 main\nw @1 {name}\n".encode()
    assert whole(part) is None
    assert whole(part + b"w @2 zsh\nctmux-end-of-listing\n") == part + b"w @2 zsh\n"


def test_the_listing_of_nothing_is_whole():
    assert whole(b"ctmux-end-of-listing\n") == b"" and whole(b"") is None and whole(b"ctmux-end-of-") is None


def test_a_linked_window_is_in_several_sessions_lowest_id_first():
    text = b"p $10 @1 %1 0 1 0300; $10 @1 %1 0 1 0300;\np $9 @1 %1 0 1 0300;\n"
    assert parse(text).panes["%1"].sessions == ["$9", "$10"]


def test_a_pane_without_a_program():
    assert parse(b"p $1 @1 %1 1 0 0;\n").panes["%1"].pid == 0


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("1 0 0300 0 ", {"exit_status": 0, "signal": None}),
        ("1 0 0300 255 ", {"exit_status": 255, "signal": None}),
        ("1 0 0300  9", {"exit_status": None, "signal": 9}),
        ("1 0 0300  ", None),  # unknown is not 0
        ("1 0 0300", None),  # a tmux that does not have the formats
        ("0 0 0300  ", None),
        ("0 0 0300 0 ", None),  # it runs again
    ],
)
def test_how_a_dead_pane_ended(told, status):
    assert parse(f"p $1 @1 %1 {told};\n".encode()).panes["%1"].status == status


def test_the_formats_are_what_is_parsed():
    """tmux's own formats with values put in are a listing; the name is last in each."""
    values = {
        "session_id": "$1", "session_name": "my name", "window_id": "@2", "n:window_name": "3", "window_name": "p q",
        "pane_id": "%3",
        "pane_dead_status": "", "pane_dead_signal": "9", "pane_dead": "1", "pane_pipe": "1", "pane_pid": "400",
    }  # fmt: skip
    lines = []
    for form in (argument for argument in ARGUMENTS if argument[:2] in ("s ", "w#", "p#")):
        form, loops = re.subn(r"#\{[WP]:", "", form)
        form = form[: len(form) - loops]
        for name, value in values.items():
            form = form.replace(f"#{{{name}}}", value)
        lines.append(form)
    assert parse("\n".join(lines).encode()) == Listing(
        {"$1": "my name"},
        {"@2": "p q"},
        {"%3": ListedPane("%3", 400, "@2", ["$1"], True, True, {"exit_status": None, "signal": 9})},
    )
