"""Where the spools of an instance lie: in its runtime directory, or where a file system can give space back."""

import contextlib
import errno
import os

from . import spool
from .errors import Refused
from .paths import Paths, ensure_private

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE = 1 << 16  # bytes


def others() -> list[str]:
    """Directories that are asked when the runtime directory cannot."""
    return ["/dev/shm", os.environ.get("TMPDIR") or "/tmp", "/var/tmp"]  # noqa: S108 (ours in it is checked)


def settle(paths: Paths) -> bool:
    """Make `<runtime>/spool`, or a link there to a directory that is as private but can punch holes.

    Spools that lie there already stay there. Returns whether their space can be bounded. Raises Refused.
    """
    if os.path.islink(paths.spool) and not os.path.isdir(paths.spool):
        os.unlink(paths.spool)  # the other place was emptied, by a boot for example
    if os.path.isdir(paths.spool):
        ensure_private(os.path.realpath(paths.spool))
        return can_reclaim(paths.spool)
    if can_reclaim(paths.runtime):
        ensure_private(paths.spool)
        return True
    from hashlib import blake2s

    name = f"ctmux-{os.geteuid()}-{blake2s(paths.runtime.encode(), digest_size=6).hexdigest()}"
    for base in others():
        if os.path.isdir(base) and can_reclaim(base):
            try:
                ensure_private(f"{base}/{name}")
            except Refused:  # another user has made it
                continue
            os.symlink(f"{base}/{name}", paths.spool)
            return True
    ensure_private(paths.spool)
    return False


def release(paths: Paths) -> None:
    """Remove what `settle` made elsewhere, if it is empty."""
    if os.path.islink(paths.spool):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.realpath(paths.spool))
            os.unlink(paths.spool)


def can_reclaim(directory: str) -> bool:
    """Whether files in this directory can give back the space of their beginning, and tell that they did."""
    path = f"{directory}/ctmux-probe-{os.getpid()}"
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return error.errno in _FULL
    try:
        os.unlink(path)
        os.write(fd, b"x" * _PROBE)
        return spool.reclaim(fd, _PROBE // 2) and spool.first_offset(fd, _PROBE) == _PROBE // 2
    except OSError as error:
        return error.errno in _FULL  # it cannot be tried now; most can
    finally:
        os.close(fd)
