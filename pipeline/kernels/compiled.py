"""How kernels are compiled: once for a machine, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel) -> Kernel:
    """Compile at first use, keep the result beside the source or in the user's cache.

    The interpreter's lock is released meanwhile, so that reading ahead goes on. Where neither
    folder can be written, every process compiles anew: slower at its start, never a failure.
    """
    try:
        return cast("Kernel", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast("Kernel", numba.njit(nogil=True, error_model="numpy")(function))
