"""The proof of every signed version of a specimen's report, its files included."""

from __future__ import annotations

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from db import review as rows
from db.store import Store
from flows.proof import defects_of, file_defects
from flows.review.step import specimen_row


def verify(
    store: Store, settings: Settings, study: str, specimen_id: str, version: int | None = None
) -> dict[int, tuple[str, ...]]:
    """What is wrong with the signed versions of a specimen's report, or with one of them.

    The trail itself is proved by :func:`db.audit.broken_entries`.

    Returns
    -------
    dict
        Version → defects, one sentence each; none if it is as it was signed.

    Raises
    ------
    UsageError
        There is no such specimen or version.
    """
    home = settings.home.resolve()
    with store.reading() as session:
        specimen = specimen_row(session, study, specimen_id)
        found = [v for v in rows.versions(session, specimen.key) if version in (None, v.version)]
        if version is not None and not found:
            raise UsageError(
                f"specimen {specimen_id} of study {study} has no signed version {version}",
                next_step="its page lists the versions there are",
            )
        return {row.version: (*defects_of(session, row), *file_defects(row, home)) for row in found}
