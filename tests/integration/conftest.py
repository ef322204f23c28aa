"""A running instance over a private tmux server with one session, `main`."""

from collections.abc import Iterator

import pytest
from ctmux import Client
from guest import Guest, Shared
from harness import World
from warm import Warm

FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration" in str(item.path):
            item.add_marker(pytest.mark.integration)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.failed:
        for world in [made for made in getattr(item, "funcargs", {}).values() if isinstance(made, World)][:1]:
            report.sections.append(("what the instance said", world.said()))
    return report


@pytest.fixture
def daemon(world: World) -> World:
    """An instance of the test's own, which it may change, stop and break."""
    world.begin()
    return world


@pytest.fixture(scope="session")
def shared(warm: Warm) -> Iterator[Shared]:
    made = Shared(warm.run)
    yield made
    made.close()


@pytest.fixture
def guest(shared: Shared, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """The same for a test that leaves the instance as it is, in a tenth of the time: what it has of its own is the tmux
    server, and what it sees are the events since its begin."""
    made = shared.welcome()
    try:
        made.begin()
        yield made
    finally:
        shared.part(made, request.node.stash.get(FAILED, True))


@pytest.fixture
def environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library finds the test's instance."""
    world = request.getfixturevalue("guest" if "guest" in request.fixturenames else "daemon")
    for name in ("CTMUX_RUNTIME_DIR", "CTMUX_STATE_DIR", "TMUX_TMPDIR"):
        monkeypatch.setenv(name, world.env[name])


@pytest.fixture
def client(environment: None) -> Iterator[Client]:
    """The library's client of the test's instance."""
    with Client() as made:
        yield made
