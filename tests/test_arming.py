"""What an action arms: as it was asked for, by whom, and the same however often it is asked."""

from ctmux.services.runner import arming
from ctmux.services.runner.intent import Intent
from ctmux.shared.messages import Subscribe


def test_fields_are_fields_and_all_else_is_an_option():
    armed = {"kind": "pattern", "patterns": ["x"], "pane": "%1", "server": "srv", "count": 1}
    intent = Intent("7.s1.0", 7, "s1", None, 0, {"do": "arm", "subscription": armed}, 2, 1, None)
    by = {"action": "7.s1.0", "depth": 2}
    wanted = Subscribe("action/log/7.s1.0", "pattern", ["x"], "srv", None, "%1", {"count": 1, "armed_by": by})
    assert arming.request(intent, "log") == wanted
    bare = intent._replace(spec={"do": "arm", "subscription": {"kind": "exit"}}, attempt=1)
    assert arming.request(bare, "log") == Subscribe("action/log/7.s1.0", "exit", [], None, None, None, {"armed_by": by})
