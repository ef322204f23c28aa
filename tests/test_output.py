"""What is printed for people stays readable, whatever is echoed in it."""

import json

import pytest
from ctmux.cli.main import app
from ctmux.cli.output import shortened, table
from typer.testing import CliRunner

LONG = "x" * 100_000


def test_both_ends_of_long_lines_are_shown():
    assert shortened("0123456789\n01234567890", 10) == "0123456789\n01234…67890"


@pytest.mark.parametrize("text", [LONG, "\x01" * 100_000, "\n" * 100_000])
@pytest.mark.parametrize("option", ["--signal", "--publish", "--action", "--rate", "--ttl", "--nonsense"])
def test_an_error_echoes_no_more_than_can_be_read(option, text):
    words = ["subscribe", "exit", f"{option}={text}"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 2 and option.strip("-") in told.stderr and len(told.stderr) < 3000
    told = CliRunner().invoke(app, [*words, "--json"])
    assert told.exit_code == 2 and len(json.loads(told.stdout)["error"]["message"]) < 3000


def test_a_long_cell_moves_no_other_one_away():
    head, row = table([[LONG, "a", LONG]], ["NAME", "KIND", "WHAT"]).splitlines()
    assert head.index("KIND") == row.index("a") == 203
    assert len(row) < 3000
