"""Locks of the operating system: they end with the process that holds them, however it ends.

They order the processes of one machine; among machines that share a home, leases do
(``db.leases``). Their files carry the machine's name, so that it does not matter whether the file
system of the home carries locks from one machine to another.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cellcensus.machine import machine_name
from flows.paths import safe_name


class Presence:
    """Says that this process uses a home, and knows whether it is the only one on this machine.

    Who comes first alone may tidy up; others wait at the door for that moment.
    """

    def __init__(self, home: Path) -> None:
        self._handle = _open(home, "in-use")
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
    """Hold the lock ``name`` of a home; if another process of this machine has it, wait.

    ``on_wait`` is called before.
    """
    handle = _open(home, name)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(home: Path, name: str) -> int:
    folder = home / ".locks"
    folder.mkdir(exist_ok=True)
    file = folder / safe_name(f"{machine_name()}.{name}")
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
