"""What of keys is text, as tmux's send-keys takes them."""

import pytest
from ctmux.cli.sent import typed


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["make", "Enter"], "make\n"),
        (["make", "Space", "-j4", "enter", "y"], "make -j4\ny"),
        (["C-c", "M-Up", "^C", "F12", "KP/", "PgDn"], "\n" * 6),
        (["C", "-", "c", "Upper", "Fail", "^", "C-", "Makefile"], "C-cUpperFail^C-Makefile"),
        (["old", "BSpace", "new"], "old\nnew"),
    ],
)
def test_names_are_no_text(keys, text):
    assert typed(keys, literally=False) == text


def test_literally_they_are():
    assert typed(["make", "Enter"], literally=True) == "makeEnter"
