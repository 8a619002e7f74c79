"""Copies of what was fetched: published whole, dropped where room is needed, never while used."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cellcensus.files import TEMPORARY_PREFIX, publish_folder
from cellcensus.settings import StorageSettings

_DAY_S = 86_400


def cache_folder(storage: StorageSettings, home: Path) -> Path:
    """Where this machine keeps copies."""
    return storage.cache_folder or home.resolve() / "cache"


class Cache:
    """A folder of copies, one folder each, of at most ``most`` bytes in all.

    One copy larger than all that is allowed is kept alone, for as long as it is used. Processes of
    one machine may share the folder; machines should have one each.
    """

    def __init__(self, folder: Path, most: float) -> None:
        self.folder, self.most = folder, most
        (folder / ".locks").mkdir(parents=True, exist_ok=True)

    @contextmanager
    def copy(self, key: str, size: int, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """Yield the folder of ``key``, filled by ``fetch`` if it is not there; it stays meanwhile.

        Parameters
        ----------
        size
            Bytes that there must be room for.
        """
        entry = self.folder / key
        with self._locked(key) as handle:
            if not entry.is_dir():
                fcntl.flock(handle, fcntl.LOCK_EX)  # one fetches, others wait
                if not entry.is_dir():
                    self._make_room(size)
                    with publish_folder(entry) as temporary:
                        fetch(temporary)
                fcntl.flock(handle, fcntl.LOCK_SH)
            os.utime(entry)  # when it was last used
            yield entry

    def drop(self, key: str) -> None:
        """Drop the copy of ``key``, if there is one and nobody reads it."""
        if (self.folder / key).is_dir():
            self._drop(self.folder / key)

    def drop_unused(self) -> None:
        """Drop what was not used for a day."""
        for path in self._entries():
            if time.time() - _used(path) > _DAY_S:
                self._drop(path)

    def _entries(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if not path.name.startswith(".")]

    @contextmanager
    def _locked(self, key: str) -> Iterator[int]:
        handle = os.open(self.folder / ".locks" / key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield handle
        finally:
            os.close(handle)

    def _make_room(self, size: int) -> None:
        self._drop_leftovers()
        self.drop_unused()
        entries = self._entries()
        sizes = {path: _size(path) for path in entries}
        surplus = sum(sizes.values()) + size - self.most
        for path in sorted(entries, key=_used):
            if surplus <= 0:
                return
            if self._drop(path):
                surplus -= sizes[path]

    def _drop(self, entry: Path) -> bool:
        with self._locked(entry.name) as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False  # somebody reads it
            shutil.rmtree(entry, ignore_errors=True)
            return True

    def _drop_leftovers(self) -> None:
        for path in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
            if time.time() - _used(path) > _DAY_S:
                shutil.rmtree(path, ignore_errors=True)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _size(folder: Path) -> int:
    sizes = 0
    for file in folder.rglob("*"):
        try:
            sizes += file.stat().st_size
        except FileNotFoundError:
            continue
    return sizes
