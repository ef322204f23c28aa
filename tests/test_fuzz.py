"""Twenty seconds of `make fuzz`: what it prints names the seed and the round that failed."""

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent / "fuzz" / "fuzz.py"


def test_random_output_and_patterns_fire_as_the_slowest_way_would():
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--minutes", "0.33", "--seed", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " hits" in done.stdout
