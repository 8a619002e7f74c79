"""What makes a recording unusable, as errors a technician can act on."""

from __future__ import annotations

from pathlib import Path

from cellcensus.errors import RecordingError

#: Largest frame that is read, pixels: beyond it memory would no longer be bounded.
MOST_PIXELS = 64_000_000
#: Smallest side of a frame, pixels: no cell can be seen in less.
SMALLEST_SIDE = 8


def unreadable(path: Path, why: str = "") -> RecordingError:
    """The file is there but is no recording that can be read."""
    return RecordingError(
        f"the recording cannot be read{': ' + why if why else ''}",
        code="unreadable",
        file=path.name,
        next_step="open it in the camera's own program; if it opens there, export it as .avi or "
        ".tif; if not, copy it again from the instrument",
    )


def empty_file(path: Path) -> RecordingError:
    """The file has no content."""
    return RecordingError(
        "the file is empty (0 bytes)",
        code="empty_file",
        file=path.name,
        next_step="copy it again from the instrument",
    )


def truncated(path: Path, found: int, stated: int | None) -> RecordingError:
    """The file ends before its last frame; ``stated`` frames were announced, if it says so."""
    of_all = f"of {stated} frames" if stated is not None else "frames"
    return RecordingError(
        f"the recording is cut off: {found} {of_all} can be read",
        code="truncated",
        file=path.name,
        next_step="copy it again from the instrument; cells of the missing part cannot be counted",
    )


def frame_size_changes(path: Path, index: int) -> RecordingError:
    """Frames of one recording differ in size."""
    return RecordingError(
        f"the size of the picture changes at frame {index}",
        code="frame_size_changes",
        file=path.name,
        next_step="record with one setting of the camera, or split the recording",
    )


def frame_too_large(path: Path, size: str = "this size") -> RecordingError:
    """Frames are larger than memory should hold."""
    return RecordingError(
        f"a frame of {size} is larger than can be read",
        code="frame_too_large",
        file=path.name,
        next_step="reduce the camera's region of interest",
    )


def check_size(path: Path, height: int, width: int) -> None:
    """Refuse a frame that is too large or too small.

    Raises
    ------
    RecordingError
        With the code ``frame_too_large`` or ``frame_too_small``.
    """
    if height * width > MOST_PIXELS:
        raise frame_too_large(path, f"{width} × {height} pixels")
    if min(height, width) < SMALLEST_SIDE:
        raise RecordingError(
            f"a frame of {width} × {height} pixels shows no cell",
            code="frame_too_small",
            file=path.name,
            next_step="check that this file is the recording of the specimen",
        )


def check_file(path: Path) -> None:
    """Refuse a file that is missing or empty.

    Raises
    ------
    RecordingError
        With the code ``missing_file`` or ``empty_file``.
    """
    if not path.is_file():
        raise RecordingError(
            "the recording is not there",
            code="missing_file",
            file=path.name,
            next_step="copy it into the study folder or correct the path in specimens.csv",
        )
    if path.stat().st_size == 0:
        raise empty_file(path)
