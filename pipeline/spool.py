"""Pictures of finished cells wait on disk: memory does not grow with their number."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BUFFER = 1 << 20


class Spool:
    """Takes pictures as they come and writes them in another order.

    The file that they wait in has no name, so nothing of it is left however the process ends.

    Parameters
    ----------
    folder
        On the disk that is to hold them.
    shape
        Of one cell's pictures: views, rows, columns.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER)  # noqa: SIM115
        self._size = int(np.prod(shape))

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Take the pictures of n cells, (n, V, S, S) uint8."""
        self._file.write(np.ascontiguousarray(pictures, np.uint8).data)

    def write(self, path: Path, order: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Write pictures as ``.npy``, by their numbers in the order in which they came.

        Returns
        -------
        (n, V, S, S) uint8
            On disk until it is looked at.
        """
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(order), *self.shape)}
        with path.open("wb", buffering=_BUFFER) as target:
            np.lib.format.write_array_header_1_0(target, header)
            for number in order.tolist():
                self._file.seek(number * self._size)
                target.write(self._file.read(self._size))
        found: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        return found

    def close(self) -> None:
        """Let go of the disk space."""
        self._file.close()
