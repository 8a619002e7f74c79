"""Where a specimen's recording is: inside the study folder, there, and of a kind we read."""

from __future__ import annotations

import os
from pathlib import Path

from cellcensus.addresses import is_address, is_plain, join
from cellcensus.study import Mode
from cellcensus.studyfolder.notes import Notes, did_you_mean, shown

VIDEOS = (".avi", ".mp4", ".mkv", ".mov")
STACKS = (".tif", ".tiff")
IMAGES = (*STACKS, ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm")
CYTOMETRY = (".rtdc",)
_GLOB = frozenset("*?[")


def read_place(
    folder: Path, written: str, mode: Mode, notes: Notes, *, storage: str | None = None
) -> str | None:
    """The recording's path relative to ``folder`` with ``/``; ``None`` and a violation if none.

    A recording in a storage has an address instead; whether it is there is not looked at here.

    Parameters
    ----------
    folder
        The study folder.
    written
        The cell of the table: a file, a folder of images or a glob.
    mode
        The study's mode: cytometer files hold one cell a frame.
    notes
        Receives what was found.
    storage
        Where paths lead, if ``study.yaml`` names a storage.
    """
    if not written:
        message = "The specimen names no recording"
        _no(notes, "recording_missing", message, "Fill in the column recording.")
        return None
    if storage or is_address(written):
        return _address(written if is_address(written) else join(storage or "", written), notes)
    path = written
    if "\\" in written and not _files(folder, written):
        path = written.replace("\\", "/")
        message = f"The recording {shown(written)} is read with / for \\"
        notes.information("recording_backslash", message, "Nothing to do.", "recording")
    path = os.path.normpath(path)
    if Path(path).is_absolute() or _leaves(path):
        message = f"The recording {shown(written)} is not inside the study folder"
        action = "Put it there and write its path relative to study.yaml."
        _no(notes, "recording_outside", message, action)
        return None
    found = _files(folder, path)
    if not found:
        message = f"The recording {shown(written)} {_why_none(folder / path)}"
        action = f"Copy it to that place or correct the path.{_near(folder, path)}"
        _no(notes, "recording_missing", message, action)
        return None
    return path if _of_a_kind(found, path, mode, notes) else None


def _address(address: str, notes: Notes) -> str | None:
    if is_plain(address):
        return address
    message = f"The recording {shown(address)} leads elsewhere by .. or ::"
    _no(notes, "recording_outside", message, "Write the whole address.")
    return None


def _leaves(path: str) -> bool:
    drive = path[1:2] == ":"
    return Path(path).is_absolute() or path == "." or Path(path).parts[0] == ".." or drive


def _no(notes: Notes, code: str, message: str, action: str) -> None:
    notes.violation(code, message, action, "recording")


def _files(folder: Path, path: str) -> list[Path]:
    place = folder / path
    try:
        if place.is_dir():
            return [file for file in place.iterdir() if file.is_file()]
        if place.exists():
            return [place]
        return list(folder.glob(path)) if _GLOB & set(path) else []
    except (OSError, ValueError, NotImplementedError):
        return []


def _why_none(place: Path) -> str:
    # os.path answers where pathlib raises: what stands in the cell may not even be a possible name.
    if os.path.islink(place):  # noqa: PTH114
        return "is a link that leads nowhere"
    return "is an empty folder" if os.path.isdir(place) else "is not there"  # noqa: PTH112


def _near(folder: Path, path: str) -> str:
    parent, name = (folder / path).parent, Path(path).name
    try:
        return did_you_mean(name, (entry.name for entry in parent.iterdir() if entry.name != name))
    except OSError:
        return f" There is no folder {shown(Path(path).parent)}."


def _of_a_kind(found: list[Path], path: str, mode: Mode, notes: Notes) -> bool:
    suffixes = {file.suffix.casefold() for file in found}
    if suffixes <= set(CYTOMETRY) and mode is not Mode.EVENTS:
        message = f"{shown(path)} holds one cell a frame, but the mode is {mode.value}"
        _no(notes, "mode_contradicts_recording", message, "Set acquisition.mode to events.")
        return False
    several = len(found) > 1 or (found[0].name != Path(path).name)
    if several and not suffixes & set(IMAGES):
        _no(
            notes,
            "recording_without_images",
            f"{shown(path)} holds no images",
            f"A folder or glob must hold images: {' '.join(IMAGES)}.",
        )
        return False
    if not several and not suffixes <= {*VIDEOS, *IMAGES, *CYTOMETRY}:
        message = f"{shown(path)} has an unusual kind of name; it will be tried"
        action = f"Known are {' '.join((*VIDEOS, *STACKS, *CYTOMETRY))}."
        notes.alert("recording_kind", message, action, "recording")
    if not several and found[0].stat().st_size == 0:
        # Not left out here: ingest quarantines it with this same reason, and tells the run so.
        message = f"{shown(path)} is empty: 0 bytes"
        notes.alert("recording_empty", message, "Copy it again from the camera.", "recording")
    return True
