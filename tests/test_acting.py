"""Options that say what a subscription sets off, made actions."""

from typing import Any

import pytest
from ctmux.cli import acting
from ctmux.cli.given import from_json
from ctmux.cli.main import app
from ctmux.shared.errors import UsageError
from typer.testing import CliRunner


def take(**given: Any) -> list[dict[str, Any]]:
    return acting.take(dict.fromkeys(acting.OPTIONS) | {f"act_{name}": value for name, value in given.items()})


@pytest.mark.parametrize("name", ["timeout", "grace", "max_age", "concurrency", "queue", "loop", "tries"])
def test_a_zero_is_no_default(name):
    zero = 0.0 if name in ("timeout", "grace", "max_age") else 0
    with pytest.raises(UsageError, match=f"{name} 0: .* expected"):
        take(**{name: zero}, **({"webhook": ["http://localhost/"]} if name == "tries" else {"run": '["true"]'}))


def test_no_output_at_all_can_be_kept():
    assert take(run='["true"]', output=0, env=[], dry=False) == [{"do": "run", "argv": ["true"], "output": 0}]


@pytest.mark.parametrize("deep", ["[" * 101 + "]" * 101, "[" * 90_000 + "]" * 90_000, '{"do":' * 101 + "1" + "}" * 101])
def test_what_is_nested_too_deeply_is_a_mistake(deep, tmp_path):
    file = tmp_path / "deep"
    file.write_text(deep)
    for given in ({"action": [deep]}, {"arm": [deep]}, {"actions": str(file)}):
        with pytest.raises(UsageError, match="nested too deeply"):
            take(**given)
    with pytest.raises(UsageError, match="write it last"):
        take(run=deep)
    told = CliRunner().invoke(app, ["publish", "x", "--data", deep])
    assert (told.exit_code, told.stderr) == (2, "ctmux: --data: it is nested too deeply: at most 100 levels\n")


def test_what_is_nested_is_taken():
    assert from_json("--data", "[" * 100 + "]" * 100) and from_json("--data", '{"a": [{}, 1, []]}') == {"a": [{}, 1, []]}
    with pytest.raises(UsageError, match="not JSON"):
        from_json("--data", "[" * 101)


def test_what_is_armed_has_a_kind():
    with pytest.raises(UsageError, match="--arm: kind is needed"):
        take(arm=["{}"])


def test_a_file_that_is_not_there_is_said_once(tmp_path):
    file = f"{tmp_path}/nowhere"
    with pytest.raises(UsageError, match=f"^--actions {file}: No such file or directory$"):
        take(actions=file)
