"""`ctmux subscription test` looks in a process of its own: with our code, wherever it is called."""

from ctmux.cli.commands.subscription import _try


def test_nothing_of_the_current_directory_runs(tmp_path, monkeypatch):
    for name in ("json.py", "ctmux.py"):
        (tmp_path / name).write_text("open('ran', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    assert [cost["pattern"] for cost in next(_try(["x"], None))["costs"]] == ["x"]
    assert not (tmp_path / "ran").exists()
