"""Lines of followed output as they are shown, however they come in pieces and between other panes."""

import pytest
from ctmux.cli.printers import LINE_MAX, LinePrinter


@pytest.fixture
def shown(capfdbinary):
    return lambda: capfdbinary.readouterr().out


def test_the_end_of_a_pane_ends_no_line_of_another_one(shown):
    printer = LinePrinter("FAILED", False, True)
    printer.data("%1", b"FAILED at last")
    printer.data("%2", b"FAI")
    printer.end("%1")
    assert shown() == b"[%1] FAILED at last\n"
    printer.data("%2", b"LED test\r\nFAILED too")
    assert shown() == b"[%2] FAILED test\n"
    printer.close()
    assert shown() == b"[%2] FAILED too\n"


def test_a_line_without_end_is_shown_in_pieces(shown):
    printer = LinePrinter(None, False, False)
    quarter = LINE_MAX // 4
    for _ in range(12):
        printer.data("%1", b"x" * quarter)
    assert shown() == (b"x" * LINE_MAX + b"\n") * 2
    printer.data("%1", b"\r")
    printer.data("%1", b"\n")
    assert shown() == b"x" * LINE_MAX + b"\n"
