"""Everything a report shows, as plain values; it comes out on paper, in FHIR and in HL7.

Whoever fills these dataclasses needs no knowledge of pages; whoever draws pages needs no database.
Numbers are given as they were stored (full precision); rounding is the renderer's business.

Conventions: fractions are 0–1, concentrations are cells per µL of the donor's blood, intervals are
95 %. ``nan`` means *cannot be said* and is shown so, never as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import nan

import numpy as np
from numpy.typing import NDArray

from cellcensus.findings import Finding

#: The shelf of the gallery with the cells that have no class; no study may name a class so.
UNCLASSIFIED = "unclassified"

LIMITS_OF_USE: tuple[str, ...] = (
    "For research use only. Not for diagnosis, treatment or any decision about a patient.",
    "Classes were learned from purified specimens and analyser totals, not from labelled cells. "
    "Cell types absent from the training studies (for example blasts) have no class of their own.",
    "Intervals are 95 % and include the sampling of cells and the model's own uncertainty; "
    "they do not include errors of sampling, dilution or labelling before the recording.",
)


class Status(StrEnum):
    """How far a report has come; the words are those of FHIR."""

    PRELIMINARY = "preliminary"  # unsigned
    FINAL = "final"  # signed
    CORRECTED = "corrected"  # changed after it had been signed, and signed again


@dataclass(frozen=True, slots=True)
class Signature:
    """Who took responsibility for a report, when, and for which content."""

    name: str
    meaning: str  # ``reviewed`` or ``released``; other words are shown as they are
    signed_at: datetime
    report_sha256: str


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """Limits of what is usual, cells per µL; ``None`` = no limit on that side."""

    low: float | None = None
    high: float | None = None
    critical_low: float | None = None
    critical_high: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, in the unit of its place; ``nan`` = cannot be said."""

    value: float = nan
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of the differential.

    Parameters
    ----------
    cell_class
        Name as in the study.
    count
        Unique cells of this class found in the specimen.
    fraction
        0–1, of the donor's blood; over all rows the values add to 1.
    per_ul
        Cells per µL of blood.
    analyser_fraction, analyser_per_ul
        What the laboratory's analyser gave for the same specimen, ``nan`` if it did not.
    """

    cell_class: str
    count: int
    fraction: Estimate
    per_ul: Estimate = Estimate()
    analyser_fraction: float = nan
    analyser_per_ul: float = nan


@dataclass(frozen=True, slots=True, eq=False)
class CellPicture:
    """One cell: ``pixels`` uint8 (S, S), ``probability`` of the class it is shown under."""

    cell_id: int
    pixels: NDArray[np.uint8]
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class GalleryClass:
    """Cells of one class: the most typical first, and those the model was least certain of.

    The last one may be ``UNCLASSIFIED``, with all its cells under ``uncertain``: a shelf like the
    others and no field of its own, so that reports signed before it was there keep their hash.
    """

    cell_class: str
    typical: tuple[CellPicture, ...] = ()
    uncertain: tuple[CellPicture, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made the numbers."""

    model_id: str
    sha256: str
    generation: int | None = None
    trained_at: datetime | None = None
    studies: tuple[str, ...] = ()  # names of the studies it learned from
    donors: int | None = None  # donors of mixed specimens it learned from


