"""What an action arms: as it was asked for, by whom, and the same however often it is asked."""

import pytest
from ctmux.services.matcher.arming import subscription
from ctmux.services.matcher.store import Store
from ctmux.services.runner import arming
from ctmux.services.runner.intent import Intent
from ctmux.shared.errors import UsageError
from ctmux.shared.messages import Subscribe


def test_fields_are_fields_and_all_else_is_an_option():
    armed = {"kind": "pattern", "patterns": ["x"], "pane": "%1", "server": "srv", "count": 1}
    intent = Intent("7.s1.0", 7, "s1", None, 0, {"do": "arm", "subscription": armed}, 2, 1, None)
    by = {"action": "7.s1.0", "depth": 2}
    wanted = Subscribe("action/log/7.s1.0", "pattern", ["x"], "srv", None, "%1", {"count": 1, "armed_by": by})
    assert arming.request(intent, "log") == wanted
    bare = intent._replace(spec={"do": "arm", "subscription": {"kind": "exit"}}, attempt=1)
    assert arming.request(bare, "log") == Subscribe("action/log/7.s1.0", "exit", [], None, None, None, {"armed_by": by})


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Ask the matcher for a subscription that arms this one."""
    monkeypatch.setenv("CTMUX_CONFIG", str(tmp_path / "config.toml"))
    store = Store(str(tmp_path / "state" / "subscriptions.jsonl"))

    def asked(armed):
        actions = [{"do": "arm", "subscription": armed}]
        request = Subscribe("token", "pattern", ["x"], None, None, None, {"actions": actions})
        return subscription(request, store, str(tmp_path))

    return asked


@pytest.mark.parametrize(
    ("armed", "words"),
    [
        ({"kind": "nosuch"}, "^arm: unknown kind of subscription 'nosuch'"),
        ({"kind": "pattern"}, "^arm: a pattern is needed"),
        ({"kind": "pattern", "patterns": [1]}, "^arm: "),
        ({"kind": "pattern", "patterns": ["("]}, "^arm: pattern: missing"),
        ({"kind": "pattern", "patterns": ["x"], "until": "("}, "^arm: until: "),
        ({"kind": "exit", "session": "build"}, r"^arm: session 'build': an id such as \$3 is expected"),
        ({"kind": "exit", "pane": "label"}, "^arm: pane 'label': an id such as %12 is expected"),
        ({"kind": "idle"}, "^arm: idle needs a number"),
        ({"kind": "exit", "tmies": 3}, "^arm: unknown option 'tmies'"),
        ({"kind": "exit", "actions": [{"do": "arm", "subscription": {"kind": "fly"}}]}, "^arm: arm: unknown kind"),
    ],
)
def test_a_mistake_in_what_is_armed_is_said_when_it_is_armed(asked, armed, words):
    with pytest.raises(UsageError, match=words):
        asked(armed)


def test_what_can_be_armed_may_be(asked):
    later = {"kind": "any", "members": ["s99"], "pane": "%77", "server": "srv"}  # who is not there yet
    for armed in ({"kind": "pattern", "patterns": ["x"], "count": 1}, later):
        assert asked(armed).options.actions[0]["subscription"] == armed
