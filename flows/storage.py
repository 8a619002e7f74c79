"""Recordings in a storage (S3 and whatever fsspec knows): found, fetched, and kept for a while.

What is missing or not allowed is a fault of the recording, and quarantines it. What passes, such as
a network that hiccups, is tried again; if it does not pass, the stage fails and nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from cellcensus.addresses import is_address, is_within, root_of
from cellcensus.errors import RecordingError, StoreError
from cellcensus.recipe import hash_file, hash_paths
from cellcensus.settings import Settings, StorageSettings
from flows.asking import patiently
from flows.cache import Cache, cache_folder

T = TypeVar("T")

_STAMPS = ("ETag", "etag", "LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True)
class Stored:
    """A recording in a storage whose content is known."""

    address: str
    stamp: str
    sha256: str
    settings: StorageSettings
    cache: Path


@dataclass(frozen=True)
class StoredFiles:
    """The objects of one recording; ``names`` as the storage has them, in order."""

    address: str
    names: tuple[str, ...]
    root: str
    size: int
    stamp: str
    settings: StorageSettings
    cache: Path
    files: tuple[Path, ...] = ()

    def sha256(self) -> str:
        """Identity of the content, the same as that of equal files in a study folder."""
        with _copied(self) as entry:
            return _hash(entry)

    def below(self) -> list[str]:
        """The objects' paths below what is the same of all."""
        return [name[len(self.root) :].lstrip("/") for name in self.names]

    def fetch(self, folder: Path) -> None:
        """Copy all objects into ``folder`` / ``content``, and beside it what they hash to."""
        files = [folder / "content" / path for path in self.below()]
        for name, file in zip(self.names, files, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            _patiently(self.address, partial(_get, name=name, file=file), self.settings)
        digest = hash_file(files[0]) if len(files) == 1 else hash_paths(files)
        (folder / "sha256").write_text(digest)


def stored_of(recording: str, stamp: str, digest: str, settings: Settings) -> Stored | None:
    """What a job must know to fetch its recording; ``None`` of one in the study folder."""
    if not is_address(recording):
        return None
    return Stored(
        recording, stamp, digest, settings.storage, cache_folder(settings.storage, settings.home)
    )


def find(address: str, settings: Settings) -> StoredFiles:
    """The objects of a recording: one, those of a folder, or those of a pattern.

    Raises
    ------
    RecordingError
        There is none, or the settings do not allow the place.
    StoreError
        The storage cannot be reached.
    """
    return _find(address, settings.storage, cache_folder(settings.storage, settings.home))


@contextmanager
def fetched(stored: Stored) -> Iterator[tuple[str, Path]]:
    """Yield a copy of a recording: its path, folder or pattern, and what that is relative to.

    Raises
    ------
    RecordingError
        It is not there any more.
    StoreError
        The storage cannot be reached, or the recording changes while it is read.
    """
    found = _find(stored.address, stored.settings, stored.cache)
    with _copied(found) as entry:
        if _hash(entry) != stored.sha256:
            raise StoreError(
                "the recording is being changed while it is read",
                file=stored.address,
                next_step="wait until it is whole, and repeat the command",
            )
        _, pattern = root_of(stored.address)
        single = found.below()[0] if len(found.names) == 1 else "."
        yield pattern or single, entry / "content"


def _find(address: str, settings: StorageSettings, cache: Path) -> StoredFiles:
    if not any(is_within(address, place) for place in settings.places):
        raise RecordingError(
            "recordings may not be fetched from there",
            code="place_not_allowed",
            file=address,
            next_step="name the place in CELLCENSUS_STORAGE__PLACES, or correct the sheet",
        )
    root, infos = _patiently(address, lambda fs: _look(fs, address), settings)
    if not infos or any(".." in str(info["name"]).split("/") for info in infos):
        raise _missing(address)
    stamp = sha256()
    for info in infos:
        changed = next((str(info[key]) for key in _STAMPS if info.get(key)), "")
        stamp.update(f"{info['name']}\0{info['size']}\0{changed}\0".encode())
    names = tuple(info["name"] for info in infos)
    size = sum(int(info["size"] or 0) for info in infos)
    return StoredFiles(address, names, root, size, stamp.hexdigest(), settings, cache)


def _look(fs: Any, address: str) -> tuple[str, list[dict[str, Any]]]:
    """The part of the names that is the same, and name and size of each object."""
    fs.invalidate_cache()  # what was there a minute ago is not the question
    above, pattern = root_of(address)
    path = fs._strip_protocol(address)
    if pattern:
        found = list(fs.glob(path, detail=True).values())
        root = fs._strip_protocol(above)
    else:
        info = fs.info(path)
        if info["type"] == "file":
            return info["name"].rpartition("/")[0], [info]
        found = [one for one in fs.ls(path, detail=True) if not _leaf(one).startswith(".")]
        root = path
    files = [one for one in found if one["type"] == "file"]
    # Storages tell names with or without a slash in front.
    start = "/" if files and files[0]["name"].startswith("/") else ""
    return start + root.strip("/"), sorted(files, key=lambda one: str(one["name"]))


def _leaf(info: dict[str, Any]) -> str:
    return str(info["name"]).rpartition("/")[2]


def _get(fs: Any, *, name: str, file: Path) -> None:
    fs.get_file(name, str(file))


@contextmanager
def _copied(found: StoredFiles) -> Iterator[Path]:
    key = sha256(f"{found.address}\0{found.stamp}".encode()).hexdigest()
    cache = Cache(found.cache, found.settings.cache_gigabytes * 1e9)
    with cache.copy(key, found.size, found.fetch) as entry:
        yield entry


def _hash(entry: Path) -> str:
    return (entry / "sha256").read_text()


def _patiently(address: str, ask: Callable[[Any], T], settings: StorageSettings) -> T:
    """Ask a storage about a recording: what it has not, or does not let be read, is its fault."""
    try:
        return patiently(address, ask, settings)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(address) from error
    except PermissionError as error:
        raise RecordingError(
            "the storage does not let it be read",
            code="missing_recording",
            file=address,
            next_step="let this machine read it, or correct the sheet; then repeat",
        ) from error


def _missing(address: str) -> RecordingError:
    return RecordingError(
        "the recording is not there",
        code="missing_recording",
        file=address,
        next_step="put the recording where the sheet says, or correct the sheet; then repeat",
    )
