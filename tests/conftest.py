"""Fixtures that tests share."""

from collections.abc import Iterator

import pytest
from harness import Command, World
from harness import world as _world
from hypothesis import settings
from warm import Warm

settings.register_profile("ctmux", deadline=None)  # tests do not time: the machine may be busy
settings.load_profile("ctmux")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    made = Warm()
    yield made
    made.close()


@pytest.fixture
def command(warm: Warm) -> Command:
    """How a world runs the command line; a module whose subject that is has `harness.installed`."""
    return warm.run


@pytest.fixture
def world(command: Command) -> Iterator[World]:
    """A ctmux of its own, with its own tmux servers; nothing is left behind."""
    yield from _world(command)
