"""Publishing files so that a reader sees the old state or the new one, never a mixture.

Temporary name in the same folder, write, fsync, ``os.replace``, fsync of the folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellcensus.machine import machine_tag

TEMPORARY_PREFIX = ".partial-"
OTHERS_MAY_TAKE_S = 86_400.0
"""So long a temporary file of another machine, which shares the folder, is left alone."""


@contextmanager
def publish_file(path: Path, *, suffix: str | None = None) -> Iterator[Path]:
    """Yield a temporary path; on a clean exit it becomes ``path``, on an error it is removed.

    ``suffix`` of the temporary name is that of ``path`` unless another is given, where somebody
    watches the folder for names that end so.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept: image and video writers choose their format by it.
    suffix = path.suffix if suffix is None else suffix
    handle, name = tempfile.mkstemp(prefix=_prefix(), suffix=suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder; on a clean exit it becomes ``path``, replacing what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=_prefix(), dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp makes it private
        for child in temporary.rglob("*"):
            _sync(child)
        _sync(temporary)
        if path.exists():
            # A folder cannot be replaced in one step; what stands here is an unrecorded leftover,
            # since recorded results are found by their recipe and never made twice.
            shutil.rmtree(path)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Publish ``text`` as UTF-8 at ``path``."""
    with publish_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Publish ``content`` at ``path``."""
    with publish_file(path) as temporary:
        temporary.write_bytes(content)


def read_unaltered(home: Path, path: str | Path, sha256: str) -> bytes | None:
    """A file of the home, if it is there and what was written down of it; else ``None``."""
    file = (home / path).resolve()
    if not file.is_relative_to(home.resolve()):
        return None
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def sweep_leftovers(folder: Path) -> int:
    """Remove temporary files and folders an interrupted run left below ``folder``; how many.

    Those of another machine stay for a day: it may be at work on them.
    """
    leftovers = [path for path in folder.rglob(f"{TEMPORARY_PREFIX}*") if not _is_others(path)]
    for leftover in leftovers:
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    return len(leftovers)


def _prefix() -> str:
    return f"{TEMPORARY_PREFIX}m{machine_tag()}-"


def _is_others(path: Path) -> bool:
    made_by = re.match(rf"{re.escape(TEMPORARY_PREFIX)}m([0-9a-f]{{8}})-", path.name)
    if made_by is None or made_by.group(1) == machine_tag():
        return False
    try:
        return time.time() - path.stat().st_mtime < OTHERS_MAY_TAKE_S
    except FileNotFoundError:
        return True  # it was published meanwhile


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
