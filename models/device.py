"""Which device computes, and how it is set up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES = 1 << 30


def choose_device() -> torch.device:
    """CUDA where there is one, else the processor. Nothing else is chosen silently."""
    _keep_memory()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def mixed_precision(device: torch.device) -> AbstractContextManager[None]:
    """Half precision on CUDA; on processors bfloat16 is slower than float32, so nothing there."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


@contextlib.contextmanager
def threads(limit: int) -> Iterator[None]:
    """Let torch use at most ``limit`` threads (0: all cores) inside the block.

    Processes that ``torchrun`` began on this machine share its cores.
    """
    before = torch.get_num_threads()
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(max(1, limit or len(os.sched_getaffinity(0)) // beside))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _keep_memory() -> None:
    # glibc hands every large block back to the system and asks for it anew a moment later: up to
    # a third of a small network's time on a processor goes there.
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)
