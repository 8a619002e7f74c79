"""One row of the table → one specimen."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cellcensus.study import Role, Specimen
from cellcensus.studyfolder.counts import Counts, read_counts
from cellcensus.studyfolder.manifest import Manifest
from cellcensus.studyfolder.notes import Notes, did_you_mean, shown
from cellcensus.studyfolder.numbers import Decimal, is_missing
from cellcensus.studyfolder.places import read_place
from cellcensus.studyfolder.quantities import Cells, positive, share
from cellcensus.studyfolder.sheet import Row

_SAFE_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index)(\..*)?", re.IGNORECASE)
FIRST_DATE = datetime(1990, 1, 1, tzinfo=UTC)
PLAUSIBLE_PURITY = 0.5
LONGEST_TEXT = 64
KNOWN_COMPOSITION = (Role.MIXED, Role.CONTROL)


def read_specimen(
    row: Row, manifest: Manifest, folder: Path, decimal: Decimal
) -> tuple[Specimen | None, Notes]:
    """The specimen of one row and what was found.

    Whether it can be used is in the notes; ``None`` only where no specimen can be made at all.
    """
    specimen_id = row.cells.get("specimen_id", "")
    notes = Notes(specimen_id or f"row {row.line}")
    if row.surplus:
        notes.violation(
            "row_too_long",
            "The row has more cells than the table has columns, so that they are displaced",
            "Look for a decimal comma or a comma in a text; write 0.95, or put it in quotes.",
        )
        return None, notes
    _check_id(specimen_id, notes)
    cells = Cells(row.cells, decimal, notes)
    role = _role(cells)
    recording = read_place(
        folder,
        cells.get("recording"),
        manifest.acquisition.mode,
        notes,
        storage=manifest.recordings,
    )
    if role is None:
        return None, notes
    cell_class, purity = _purification(cells, role, manifest.classes)
    specimen = Specimen(
        specimen_id=specimen_id,
        donor_id=_donor(cells, role, specimen_id),
        role=role,
        recording=recording or "",
        cell_class=cell_class,
        purity=purity,
        imaged_volume_ul=positive(cells, "imaged_volume_ul"),
        dilution=positive(cells, "dilution"),
        acquired_at=_date(cells),
        instrument_id=None
        if is_missing(cells.get("instrument_id"))
        else cells.get("instrument_id"),
    )
    counts = _counts(cells, manifest.classes, role)
    _check_volumes(cells, specimen)
    specimen = replace(
        specimen,
        wbc_per_ul=counts.wbc_per_ul,
        per_ul=counts.per_ul,
        percent=counts.percent,
        cv=counts.cv,
    )
    return specimen, notes


def _check_id(specimen_id: str, notes: Notes) -> None:
    if not specimen_id:
        action = "Give every row an id of its own."
        notes.violation("id_missing", "The row has no specimen_id", action, "specimen_id")
    elif not _SAFE_ID.fullmatch(specimen_id) or _TAKEN.fullmatch(specimen_id):
        notes.violation(
            "id_unsafe",
            f"The specimen_id {shown(specimen_id)} cannot name a file",
            "Use at most 64 of: letters a-z, digits, . _ - (no blanks, no slashes).",
            "specimen_id",
        )


def _role(cells: Cells) -> Role | None:
    written, words = cells.get("role"), [role.value for role in Role]
    if written.casefold() in words:
        return Role(written.casefold())
    message = f"The role {shown(written)} is none of {', '.join(words)}"
    action = f"Use one of these words.{did_you_mean(written, words)}"
    cells.notes.violation("role_unknown", message, action, "role")
    return None


def _donor(cells: Cells, role: Role, specimen_id: str) -> str:
    donor = cells.get("donor_id")
    if not is_missing(donor):
        if len(donor) > LONGEST_TEXT or not donor.isprintable():
            message, action = "The donor_id is too long or not printable", "Use a short code."
            cells.notes.violation("donor_invalid", message, action, "donor_id")
        return donor
    message = "The specimen names no donor"
    if role in (Role.PURIFIED, Role.MIXED):
        action = "Fill it in: specimens are split by donor wherever something is learned."
        cells.notes.violation("donor_missing", message, action, "donor_id")
    else:
        action = "Fill it in; until then it counts as a donor of its own."
        cells.notes.alert("donor_missing", message, action, "donor_id")
    return f"donor-of-{specimen_id}"


def _purification(
    cells: Cells, role: Role, classes: tuple[str, ...]
) -> tuple[str | None, float | None]:
    if role is Role.PURIFIED:
        return _cell_class(cells, classes), _purity(cells)
    for column in ("cell_class", "purity"):
        if not is_missing(cells.get(column)):
            message = f"{column} is given, but the specimen is {role.value}; it was not read"
            action = f"Empty it, or correct the role {shown(role.value)}."
            cells.notes.alert("purified_only", message, action, column)
    return None, None


def _cell_class(cells: Cells, classes: tuple[str, ...]) -> str | None:
    written = cells.get("cell_class")
    if is_missing(written):
        message, action = "The purified specimen names no cell class", "Fill in cell_class."
        cells.notes.violation("class_missing", message, action, "cell_class")
        return None
    for name in classes:
        if name == written:
            return name
        if name.casefold() == written.casefold():
            message = f"The class {shown(written)} is read as {shown(name)}"
            cells.notes.information("class_spelling", message, "Nothing to do.", "cell_class")
            return name
    message = f"The class {shown(written)} is not one of the study's classes"
    action = f"Correct it, or add it to classes in study.yaml.{did_you_mean(written, classes)}"
    cells.notes.violation("class_unknown", message, action, "cell_class")
    return None


def _purity(cells: Cells) -> float | None:
    # 1.5 may be 1.5 % or a slip of 0.15 or 1.0: only what is plausible as a purity is converted.
    value = share(cells, "purity", percent_from=100 * PLAUSIBLE_PURITY)
    if value is None and is_missing(cells.get("purity")):
        message = "The purity is not given; 0.95 ± 0.03 is assumed"
        cells.notes.information("purity_assumed", message, "Give it if it is known.", "purity")
    elif value == 0:
        message, action = "The purity is 0", "Correct it, or leave it empty."
        cells.notes.violation("purity_out_of_range", message, action, "purity")
        return None
    elif value is not None and value < PLAUSIBLE_PURITY:
        message = f"With a purity of {value:g}, most cells are of other classes"
        cells.notes.alert("purity_low", message, "Check the purity and the class.", "purity")
    return value


def _date(cells: Cells) -> datetime | None:
    written = cells.get("acquired_at")
    if is_missing(written):
        return None
    try:
        date = datetime.fromisoformat(written)
    except ValueError:
        message = f"acquired_at {shown(written)} is no ISO 8601 date, and was not read"
        action = "Write it as 2026-03-01T09:00:00Z."
        cells.notes.alert("date_invalid", message, action, "acquired_at")
        return None
    zoned = date if date.tzinfo else date.replace(tzinfo=UTC)
    if not FIRST_DATE < zoned < datetime.now(UTC) + timedelta(days=2):
        message = f"acquired_at {shown(written)} is long ago or yet to come"
        cells.notes.alert(
            "date_implausible", message, "Check the instrument's clock.", "acquired_at"
        )
    return date


def _counts(cells: Cells, classes: tuple[str, ...], role: Role) -> Counts:
    counts = read_counts(cells, classes, role)
    if role is Role.BLANK and ((counts.wbc_per_ul or 0) > 0 or any(counts.per_ul.values())):
        message = "A blank holds no cells, but analyser values are given; they were not read"
        cells.notes.alert("blank_with_counts", message, "Empty them, or correct the role.", "role")
        return Counts()
    if role in KNOWN_COMPOSITION and not counts.per_ul and not counts.percent:
        _say_nothing_known(cells.notes, role, counts)
    return counts


def _say_nothing_known(notes: Notes, role: Role, counts: Counts) -> None:
    message = f"The {role.value} specimen has no analyser value of any class"
    action = "Fill in <class>_per_ul or <class>_percent, or make it unknown."
    if role is Role.MIXED and counts.empty:
        notes.violation("counts_missing", message, action, "wbc_per_ul")
    else:
        notes.alert("counts_missing", message, action, "wbc_per_ul")


def _check_volumes(cells: Cells, specimen: Specimen) -> None:
    if specimen.role in (Role.PURIFIED, Role.BLANK):
        return
    for column in ("imaged_volume_ul", "dilution"):
        if column in cells.text and is_missing(cells.get(column)):
            message = f"Without {column} no concentration can be given"
            cells.notes.alert("volume_missing", message, f"Fill in {column}.", column)
    if specimen.dilution is not None and specimen.dilution < 1:
        message = f"A dilution of {specimen.dilution:g} would be a concentration"
        cells.notes.alert("dilution_unusual", message, "Write 20 for 1 in 20.", "dilution")
