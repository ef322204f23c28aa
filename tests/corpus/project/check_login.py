"""A login: all pass, one is skipped, one expected to fail."""

import pytest


def test_login():
    pass


@pytest.mark.skip(reason="no ERROR server")
def test_server():
    pass


@pytest.mark.xfail
def test_later():
    raise RuntimeError("ERROR: expected")
