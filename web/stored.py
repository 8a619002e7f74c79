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

from db.reports import current_report
from db.tables import Report

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

    @property
    def style_hashes(self) -> str:
        """Sources for ``style-src`` that allow exactly the styles written in this file."""
        return style_hashes(self.html or "")


def stored_report(
    session: Session, home: Path, study_key: int, specimen_key: int | None
) -> Stored | None:
    """The report in force of a specimen (or of the study); ``None`` if none was written."""
    written = current_report(session, study_key, specimen_key)
    if written is None:
        return None
    return Stored(written, unaltered(home, written.path, written.sha256))


def style_hashes(html: str) -> str:
    """Sources for ``style-src`` that allow exactly the styles written in a page."""
    digests = (hashlib.sha256(sheet.encode()).digest() for sheet in _STYLE.findall(html))
    return " ".join(f"'sha256-{base64.b64encode(d).decode('ascii')}'" for d in digests)


def unaltered(home: Path, path: str, sha256: str) -> str | None:
    """A file of the home, if it is there and nobody altered it."""
    file = (home / path).resolve()
    if not file.is_relative_to(home.resolve()):
        return None
    try:
        content = file.read_bytes()
    except OSError:
        return None
    same = hashlib.sha256(content).hexdigest() == sha256
    return content.decode("utf-8") if same else None


def subject_of_file(session: Session, study_key: int, name: str) -> int | None:
    """Key of the specimen whose report in force has this file name."""
    reports = session.execute(
        select(Report.specimen_key, Report.path).where(
            Report.study_key == study_key, Report.current
        )
    )
    return next((key for key, path in reports if Path(path).name == name), None)