@dataclass(frozen=True, slots=True, eq=False)
class SpecimenReport:
    """Everything shown about one specimen.

    Parameters
    ----------
    rows
        One a class, in the reporting order of the study; empty if nothing was predicted.
    cells, unclassified, artefacts
        Unique cells counted (artefacts excluded), those left without a class, and artefacts.
    total_per_ul
        All white cells per µL; ``analyser_total_per_ul`` is the laboratory's own figure.
    flags
        Codes; ``reports.glossary`` says them in words.
    quality
        Figures of the recording by code (``focus_median``, ``touching_share`` …); ``None`` or
        ``nan`` = cannot be said. ``reports.glossary`` has names and units.
    findings
        Of the recording and of the specimen's row of the sheet.
    preview
        A JPEG or PNG of one frame with the cells outlined.
    window_um
        Width of a gallery picture in µm, for the scale.
    donor_age_years
        Adult reference ranges are not applied under 18.
    held_out
        The prediction was made by models that had not seen this donor.
    recipes
        Stage → recipe id, of everything that led here.
    signature
        The one that brought the report to its status; ``earlier_signatures`` came before it.
    replaces
        What a corrected report replaces, for example ``R-3f2a90c4d1e8``; the version before, if
        nothing is given.
    """

    study: str
    specimen_id: str
    donor_id: str
    role: str
    generated_at: datetime
    acquired_at: datetime | None = None
    instrument_id: str | None = None
    recording: str | None = None
    donor_age_years: float | None = None
    rows: tuple[ClassRow, ...] = ()
    cells: int = 0
    unclassified: int = 0
    artefacts: int = 0
    total_per_ul: Estimate = Estimate()
    analyser_total_per_ul: float = nan
    imaged_volume_ul: float | None = None
    dilution: float | None = None
    flags: tuple[str, ...] = ()
    method: str = ""
    held_out: bool = False
    quality: Mapping[str, float | int | str | None] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    preview: bytes | None = None
    gallery: tuple[GalleryClass, ...] = ()
    window_um: float | None = None
    model: ModelIdentity | None = None
    recipes: Mapping[str, str] = field(default_factory=dict)
    software_version: str = ""
    laboratory: str = ""
    limits_of_use: tuple[str, ...] = LIMITS_OF_USE
    status: Status = Status.PRELIMINARY
    version: int = 1
    signature: Signature | None = None
    earlier_signatures: tuple[Signature, ...] = ()
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One class of one specimen: predicted without its donor, against a reference.

    ``reference`` values are the analyser's (mixed specimens) or the known composition (controls).
    """

    specimen_id: str
    donor_id: str
    cell_class: str
    fraction: Estimate
    reference_fraction: float
    per_ul: Estimate = Estimate()
    reference_per_ul: float = nan


@dataclass(frozen=True, slots=True)
class SpecimenLine:
    """One row of the study's table of specimens; ``link`` leads to its report."""

    specimen_id: str
    donor_id: str
    role: str
    state: str  # predicted | ingested | quarantined | waiting
    acquired_at: datetime | None = None
    instrument_id: str | None = None
    cells: int | None = None
    total_per_ul: float = nan
    fractions: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A specimen set aside, with the reason and what can be done."""

    specimen_id: str
    code: str
    reason: str
    next_step: str = ""
    recording: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """Mean error of the fractions (0–1) when the model learned from ``donors`` mixed donors."""

    donors: int
    error: float
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True, eq=False)
class ExampleCell:
    """One cell of a study: ``pixels`` uint8 (S, S).

    ``value`` is the probability of its class; of influential cells the relative change of left-out
    donors' loss if the cell were left out, above 0 where it helps.
    """

    specimen_id: str
    cell_id: int
    pixels: NDArray[np.uint8]
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class ExampleShelf:
    """Cells of one class, told by models that had not seen their donors."""

    cell_class: str
    typical: tuple[ExampleCell, ...] = ()
    uncertain: tuple[ExampleCell, ...] = ()
    influential: tuple[ExampleCell, ...] = ()


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """Error (0–1) of a head with so many ``numbers`` a bag, bare and with ridge."""

    numbers: int
    bare: float
    ridged: float


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """Error (0–1) of left-out donors when a ``part`` of a stage of training was done.

    Parameters
    ----------
    stage
        ``purified`` or ``mixed``, by what was learned from.
    """

    stage: str
    part: float
    error: float


@dataclass(frozen=True, slots=True)
class MethodError:
    """Mean error and that of the worst class (0–1) of one way to a composition."""

    method: str
    mean: float
    worst: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Foresight:
    """What left-out donors say of more of them, of size, and of the methods.

    Parameters
    ----------
    donors
        How many mixed donors were learned from.
    floor, slope
        Of the fit, error² = floor² + slope² / donors; errors 0–1. ``nan``: too few donors.
    capacity
        Error against the size of a head on the bags.
    methods
        Each method's error on the very same left-out donors; the kernel mean embedding is the
        baseline without a network.
    course
        Error as training went on, in its order.
    """

    donors: int
    floor: float = nan
    slope: float = nan
    capacity: tuple[CapacityPoint, ...] = ()
    methods: tuple[MethodError, ...] = ()
    course: tuple[CoursePoint, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyReport:
    """Everything shown about one study.

    Parameters
    ----------
    pairs
        Mixed specimens, leave-donors-out, one a specimen and class; errors are computed from them.
    controls
        The same for specimens of known composition that were never trained on.
    learning
        Sentences on what was learned and what more donors would bring.
    recoveries
        Of each instrument how many cells it counts for each that the analyser gives; empty name:
        all of them.
    examples
        Of each class the most typical, the least certain and the most influential cells.
    foresight
        What left-out donors say of more donors, of size and of the methods; ``None``: nothing.
    method
        Which estimator was chosen to turn posteriors into compositions.
    """

    study: str
    classes: tuple[str, ...]
    generated_at: datetime
    specimens: tuple[SpecimenLine, ...] = ()
    pairs: tuple[Pair, ...] = ()
    controls: tuple[Pair, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    learning: tuple[str, ...] = ()
    recoveries: Mapping[str, Estimate] = field(default_factory=dict)
    learning_curve: tuple[LearningPoint, ...] = ()
    foresight: Foresight | None = None
    examples: tuple[ExampleShelf, ...] = ()
    findings: tuple[Finding, ...] = ()
    method: str = ""
    model: ModelIdentity | None = None
    recipes: Mapping[str, str] = field(default_factory=dict)
    software_version: str = ""
    laboratory: str = ""
    limits_of_use: tuple[str, ...] = LIMITS_OF_USE
    status: Status = Status.PRELIMINARY
