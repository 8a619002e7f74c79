"""A specimen's report as others read it: the released one, else a preliminary one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cellcensus.files import read_unaltered
from cellcensus.settings import ReportSettings, Settings
from db.reports import current_report
from db.tables import ReportVersion, Specimen, Study
from flows.contents import Subject, specimen_content
from flows.proof import prove
from flows.released import newest_released, released_content
from flows.subjects import gather_one
from flows.versions import draw_version

if TYPE_CHECKING:
    from reports.content import SpecimenReport


def content_of(
    session: Session, settings: Settings, specimen_key: int
) -> tuple[SpecimenReport, ReportSettings] | None:
    """What is reported of a specimen now, and the settings that it was reported with.

    Nothing where nothing was predicted.

    Raises
    ------
    AlteredError
        The released report is not what was signed any more.
    """
    version = newest_released(session, specimen_key)
    if version is not None:
        prove(session, version)
        return released_content(session, version), settings_of(version, settings)
    specimen = session.get_one(Specimen, specimen_key)
    study = session.get_one(Study, specimen.study_key)
    subject = gather_one(session, study.name, specimen.specimen_id)
    if subject is None or subject.current is None:
        return None
    return _preliminary(subject, settings), settings.reports


def reported_content(
    session: Session, settings: Settings, subject: Subject
) -> tuple[SpecimenReport, ReportSettings] | None:
    """The same of a specimen that was gathered with its released version."""
    if subject.released is not None:
        return (
            released_content(session, subject.released),
            settings_of(subject.released, settings),
        )
    if subject.current is None:
        return None
    return _preliminary(subject, settings), settings.reports


def page_of(session: Session, settings: Settings, specimen_key: int) -> bytes | None:
    """The report as a page: as it was signed, else as it was last written; nothing if neither.

    Raises
    ------
    AlteredError
        The released report is not what was signed any more.
    """
    version = newest_released(session, specimen_key)
    if version is not None:
        return page_of_version(session, settings, version)
    study_key = session.get_one(Specimen, specimen_key).study_key
    written = current_report(session, study_key, specimen_key)
    return None if written is None else read_unaltered(settings.home, written.path, written.sha256)


def page_of_version(session: Session, settings: Settings, version: ReportVersion) -> bytes:
    """The page of a signed version; drawn again from its row where its file is not what it was.

    Raises
    ------
    AlteredError
        The version is not what was signed any more.
    """
    prove(session, version)
    page = read_unaltered(settings.home, version.path, version.file_sha256)
    return page or draw_version(version)


def paper_of(session: Session, settings: Settings, specimen_key: int) -> bytes | None:
    """The report as PDF: the signed one where one was released; nothing without a prediction."""
    from flows.papers import specimen_paper

    specimen = session.get_one(Specimen, specimen_key)
    study = session.get_one(Study, specimen.study_key)
    return specimen_paper(session, settings, study.name, specimen.specimen_id, None)


def settings_of(version: ReportVersion, settings: Settings) -> ReportSettings:
    """The settings of reports that a version was signed with: its ranges, its paper."""
    if not version.drawn_with:
        return settings.reports
    return ReportSettings.model_validate(version.drawn_with)


def _preliminary(subject: Subject, settings: Settings) -> SpecimenReport:
    # With its pictures, though nobody sees them: the id of the printed report covers them.
    return specimen_content(subject, settings.home.resolve(), settings)
