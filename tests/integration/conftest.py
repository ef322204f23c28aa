"""A running instance over a private tmux server with one session, `main`."""

from collections.abc import Iterator

import pytest
from harness import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration" in str(item.path):
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def daemon(world: World) -> Iterator[World]:
    world.begin()
    yield world
