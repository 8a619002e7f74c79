"""Where the cells of a recording are kept: in the home, or in a storage with copies on a machine.

In a storage a folder of cells is objects of their own names and one list of them, ``files.json``,
written last: whoever reads goes by the list, so that the folder is there whole or not at all, the
old one or the new. The row in the database is written after that, as for files of the home.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from cellcensus.addresses import join
from cellcensus.errors import StoreError
from cellcensus.recipe import hash_file
from cellcensus.retained import GONE, PICTURES, delete_pictures, pictures_are_gone
from cellcensus.settings import Settings, StorageSettings
from flows.asking import patiently
from flows.cache import Cache, cache_folder

LIST = "files.json"
_ROOT = "cells/"


@dataclass(frozen=True)
class KeptCells:
    """The cells of one recording: small, and picklable.

    Parameters
    ----------
    home, storage
        Of the settings.
    path
        As the database has it, below the home.
    """

    home: Path
    storage: StorageSettings
    path: str

    @property
    def local(self) -> Path:
        """Their folder in the home, where they are made, and kept if no storage is named."""
        return self.home / self.path

    def are_there(self, listed: Collection[str] = ()) -> bool:
        """Whether they are; ``listed`` are paths that the storage is known to have."""
        return self.local.is_dir() or self.path in listed or self._list() is not None

    @contextmanager
    def folder(self, *names: str) -> Iterator[Path]:
        """Yield a folder with the cells, fetched if need be; with the files named, if any are.

        Raises
        ------
        StoreError
            The storage cannot be reached, or has other content than it should.
        """
        listed = None if self.local.is_dir() else self._list()
        if listed is None:  # who reads says it if nothing is there
            yield self.local
            return
        wanted = {name: of for name, of in listed.items() if not names or name in names}
        size = sum(of["size"] for of in wanted.values())
        with self._cache().copy(_key(wanted), size, partial(self._fetch, wanted)) as entry:
            yield entry

    def put_away(self) -> None:
        """Bring cells that were made here to the storage, if one is named; a copy stays for now."""
        if self.storage.cells is None:
            return
        old = self._list() or {}
        new: dict[str, Any] = {}
        for file in sorted(self.local.iterdir()):
            digest = hash_file(file)
            name = f"{digest[:16]}-{file.name}"
            new[file.name] = {"object": name, "size": file.stat().st_size, "sha256": digest}
            self._write(lambda fs, at, file=file: fs.put_file(str(file), at), name)
        self._publish(old, new)
        size = sum(of["size"] for of in new.values())
        with self._cache().copy(_key(new), size, self._move):
            shutil.rmtree(self.local, ignore_errors=True)

    def pictures_are_gone(self) -> bool:
        """Whether their pictures were deleted on purpose."""
        if self.local.is_dir() or self.storage.cells is None:
            return pictures_are_gone(self.local)
        return GONE in (self._list() or {})

    def delete_pictures(self, why: str) -> int:
        """Delete their pictures; how many bytes. That they are gone is written first."""
        freed = delete_pictures(self.local, why)
        old = self._list() or {}
        pictures = {name: of for name, of in old.items() if name in PICTURES}
        if not old or (GONE in old and not pictures):
            return freed
        note = f"{why}\n".encode()
        digest = sha256(note).hexdigest()
        name = f"{digest[:16]}-{GONE}"
        self._write(lambda fs, at: fs.pipe_file(at, note), name)
        left = {name: of for name, of in old.items() if name not in PICTURES}
        self._publish(old, left | {GONE: {"object": name, "size": len(note), "sha256": digest}})
        self._cache().drop(_key(old))
        return freed + sum(of["size"] for of in pictures.values())

    def _publish(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        text = json.dumps({"files": new}, indent=1, sort_keys=True).encode()
        self._write(lambda fs, at: fs.pipe_file(at, text), LIST)
        used = {of["object"] for of in new.values()}
        for name in sorted({of["object"] for of in old.values()} - used):
            with suppress(FileNotFoundError):
                self._ask(lambda fs, at: fs.rm_file(at), name)

    def _list(self) -> dict[str, Any] | None:
        """Name → object, size and sha256 of each file; ``None`` if they are in no storage."""
        if self.storage.cells is None:
            return None
        try:
            text = self._ask(lambda fs, at: fs.cat_file(at), LIST)
            return dict(json.loads(text)["files"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError) as error:
            raise self._damaged() from error

    def _fetch(self, wanted: Mapping[str, Any], folder: Path) -> None:
        for name, of in wanted.items():
            file = folder / name
            try:
                self._ask(lambda fs, at, file=file: fs.get_file(at, str(file)), of["object"])
            except FileNotFoundError as error:
                raise self._damaged() from error
            if hash_file(file) != of["sha256"]:
                raise self._damaged()

    def _move(self, folder: Path) -> None:
        for file in self.local.iterdir():
            shutil.move(str(file), folder / file.name)

    def _write(self, ask: Any, name: str) -> None:
        try:
            self._ask(ask, name)
        except FileNotFoundError as error:
            raise StoreError(
                "the storage of the cells is not there",
                file=self.storage.cells,
                next_step="make it, or correct CELLCENSUS_STORAGE__CELLS; then repeat the command",
            ) from error

    def _ask(self, ask: Any, name: str) -> Any:
        at = join(join(self.storage.cells or "", self.path.removeprefix(_ROOT)), name)
        try:
            return patiently(at, lambda fs: ask(fs, fs._strip_protocol(at)), self.storage)
        except PermissionError as error:
            raise StoreError(
                "the storage of the cells does not allow it",
                file=at,
                next_step="give this machine the right to read, write and delete there",
            ) from error

    def _cache(self) -> Cache:
        folder = cache_folder(self.storage, self.home)
        return Cache(folder, self.storage.cache_gigabytes * 1e9)

    def _damaged(self) -> StoreError:
        return StoreError(
            "the stored cells are not what was written",
            file=join(self.storage.cells or "", self.path.removeprefix(_ROOT)),
            next_step="repeat the command; if it stays so, delete them there and ingest again",
        )


def kept_cells(settings: Settings, path: str) -> KeptCells:
    """The cells at ``path``, as the database has it."""
    return KeptCells(settings.home.resolve(), settings.storage, path)


def stored_cells(settings: Settings, study_path: str) -> frozenset[str]:
    """Paths of all cells below ``study_path`` that the storage has, asked for at once.

    Raises
    ------
    StoreError
        The storage cannot be reached.
    """
    place = settings.storage.cells
    if place is None:
        return frozenset()
    root = join(place, study_path.removeprefix(_ROOT))

    def find(fs: Any) -> list[str]:
        fs.invalidate_cache()
        return list(fs.find(fs._strip_protocol(root)))

    with suppress(FileNotFoundError):
        names = patiently(root, find, settings.storage)
        above = study_path.rstrip("/")
        lists = [name.split("/")[-3:-1] for name in names if name.endswith(f"/{LIST}")]
        return frozenset("/".join([above, *parts]) for parts in lists)
    return frozenset()


def _key(files: Mapping[str, Any]) -> str:
    """What a copy of these files is known by in the cache."""
    names = "\0".join(f"{name}\0{of['sha256']}" for name, of in sorted(files.items()))
    return sha256(f"cells\0{names}".encode()).hexdigest()
