"""The runner's rules are those of the policy file as it is now: changed, damaged, opened to others, gone, back."""

import os

import pytest
from ctmux.services.runner.rules import Rules
from ctmux.shared.actions import Action
from ctmux.shared.errors import Refused
from ctmux.shared.specs import read

RUN = read({"do": "run", "argv": ["/bin/ls"]})


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where it is if nothing names it."""
    monkeypatch.delenv("CTMUX_POLICY", raising=False)
    monkeypatch.setenv("CTMUX_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path / "policy.toml"


def write(file, text, mode=0o600):
    """As an editor does: another file takes its place."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.chmod(mode)
    os.replace(new, file)


def limit(rules: Rules, action: Action = RUN) -> str | None:
    return rules.limit("s1/0", action)


def test_each_change_of_the_file_counts_at_once(file):
    rules = Rules()
    assert limit(rules) is None and rules.current().actions
    write(file, "actions = false\n")
    assert "runs no actions" in str(limit(rules))
    write(file, "commands = ['/bin/*', '/usr/bin/*']\nshell = false\n")
    assert limit(rules) is None and rules.current().shell is False


def test_a_file_that_cannot_be_trusted_allows_nothing_and_that_is_told_once(file, capsys):
    write(file, "")
    rules = Rules()
    for text, mode, told in (("", 0o666, "chmod go-w"), ("colour = 1\n", 0o600, "no key 'colour'"), ("[", 0o600, "policy")):
        write(file, text, mode)
        assert told in str(limit(rules)) and told in str(rules.trouble)
        for _ in range(3):
            with pytest.raises(Refused, match="policy"):
                rules.current()
        assert capsys.readouterr().out.count("policy: ") == 1
    write(file, "")
    assert limit(rules) is None and rules.trouble is None


def test_a_file_that_is_removed_allows_what_no_file_does_unless_it_was_named(file, monkeypatch):
    write(file, "actions = false\n")
    monkeypatch.setenv("CTMUX_POLICY", str(file))
    named = Rules()
    monkeypatch.delenv("CTMUX_POLICY")
    found = Rules()
    file.unlink()
    assert limit(found) is None and found.trouble is None
    monkeypatch.setenv("CTMUX_POLICY", str(file))
    assert "no such policy file" in str(limit(named))


def test_an_answer_is_of_its_action_and_its_file(file):
    rules = Rules()
    assert limit(rules) is None
    assert "type_data" in str(limit(rules, read({"do": "send", "text": "{line}"})))  # armed anew under the same key
    assert limit(rules) is None
    write(file, "commands = []\n")
    assert "/bin/ls" in str(limit(rules))
