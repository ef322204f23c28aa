"""docs/wire.md is true: its examples run as they are written there, beside a logger and a broker that are killed."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import CTMUX, World, until

pytestmark = pytest.mark.any_tmux

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", [0, 1], ids=["pyzmq and msgpack", "client library"])
def test_the_example_gives_every_event_once_and_in_order(daemon: World, number: int) -> None:
    program = Path(daemon.root) / "example.py"
    program.write_text(examples()[number])
    out = Path(daemon.root) / "out"
    env = {**daemon.env, "PATH": f"{Path(CTMUX).parent}:{daemon.env['PATH']}"}
    with open(out, "w") as file, subprocess.Popen([sys.executable, str(program)], env=env, stdout=file) as example:
        try:
            until(lambda: out.read_text())
            daemon.ctmux("subscribe", "pattern", "^row")
            daemon.tmux("send-keys", "-t", "main", "for i in $(seq 1 400); do echo row $i; done", "Enter")
            for role in ("broker", "logger"):
                pid = next(p["pid"] for p in daemon.data("status")["programs"] if p["name"] == role)
                os.kill(pid, signal.SIGKILL)
                daemon.wait_event("service.restarted", service=role)
            until(lambda: len(daemon.events("pattern.matched")) == 400)
            newest = daemon.events()[-1]["n"]
            until(lambda: len(out.read_text().splitlines()) >= newest)
            assert [int(line.split()[0]) for line in out.read_text().splitlines()] == list(range(1, newest + 1))
        finally:
            example.kill()


def test_every_field_of_a_subscription_is_on_the_page() -> None:
    from ctmux.services.matcher.subscription import Subscription

    shown = Subscription("s1", 1, "pattern", ["x"], None, None, None, "", 0.0).public()
    _, _, table = PAGE.read_text().partition("**A subscription** is one map")
    table = table.partition("\n## ")[0]
    assert [field for field in shown if f"`{field}`" not in table] == []


def test_every_kind_is_on_the_page() -> None:
    from ctmux.shared.messages import KINDS

    page = PAGE.read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
