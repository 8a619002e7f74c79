"""A study as the laboratory described it: what was filmed, and what is known of each specimen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """What a specimen is for."""

    PURIFIED = "purified"  # almost one cell class
    MIXED = "mixed"  # ordinary blood, analyser totals known
    UNKNOWN = "unknown"  # to be predicted
    BLANK = "blank"  # no cells: debris only
    CONTROL = "control"  # known composition, never trained on


class Mode(StrEnum):
    """How cells meet the camera."""

    FLOW = "flow"  # cells cross successive frames; each is counted once
    FIELDS = "fields"  # every frame shows other cells
    EVENTS = "events"  # one cell a frame


class Polarity(StrEnum):
    """Cells against the background."""

    DARK = "dark"
    BRIGHT = "bright"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How the study was filmed."""

    mode: Mode
    pixel_size_um: float
    frame_rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class CellHints:
    """What the laboratory says of its cells; ``None`` is estimated from the recording."""

    diameter_um: tuple[float, float] | None = None
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    """One row of ``specimens.csv``, in standard units.

    ``per_ul`` and ``cv`` hold only the classes that were given; percentages have been converted to
    concentrations where the total is known and are in ``percent`` otherwise.
    """

    specimen_id: str
    donor_id: str
    role: Role
    recording: str
    cell_class: str | None = None
    purity: float | None = None
    imaged_volume_ul: float | None = None
    dilution: float | None = None
    acquired_at: datetime | None = None
    instrument_id: str | None = None
    wbc_per_ul: float | None = None
    per_ul: Mapping[str, float] = field(default_factory=dict)
    percent: Mapping[str, float] = field(default_factory=dict)
    cv: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """A study folder, read and checked."""

    folder: Path
    name: str
    classes: tuple[str, ...]
    acquisition: Acquisition
    cells: CellHints
    specimens: tuple[Specimen, ...]
