"""PDFs drawn when they are asked for: what is signed as it was signed, all else as it stands."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cellcensus.settings import ReportSettings, Settings
from db.findings import open_findings, quarantined
from db.reports import current_report
from db.review import find_specimen, kept_pictures, read_version
from db.studies import find_study
from flows.contents import specimen_content
from flows.proof import prove
from flows.released import newest_released
from flows.study_content import study_content
from flows.subjects import gather, gather_one
from flows.versions import version_pdf
from flows.written import stored_pdf


def specimen_paper(
    session: Session, settings: Settings, study: str, specimen_id: str, language: str | None = None
) -> bytes | None:
    """The PDF of a specimen's report; ``None`` if there is nothing to report yet.

    The released report where there is one; else the file that was written, if it is unaltered and
    in the language asked for; else the result as it stands.

    Raises
    ------
    UsageError
        There is no study of that name.
    StoreError
        A file of the result is missing or damaged.
    AlteredError
        The released report is not what was signed any more.
    """
    home = settings.home.resolve()
    row = find_specimen(session, study, specimen_id)
    if row is None:
        return None
    signed = newest_released(session, row.key)
    if signed is not None:
        prove(session, signed)
        return version_pdf(signed, kept_pictures(session, signed.key), language)
    written = current_report(session, row.study_key, row.key)
    kept = stored_pdf(home, written) if written and _spoken(written, language) else None
    if kept is not None:
        return kept
    subject = gather_one(session, study, specimen_id)
    if subject is None or subject.cell_file is None:
        return None
    from reports.paper import specimen_pdf

    return specimen_pdf(specimen_content(subject, home, settings), settings.reports, language)


def version_paper(
    session: Session, study: str, specimen_id: str, number: int, language: str | None = None
) -> bytes | None:
    """The PDF of one signed version of a specimen's report; ``None`` if there is no such version.

    Raises
    ------
    UsageError
        There is no study of that name.
    AlteredError
        It is not what was signed any more.
    """
    row = find_specimen(session, study, specimen_id)
    version = read_version(session, row.key, number) if row else None
    if version is None:
        return None
    prove(session, version)
    return version_pdf(version, kept_pictures(session, version.key), language)


def study_paper(
    session: Session, settings: Settings, study: str, language: str | None = None
) -> bytes:
    """The PDF of a study's report: the file that was written, else the study as it stands.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    from reports.paper import study_pdf

    home, key = settings.home.resolve(), find_study(session, study).key
    written = current_report(session, key, None)
    kept = stored_pdf(home, written) if written and _spoken(written, language) else None
    if kept is not None:
        return kept
    found, subjects = gather(session, study)
    content = study_content(
        found,
        subjects,
        quarantined(session, key),
        findings=open_findings(session, key),
        settings=settings,
        reported=frozenset(s.specimen.specimen_id for s in subjects if s.cell_file is not None),
    )
    return study_pdf(content, settings.reports, language)


def _spoken(written: object, language: str | None) -> bool:
    """Whether a report that was written speaks the language asked for."""
    recipe = getattr(written, "recipe", {})
    known = recipe.get("settings", {}).get("language", ReportSettings().language)
    return language is None or language == known
