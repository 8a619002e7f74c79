"""What the page of a specimen shows, in the words and numbers of its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.settings import Settings
from db.studies import latest_description
from db.tables import CellFile, Recording, Specimen
from db.types import utc_now
from flows.keptcells import KeptCells, kept_cells
from flows.plain import back
from flows.reference import reference_fraction, reference_per_ul
from reports.content import ClassRow, Estimate, SpecimenReport
from reports.numbers import number, percent, percentages, signed
from reports.ranges import Ranges
from reports.specimen import Line, specimen_view
from reports.words import words
from web.bench import shelves

if TYPE_CHECKING:
    from flows.review.bench import Bench, Counted, Earlier

STATE_WORDS = {"on_hold": "on hold"}


@dataclass(frozen=True, slots=True)
class Row:
    """One class of the differential: its line as reported, and what it was before corrections."""

    line: Line
    key: str
    cells_before: str = ""
    percent_before: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """The recording: ``frames`` is 0 where it is not known; ``folder`` is that of the study."""

    folder: Path
    recording: str
    frames: int
    cells: KeptCells
    recipe_id: str


def content_of(bench: Bench, cells: CellFile | None, settings: Settings) -> SpecimenReport:
    """The report as it would be signed now, without pictures."""
    specimen, counted = bench.specimen, bench.after
    return SpecimenReport(
        study=bench.study,
        specimen_id=bench.specimen_id,
        donor_id=specimen.donor_id,
        role=specimen.role.value,
        generated_at=utc_now(),
        acquired_at=specimen.acquired_at,
        instrument_id=specimen.instrument_id,
        rows=tuple(_class_rows(bench, counted)) if counted else (),
        cells=counted.cells if counted else (cells.n_cells if cells else 0),
        unclassified=counted.unclassified if counted else 0,
        artefacts=counted.artefacts if counted else 0,
        imaged_volume_ul=specimen.imaged_volume_ul,
        dilution=specimen.dilution,
        findings=bench.findings,
        held_out=bench.held_out,
        quality=_single_figures(cells.quality) if cells else {},
        laboratory=settings.reports.laboratory,
        total_per_ul=counted.total_per_ul if counted else Estimate(),
        analyser_total_per_ul=back(specimen.wbc_per_ul),
    )


def _class_rows(bench: Bench, counted: Counted) -> list[ClassRow]:
    specimen = bench.specimen
    names = [row.cell_class for row in counted.rows]
    return [
        ClassRow(
            row.cell_class,
            row.count,
            row.fraction,
            row.per_ul,
            reference_fraction(specimen, row.cell_class, names),
            reference_per_ul(specimen, row.cell_class),
        )
        for row in counted.rows
    ]


def _single_figures(quality: dict[str, Any]) -> dict[str, Any]:
    """Figures of a recording, those of inner groups too."""
    figures: dict[str, Any] = {}
    for name, value in quality.items():
        if isinstance(value, dict):
            figures |= _single_figures(value)
        elif value is None or isinstance(value, int | float | str):
            figures[name] = value
    return figures


def result_view(bench: Bench, content: SpecimenReport, settings: Settings) -> dict[str, Any]:
    """The differential with its charts; ``rows`` have what was before corrections beside them."""
    # The application speaks English, whatever language the reports are written in.
    view = specimen_view(content, settings.reports, words("en"))
    return {
        "report": content,
        "rows": _rows(bench, view["lines"]),
        "total": view["total"],
        "total_before": _total_before(bench),
        "fractions": view["fractions"],
        "ranges": view["ranges"],
        "ranges_withheld": Ranges(settings.reports, content.donor_age_years).withheld,
        "analyser": view["analyser"],
        "main_figures": view["main_figures"],
        "other_figures": view["other_figures"],
    }


def _rows(bench: Bench, lines: list[Line]) -> list[Row]:
    keys = {tab.name: tab.key for tab in shelves.tabs(bench)}
    if bench.before is None or not bench.corrections:
        return [Row(line, keys.get(line.name, "")) for line in lines]
    shown = percentages([row.fraction.value for row in bench.before.rows])
    return [
        Row(line, keys.get(line.name, ""), number(row.count), number(value, 1))
        for line, row, value in zip(lines, bench.before.rows, shown, strict=True)
    ]


def _total_before(bench: Bench) -> str:
    if bench.before is None or not bench.corrections:
        return ""
    return number(bench.before.cells)


@dataclass(frozen=True, slots=True)
class EarlierLine:
    """One class now and in one earlier specimen."""

    name: str
    now: str
    before: str
    difference: str
    beyond: bool


def earlier_lines(earlier: Earlier) -> list[EarlierLine]:
    """An earlier result class by class; ``beyond``: more than both intervals explain."""
    return [
        EarlierLine(
            delta.cell_class,
            percent(delta.now.value),
            percent(delta.before.value),
            signed(100 * (delta.now.value - delta.before.value)),
            delta.beyond,
        )
        for delta in earlier.fractions
    ]


def cell_file_of(session: Session, specimen_key: int, path: str | None) -> CellFile | None:
    """The cells a bench shows."""
    query = select(CellFile).where(CellFile.specimen_key == specimen_key)
    query = query.where(CellFile.path == path) if path else query.where(CellFile.current)
    return session.scalars(query.limit(1)).first()


def film_of(session: Session, cells: CellFile | None, settings: Settings) -> Film | None:
    """The recording of a specimen whose cells were found."""
    if cells is None:
        return None
    specimen = session.get_one(Specimen, cells.specimen_key)
    described = latest_description(session, specimen.study_key)
    recording = session.get_one(Recording, cells.recording_key)
    frames = _single_figures(cells.quality).get("n_frames") or 0
    return Film(
        Path(described.folder),
        recording.path,
        int(frames),
        kept_cells(settings, cells.path),
        cells.recipe_id,
    )
