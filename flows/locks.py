"""Locks of the operating system: they end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.paths import safe_name


class Presence:
    """Says that this process uses a home, and knows whether it is the only one.

    Who comes first alone may tidy up; others wait at the door for that moment.
    """

    def __init__(self, home: Path) -> None:
        self._handle = os.open(home / ".in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        except BlockingIOError:
            fcntl.flock(self._handle, fcntl.LOCK_SH)
            self.alone = False

    def admit_others(self) -> None:
        """Tidying is over."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)
        self.alone = False

    def leave(self) -> None:
        """The home is not used any more by this process."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


@contextmanager
def exclusive(home: Path, name: str, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock ``name`` of a home; if another process has it, ``on_wait()`` and wait."""
    folder = home / ".locks"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / safe_name(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
