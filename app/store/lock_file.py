"""The lock beside an embedded database: one process at a time; the operating system lets go of it with the process."""

import fcntl
import os
from pathlib import Path

from app.store.errors import CannotOpen, InUse


class LockFile:
    """An exclusive lock on `<database>.lock`. The file stays behind: removing it would let two processes hold "it"."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or say in one sentence that somebody else has it."""
        try:
            descriptor = os.open(f"{self.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotOpen(f"cannot open {self.database}: {str(error.strerror).lower()}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise InUse(
                f"{self.database} is already in use by another process; only one process may open an embedded"
                " database, use its HTTP API instead"
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next process in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
