"""Everything a reviewer needs of one specimen, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from cellcensus.findings import Finding, Level
from cellcensus.study import Specimen
from db.review import Note
from flows.review.step import Seen

if TYPE_CHECKING:
    from reports.content import Estimate, ModelIdentity


@dataclass(frozen=True, slots=True)
class BenchCell:
    """One cell: where it stands now, and where the model put it with which probability."""

    cell_id: int
    cell_class: str
    called: str
    probability: float

    @property
    def corrected(self) -> bool:
        """Whether a person put it where it stands."""
        return self.cell_class != self.called


@dataclass(frozen=True, slots=True)
class CellGroup:
    """The cells of one class as they stand now, those the model was least certain of first."""

    cell_class: str
    cells: tuple[BenchCell, ...]


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One class: cells counted, and its share and concentration in the donor's blood."""

    cell_class: str
    count: int
    fraction: Estimate
    per_ul: Estimate


@dataclass(frozen=True, slots=True)
class Counted:
    """A composition: of the model alone, or with the corrections."""

    rows: tuple[BenchRow, ...]
    cells: int
    unclassified: int
    artefacts: int
    total_per_ul: Estimate


@dataclass(frozen=True, slots=True)
class BenchFlag:
    """A flag in words. A ``blocking`` one keeps the report from signing until it is accepted."""

    code: str
    title: str
    meaning: str
    action: str
    level: Level
    accepted_by: str = ""
    accepted_at: datetime | None = None
    reason: str = ""

    @property
    def blocking(self) -> bool:
        """Whether somebody must answer for it before the report can be signed."""
        return self.level is Level.VIOLATION

    @property
    def open(self) -> bool:
        """Blocking, and nobody has answered for it."""
        return self.blocking and not self.accepted_by


@dataclass(frozen=True, slots=True)
class Delta:
    """One class now and before. ``beyond``: neither interval explains the difference."""

    cell_class: str
    now: Estimate
    before: Estimate
    beyond: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier specimen of the same donor.

    ``fractions`` and ``per_ul`` compare class by class; ``total`` is of all white cells.
    ``released``: the values are those of its released report, else of the unsigned prediction.
    """

    study: str
    specimen_id: str
    acquired_at: datetime
    released: bool
    fractions: tuple[Delta, ...]
    per_ul: tuple[Delta, ...]
    total: Delta

    @property
    def beyond(self) -> tuple[str, ...]:
        """Names of the classes whose share differs beyond both intervals."""
        return tuple(delta.cell_class for delta in self.fractions if delta.beyond)


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """Who signed, in which meaning, when."""

    full_name: str
    meaning: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A signed version of the report; ``path`` of its file is relative to the home.

    ``defects`` say in what it is not what was signed any more: then it is no signed report.
    """

    version: int
    state: str
    report_sha256: str
    path: str
    created_at: datetime
    released_at: datetime | None
    signatures: tuple[SignatureLine, ...]
    defects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Everything a reviewer needs of one specimen.

    Parameters
    ----------
    seen
        Give it back with every change: who comes with an older one is told who was there since.
    state
        Of the review: ``open``, ``on_hold``, ``reviewed``, ``released`` or ``corrected``.
    model, prediction_key, held_out, method, predicted_at
        What made the numbers; missing where nothing was predicted.
    classes
        Those the model knows, in reporting order.
    groups
        One a class, in that order; ``bin`` holds the unclassified cells, ``artefacts`` the others.
    before, after
        The composition by the model alone, and with the corrections; the same object without any.
    corrections
        How many cells stand elsewhere than the model put them.
    lost_corrections
        How many cells were corrected on an earlier prediction; they do not count any more.
    bin_seen_by
        Who looked at the bin as it is now; empty if nobody did.
    hold
        The open hold; missing where there is none.
    steps
        What people said and did, oldest first; ``moved`` are cells that went into the class that
        is the ``subject``, as many as the ``text`` says.
    earlier
        Earlier specimens of the donor, newest first.
    versions
        Signed reports, oldest first.
    blockers
        Why it cannot be signed now, one sentence each; empty if it can.
    release_blockers
        Why the newest version cannot be released by another person now; empty if it can.
    """

    study: str
    specimen_id: str
    specimen: Specimen
    seen: Seen
    state: str
    changed_by: str
    changed_at: datetime | None
    model: ModelIdentity | None
    prediction_key: int | None
    predicted_at: datetime | None
    held_out: bool
    method: str
    cells_path: str | None
    window_um: float | None
    classes: tuple[str, ...]
    groups: tuple[CellGroup, ...]
    bin: CellGroup
    artefacts: CellGroup
    before: Counted | None
    after: Counted | None
    corrections: int
    lost_corrections: int
    flags: tuple[BenchFlag, ...]
    findings: tuple[Finding, ...]
    quarantined: str
    bin_seen_by: str
    hold: Note | None
    steps: tuple[Note, ...]
    earlier: tuple[Earlier, ...]
    versions: tuple[VersionLine, ...]
    blockers: tuple[str, ...]
    release_blockers: tuple[str, ...]

    @property
    def altered(self) -> tuple[str, ...]:
        """In what the signed version that the state rests on is not what was signed any more."""
        rests = self.versions and self.state in ("reviewed", "released", "corrected")
        return self.versions[-1].defects if rests else ()
