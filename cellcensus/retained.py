"""Pictures that are kept for a time: how they are deleted, and how one knows that they were.

Numbers stay: the table of cells, the quality of the recording, and everything in the database.
"""

from __future__ import annotations

from pathlib import Path

from cellcensus.files import write_text

PICTURES = ("crops.npy", "preview.jpg")
GONE = "pictures-deleted"
"""Name of the file that says so, in a folder of cells."""


def pictures_are_gone(folder: Path) -> bool:
    """Whether the pictures of a folder of cells were deleted on purpose."""
    return (folder / GONE).is_file()


def delete_pictures(folder: Path, why: str) -> int:
    """Delete the pictures of a folder of cells; how many bytes.

    That they are gone is written first, so that nobody takes a folder that is half deleted for a
    damaged one.
    """
    files = [file for name in PICTURES if (file := folder / name).is_file()]
    if not folder.is_dir() or (not files and pictures_are_gone(folder)):
        return 0
    write_text(folder / GONE, why + "\n")
    freed = 0
    for file in files:
        freed += file.stat().st_size
        file.unlink()
    return freed
