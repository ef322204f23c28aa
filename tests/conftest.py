"""Fixtures that tests share."""

from collections.abc import Iterator

import pytest
from harness import World
from harness import world as _world


@pytest.fixture
def world() -> Iterator[World]:
    """A ctmux of its own, with its own tmux servers; nothing is left behind."""
    yield from _world()
