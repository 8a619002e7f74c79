"""Signed versions of a report, as they say it: read from their rows, and drawn from them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcensus.errors import StoreError
from cellcensus.files import read_unaltered
from cellcensus.settings import ReportSettings
from db.tables import ReportVersion

if TYPE_CHECKING:
    from reports.content import Signature, SpecimenReport


def unsigned_content(version: ReportVersion) -> SpecimenReport:
    """What a version says, pictures included, as it was when it was signed."""
    from reports.pictures_kept import with_pictures
    from reports.stored import from_values

    return with_pictures(from_values(version.content), version.pictures)


def version_content(version: ReportVersion) -> SpecimenReport:
    """What a version says, pictures included, with its state and its signatures."""
    return _signed(unsigned_content(version), version)


def draw_version(version: ReportVersion) -> bytes:
    """The HTML page of a version; the same software draws the same page, bit for bit."""
    from reports.specimen import render_specimen

    settings = ReportSettings.model_validate(version.drawn_with)
    return render_specimen(version_content(version), settings).encode()


def released_report(version: ReportVersion) -> SpecimenReport:
    """What a released version says, for tables and messages: without pictures, as of its release.

    ``version.signatures`` must have been read after it was released.
    """
    from reports.stored import from_values

    content = _signed(from_values(version.content), version)
    return replace(content, generated_at=version.released_at or content.generated_at)


def signed_page(home: Path, version: ReportVersion) -> bytes:
    """The page of a version as it was published.

    Raises
    ------
    StoreError
        The file is missing or was altered.
    """
    page = read_unaltered(home, version.path, version.file_sha256)
    if page is None:
        raise StoreError(
            f"the file of signed version {version.version} is missing or was altered",
            file=home / version.path,
            next_step="put it back from a backup of the home folder",
        )
    return page


def version_pdf(
    version: ReportVersion, pictures: Mapping[str, Any], language: str | None = None
) -> bytes:
    """The PDF of a version, on its paper; in its language, or another that is asked for.

    The signature binds to what the report says, which is the same in every language.
    """
    from reports.paper import specimen_pdf
    from reports.pictures_kept import with_pictures
    from reports.stored import from_values

    content = with_pictures(from_values(version.content), pictures)
    settings = ReportSettings.model_validate(version.drawn_with)
    return specimen_pdf(_signed(content, version), settings, language)


def _signatures(version: ReportVersion) -> tuple[Signature, ...]:
    from reports.content import Signature

    return tuple(
        Signature(s.full_name, s.meaning, s.signed_at, s.report_sha256) for s in version.signatures
    )


def _signed(content: SpecimenReport, version: ReportVersion) -> SpecimenReport:
    from reports.content import Status

    *earlier, last = _signatures(version) or (None,)
    return replace(
        content,
        status=Status(version.state),
        version=version.version,
        signature=last,
        earlier_signatures=tuple(earlier),
    )
