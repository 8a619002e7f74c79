"""The identity of a result: what it was made from and how.

A result is reused only if its recipe is the same: the content of its inputs, the settings of its
stage, and a generation number that is raised by hand whenever the code of the stage changes the
numbers it produces (and said so in the changelog).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made a result.

    Parameters
    ----------
    stage
        Name of the stage, for example ``ingest``.
    generation
        Raised by hand when the stage's numbers change.
    inputs
        Content hashes or identities of what went in.
    settings
        The stage's settings, JSON values only.
    """

    stage: str
    generation: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hash of the whole recipe, 64 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.as_dict()).encode()).hexdigest()

    @property
    def id(self) -> str:
        """Short readable name, for example ``ingest-1-3f2a90c4d1e8``."""
        return f"{self.stage}-{self.generation}-{self.sha256[:12]}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "stage": self.stage,
            "generation": self.generation,
            "inputs": dict(self.inputs),
            "settings": dict(self.settings),
        }


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, read in pieces; 64 hexadecimal digits.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_paths(paths: list[Path]) -> str:
    """One hash over several files: their names and contents, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        digest.update(hash_file(path).encode())
    return digest.hexdigest()
