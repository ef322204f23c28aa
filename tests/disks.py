"""File systems of a test's own, and full disks."""

import contextlib
import os
import subprocess
from collections.abc import Iterator

import pytest

BLOCK = 1 << 16


@contextlib.contextmanager
def mounted(directory: str, kind: str, options: str = "") -> Iterator[None]:
    """A file system of its own; only root can."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    options = ",".join(filter(None, ["mode=0700", options]))
    done = subprocess.run(["mount", "-t", kind, "-o", options, "none", directory], capture_output=True)
    if done.returncode:
        pytest.skip("only root can mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


def fill(path: str) -> None:
    """Write until the file system has no space left."""
    for mode, size in (("wb", BLOCK), ("ab", 1)):
        with contextlib.suppress(OSError), open(path, mode, buffering=0) as file:
            while True:
                file.write(b"x" * size)
