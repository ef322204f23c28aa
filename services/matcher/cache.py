"""Compiled filters as files, so that a matcher that is started again need not have them compiled again."""

import contextlib
import os
from hashlib import blake2s

import msgpack

from ...shared.paths import ensure_private
from .filters import Compiled


class Cache:
    """A directory with a file for each filter in use; what cannot be read or written is only slower."""

    def __init__(self, directory: str):
        ensure_private(directory)
        self._directory = directory
        self._names: dict[Compiled, str] = {}

    def load(self) -> list[Compiled]:
        """The filters of the matcher before."""
        found = []
        for name in os.listdir(self._directory):
            try:
                with open(f"{self._directory}/{name}", "rb") as file:
                    compiled = Compiled(*msgpack.unpackb(file.read()))
            except Exception as error:  # of another version of hyperscan, for another processor, or torn
                print(f"{self._directory}/{name}: {error}", flush=True)
                os.unlink(f"{self._directory}/{name}")
                continue
            self._names[compiled] = name
            found.append(compiled)
        return found

    def keep(self, new: Compiled, database: bytes, used: list[Compiled]) -> None:
        """Write the new one; drop those that are not used any more."""
        name = self._names[new] = blake2s(database, digest_size=16).hexdigest()
        path = f"{self._directory}/{name}"
        with contextlib.suppress(OSError):  # no space
            with open(f"{path}.new", "wb") as file:
                file.write(msgpack.packb([new.patterns, database]))
            os.rename(f"{path}.new", path)
        self._names = {filter: name for filter, name in self._names.items() if filter in used}
        for other in set(os.listdir(self._directory)) - set(self._names.values()):
            os.unlink(f"{self._directory}/{other}")
