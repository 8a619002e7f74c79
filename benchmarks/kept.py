"""Results that a long benchmark keeps as they come: JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


def keep(file: Path | None, row: Mapping[str, Any]) -> None:
    """Write one more result behind those of a file; nothing without a file."""
    if file is not None:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def read_kept(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The results of some files, one after the other."""
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
