"""A report on disk: the HTML page, and the PDF beside it where one is wanted."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cellcensus.files import read_unaltered, write_bytes
from cellcensus.settings import ReportSettings, Settings
from db.review import kept_pictures
from db.store import Store
from db.tables import ReportVersion
from flows.proof import prove
from flows.versions import signed_page, version_pdf

if TYPE_CHECKING:
    from reports.content import SpecimenReport, StudyReport


class Written(NamedTuple):
    """SHA-256 of what was written; ``pdf`` is ``None`` where no PDF was wanted."""

    html: str
    pdf: str | None


def pdf_beside(page: Path) -> Path:
    """Where the PDF of a report lies."""
    return page.with_suffix(".pdf")


def write_specimen(content: SpecimenReport, out: Path, settings: ReportSettings) -> Written:
    """Draw and publish one specimen's report."""
    from reports.specimen import render_specimen

    pdf = None
    if settings.pdf:
        from reports.paper import specimen_pdf

        pdf = specimen_pdf(content, settings)
    return _publish(out, render_specimen(content, settings), pdf)


def write_signed(version: ReportVersion, out: Path, settings: Settings) -> Written:
    """Publish a signed report as it was signed, and the PDF of it where one is wanted.

    Raises
    ------
    StoreError
        The file of the signed report is missing or was altered, or what it says.
    """
    pdf = None
    if settings.reports.pdf:
        # One at a time, by whoever draws it: the pictures of a whole study need not fit in memory.
        store = Store(settings.database_address())
        with closing(store), store.reading() as session:
            kept = session.get_one(ReportVersion, version.key)
            prove(session, kept)
            pdf = version_pdf(kept, kept_pictures(session, version.key))
    return _publish(out, signed_page(settings.home.resolve(), version).decode(), pdf)


def write_study(content: StudyReport, out: Path, settings: ReportSettings) -> Written:
    """Draw and publish a study's report."""
    from reports.study import render_study

    pdf = None
    if settings.pdf:
        from reports.paper import study_pdf

        pdf = study_pdf(content, settings)
    return _publish(out, render_study(content, settings), pdf)


def is_whole(home: Path, row: Any) -> bool:
    """Whether all files of a report's row are there."""
    page = home / row.path
    return page.is_file() and (not row.recipe.get("pdf_sha256") or pdf_beside(page).is_file())


def stored_pdf(home: Path, row: Any) -> bytes | None:
    """The PDF of a report's row; ``None`` if there is none, or it was altered since."""
    expected = row.recipe.get("pdf_sha256")
    return read_unaltered(home, pdf_beside(Path(row.path)), expected) if expected else None


def _publish(out: Path, page: str, pdf: bytes | None) -> Written:
    # The PDF first: the page is what the row points to, so it comes last.
    beside, text = pdf_beside(out), page.encode()
    if pdf is None:
        # One of an earlier report would tell something else than the page.
        beside.unlink(missing_ok=True)
    else:
        write_bytes(beside, pdf)
    write_bytes(out, text)
    return Written(_hash(text), None if pdf is None else _hash(pdf))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
