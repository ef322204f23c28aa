"""A running instance over a private tmux server with one session, `main`."""

from collections.abc import Iterator

import pytest
from ctmux import Client
from harness import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration" in str(item.path):
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def daemon(world: World) -> Iterator[World]:
    world.begin()
    yield world


@pytest.fixture
def client(daemon: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The library's client of that instance."""
    for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR", "TMUX_TMPDIR"):
        monkeypatch.setenv(name, daemon.env[name])
    with Client() as made:
        yield made
