"""A process of an action, in a loop as small as can be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from ctmux.services.runner.child import Child
from ctmux.services.runner.plan import Plan
from ctmux.shared.paths import Paths
from ctmux.shared.service import Service

service = Service("runner", Paths("test", sys.argv[1], sys.argv[1]))

def done(result):
    print(result.exit_code, flush=True)
    service.stop()

argv = [sys.argv[2], "--reuid", "0", "--clear-groups", "sh", "-c", "exec sleep 0.2"]
Child(service, Plan(argv, {"PATH": "/usr/bin:/bin"}, "/"), 0.1, 0.05, 100, done)
service.run()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a program that is root's whoever runs it")
def test_a_program_that_may_not_be_signalled_ends_by_itself(tmp_path: Path) -> None:
    found = shutil.which("setpriv")
    assert found
    raised = f"{shutil.copy(found, tmp_path)}"
    os.chmod(raised, 0o4755)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)
    runtime = tmp_path / "run"
    runtime.mkdir(0o700)
    os.chown(runtime, 65534, 65534)
    lowered = [found, "--reuid", "65534", "--clear-groups", sys.executable, "-c"]
    if subprocess.run([*lowered, ""], capture_output=True, cwd="/", check=False).returncode:
        pytest.skip("this Python is root's alone")
    done = subprocess.run(
        [*lowered, PROGRAM, str(runtime), raised], capture_output=True, text=True, timeout=30, cwd="/", check=False
    )
    assert done.stdout.split() == ["ready", "0"], done.stderr
