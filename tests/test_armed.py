"""Who arms actions: what only he can say of them."""

from pathlib import Path

import pytest
from ctmux.client import armed
from ctmux.shared.errors import UsageError


def test_who_is_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(UsageError, match="was removed"):
        armed.by()
    with pytest.raises(UsageError, match="was removed"):
        armed.complete([{"do": "shell", "text": "x"}])
