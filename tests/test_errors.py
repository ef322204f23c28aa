"""The error tree: what a program sees on the wire and in the exit code."""

import re

import pytest
from ctmux.shared import errors
from ctmux.shared.errors import BY_CODE, CtmuxError, from_wire

CLASSES = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, CtmuxError)]


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_survives_the_wire(error):
    made = from_wire(error.code, "pane %7 is gone")
    assert type(made) is error
    assert str(made) == "pane %7 is gone"


def test_codes_and_exit_codes_name_one_error_each():
    assert set(BY_CODE.values()) == set(CLASSES)
    assert len({error.exit_code for error in CLASSES}) == len(CLASSES)
    assert {error.exit_code for error in CLASSES}.isdisjoint({0, errors.EXIT_INTERRUPTED})


def test_a_code_of_a_later_version_is_still_an_error():
    assert type(from_wire("quota", "too many")) is CtmuxError


def test_the_drawing_is_the_tree():
    drawn = re.findall(r"(\w+) +(\w+) +exit (\d+)", errors.__doc__ or "")
    assert {(error.__name__, error.code, str(error.exit_code)) for error in CLASSES} == set(drawn)
    assert all(error.__base__ is CtmuxError for error in CLASSES if error is not CtmuxError)
