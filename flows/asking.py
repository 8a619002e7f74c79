"""Asking a storage that fsspec knows: what may pass is tried again, and said if it does not."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import Any, TypeVar

from cellcensus.errors import CellcensusError, StoreError
from cellcensus.settings import StorageSettings

T = TypeVar("T")

WAITS_S = (0.5, 2.0, 8.0)
"""Before each further attempt."""


def patiently(address: str, ask: Callable[[Any], T], settings: StorageSettings) -> T:
    """What a file system says.

    That something is not there, or may not be looked at, is an answer, and comes at once.

    Raises
    ------
    FileNotFoundError, NotADirectoryError, PermissionError
        It says so.
    StoreError
        It cannot be reached.
    """
    for wait in (*WAITS_S, None):
        try:
            return ask(open_storage(address, settings))
        except (CellcensusError, FileNotFoundError, NotADirectoryError, PermissionError):
            raise
        except Exception as error:  # each storage has errors of its own
            if wait is None:
                raise StoreError(
                    f"the storage cannot be reached ({type(error).__name__}: {error})",
                    file=address,
                    next_step="see that storage and network are up, and repeat the command",
                ) from error
            sleep(wait)
    raise AssertionError


def open_storage(address: str, settings: StorageSettings) -> Any:
    """The file system of an address.

    Raises
    ------
    StoreError
        Nothing here knows its kind.
    """
    import fsspec

    kind = address.partition("://")[0]
    try:
        return fsspec.filesystem(kind, **settings.options.get(kind, {}))
    except (ImportError, ValueError) as error:
        raise StoreError(
            f"storages of the kind {kind} cannot be used here ({error})",
            file=address,
            next_step="`pip install 'cellcensus[scale]'` for S3, or the package fsspec names",
        ) from error
