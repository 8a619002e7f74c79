"""Whether all of a study is there, and whether the champion has learned from it."""

from __future__ import annotations

from pathlib import Path

from cellcensus.study import Role
from db.cells import current_cell_files
from db.findings import quarantined
from db.tables import ModelVersion
from flows.context import Context
from flows.intake import take_in


def is_complete(ctx: Context, folder: Path, champion: ModelVersion) -> bool:
    """Whether every specimen is ingested or set aside, and none of them taught the champion yet.

    Only a study with purified or mixed specimens can be complete in this sense: the others have
    nothing to teach.
    """
    taken = take_in(ctx, folder)
    with ctx.store.reading() as session:
        ready = current_cell_files(session, taken.key).keys()
        aside = {found.specimen_id for found in quarantined(session, taken.key)}
    teaching = {s.specimen_id for s in taken.usable if s.role in (Role.PURIFIED, Role.MIXED)}
    learned = any(entry["study"] == taken.study.name for entry in champion.trained_on)
    everybody = {s.specimen_id for s in taken.study.specimens}
    return bool(teaching & ready) and not learned and everybody <= ready | aside
