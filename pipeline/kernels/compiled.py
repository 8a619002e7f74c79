"""How kernels are compiled: once for a machine, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel) -> Kernel:
    """Compile at first use, keep the result beside the source or in the user's cache.

    The interpreter's lock is released meanwhile, so that reading ahead goes on. Where neither
    folder can be written, every process compiles anew: slower at its start, never a failure.
    """
    return _compile(function, nogil=True)


def compiled_for_moments(function: Kernel) -> Kernel:
    """As `compiled`, for what is done so soon that getting the lock back would take longer."""
    return _compile(function, nogil=False)


def _compile(function: Kernel, *, nogil: bool) -> Kernel:
    try:
        kernel = numba.njit(cache=True, nogil=nogil, error_model="numpy")(function)
    except RuntimeError:
        return cast("Kernel", numba.njit(nogil=nogil, error_model="numpy")(function))
    # numba asks only whether the kernel's own file is newer, not those of the kernels it calls.
    kept = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if kept is not None and hasattr(kept, "_source_stamp"):
        kept._source_stamp = _stamp()
    return cast("Kernel", kernel)


@cache
def _stamp() -> tuple[float, int]:
    """Newest change and total size of everything that holds kernels."""
    package = Path(__file__).parent.parent
    facts = [
        path.stat()
        for folder in (package / "kernels", package / "linking")
        for path in folder.glob("*.py")
    ]
    return max(fact.st_mtime for fact in facts), sum(fact.st_size for fact in facts)
