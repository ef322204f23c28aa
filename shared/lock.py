"""Locks that the kernel frees however their holder ends: one process per role, one owner per spool.

Locks of the open file description (fcntl(2), F_OFD_SETLK): who only looks does not have to take one, so that looking never
keeps somebody from taking.
"""

import errno
import fcntl
import os
import struct

from .errors import Refused

_FLOCK = struct.Struct("hhqqi4x")  # l_type, l_whence, l_start, l_len, l_pid
_WHOLE_FILE = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def acquire(path: str) -> int | None:
    """The descriptor that holds the exclusive lock on `path` as long as it is open, or None if another has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if try_lock(fd):
        return fd
    os.close(fd)
    return None


def try_lock(fd: int) -> bool:
    """Take the exclusive lock on a file that is open for writing, without waiting."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WHOLE_FILE)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def is_held(path: str) -> bool:
    """Whether somebody holds the lock on `path` now. Raises Refused where that is not for us to see."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        raise Refused(
            f"{os.path.dirname(path)} is another user's: unset XDG_RUNTIME_DIR, or set CTMUX_RUNTIME_DIR"
        ) from None
    try:
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _WHOLE_FILE)
    finally:
        os.close(fd)
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
