"""Reports as they were written: found by the database, and shown only if nobody altered them."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from cellcensus.files import read_unaltered
from db.reports import current_report
from db.tables import Report
from web.guard import POLICY

_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stored:
    """A report on disk: ``html`` is ``None`` where the file is missing or was altered."""

    written: Report
    html: str | None

    @property
    def body(self) -> Markup | None:
        """What stands on the page, to be framed by a page of the application."""
        found = _BODY.search(self.html) if self.html else None
        # Written by our own templates, which escape everything, and unaltered since.
        return Markup(found.group(1)) if found else None  # noqa: S704


def stored_report(
    session: Session, home: Path, study_key: int, specimen_key: int | None
) -> Stored | None:
    """The report in force of a specimen (or of the study); ``None`` if none was written."""
    written = current_report(session, study_key, specimen_key)
    if written is None:
        return None
    page = read_unaltered(home, written.path, written.sha256)
    return Stored(written, None if page is None else page.decode())


def as_written(html: str) -> Response:
    """The answer that shows a report: styles written in it are allowed by their hashes alone."""
    digests = (hashlib.sha256(sheet.encode()).digest() for sheet in _STYLE.findall(html))
    allowed = " ".join(f"'sha256-{base64.b64encode(d).decode('ascii')}'" for d in digests)
    policy = POLICY.replace("style-src 'self'", f"style-src {allowed}")
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def subject_of_file(session: Session, study_key: int, name: str) -> int | None:
    """Key of the specimen whose report in force has this file name."""
    reports = session.execute(
        select(Report.specimen_key, Report.path).where(
            Report.study_key == study_key, Report.current
        )
    )
    return next((key for key, path in reports if Path(path).name == name), None)
