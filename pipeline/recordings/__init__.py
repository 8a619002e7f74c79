"""Recordings of any format as a stream of gray frames; memory is bounded by the frame."""

from __future__ import annotations

from glob import glob
from pathlib import Path

from pipeline.recordings.frame import Frame, Recording, to_gray

__all__ = ["Frame", "Recording", "open_recording", "to_gray"]


def open_recording(recording: str | Path, *, folder: Path) -> Recording:
    """Open a recording by what it is: a folder, a glob, or a file known by its suffix.

    Parameters
    ----------
    recording
        Path relative to ``folder``, as written in ``specimens.csv``.
    folder
        The study folder.

    Returns
    -------
    Recording
        Open; use it as a context manager.

    Raises
    ------
    RecordingError
        It is missing, empty, or of no kind that can be read.
    """
    # Readers are imported when used: each brings a library of its own.
    path = folder / recording
    if path.is_dir():
        from pipeline.recordings.pictures import Pictures  # noqa: PLC0415

        return Pictures(path, [file for file in path.iterdir() if file.is_file()])
    if any(sign in str(recording) for sign in "*?[") and not path.exists():
        from pipeline.recordings.pictures import Pictures  # noqa: PLC0415

        # Path.glob refuses an absolute pattern.
        found = glob(str(recording), root_dir=folder, recursive=True)  # noqa: PTH207
        return Pictures(path, [folder / name for name in found])
    return _open_file(path)


def _open_file(path: Path) -> Recording:
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        from pipeline.recordings.stack import Stack  # noqa: PLC0415

        return Stack(path)
    if suffix in (".rtdc", ".h5", ".hdf5"):
        from pipeline.recordings.cytometry import Cytometry  # noqa: PLC0415

        return Cytometry(path)
    if suffix in (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm"):
        from pipeline.recordings.pictures import Pictures  # noqa: PLC0415

        return Pictures(path, [path])
    from pipeline.recordings.video import Video  # noqa: PLC0415

    return Video(path)
