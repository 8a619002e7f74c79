"""Bytes of a text file → text, whatever program of whatever country wrote it."""

from __future__ import annotations

import codecs
from pathlib import Path

from cellcensus.studyfolder.notes import Notes, shown

LARGEST_BYTES = 32 * 2**20


def read_text(path: Path, notes: Notes) -> str | None:
    """Text of a file with plain line ends; ``None`` and a violation if there is none.

    UTF-8 with or without a mark, UTF-16 with or without one, and Windows-1252 (a superset of
    printable Latin-1) as the last resort, which is said since it never fails and so may be wrong.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            _refuse(path, "is too large to be a table or a description", notes)
            return None
        raw = path.read_bytes()
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror})", notes)
        return None
    text = _decode(raw, path, notes)
    if "\0" in text:
        _refuse(path, "is not text", notes)
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse(path: Path, why: str, notes: Notes) -> None:
    notes.violation(
        "file_unreadable", f"{path.name} {why}", "Save it again as a text file in UTF-8."
    )


def _decode(raw: bytes, path: Path, notes: Notes) -> str:
    encoding = _encoding(raw)
    if encoding not in ("utf-8-sig", "utf-8"):
        action = "Look at names with accents; save as UTF-8 to be sure."
        notes.information(
            "file_encoding", f"{path.name} was read as {encoding}, not as UTF-8", action
        )
    text = raw.decode(encoding, errors="replace")
    if "\N{REPLACEMENT CHARACTER}" in text:
        notes.alert(
            "file_encoding",
            f"{path.name} has bytes that are no letters in {shown(encoding)}",
            "Save it again as UTF-8.",
        )
    return text


def _encoding(raw: bytes) -> str:
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = raw[:2000]
    if head.count(0) > len(head) // 4:  # plain text in UTF-16 is nearly half zero bytes
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
