"""Routes: specimens, what is said of them, and their cells."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cellcensus.rights import Right
from db import findings
from db.predictions import current_predictions
from flows.cell_page import cell_page
from web import queries
from web.access import may
from web.api import shapes
from web.api.asked import SpecimenId, StudyName, narrowed, specimen_of, study_of
from web.api.cursors import Cursor, Limit, cursor_at, place_of
from web.api.telling import found_items, item_values, prediction_of, released_of, review_of
from web.given import Configured, Database

router = APIRouter(dependencies=[Depends(may(Right.READ))], tags=["specimens"])


@router.get("/specimens")
def list_specimens(
    store: Database,
    chosen: Annotated[queries.Filter, Depends(narrowed)],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> shapes.Page[shapes.SpecimenItem]:
    """Specimens, in the order they became known; a page is stable while others are added."""
    with store.reading() as session:
        items = queries.after(session, chosen, place_of(cursor), limit + 1)
    more, shown = len(items) > limit, items[:limit]
    return shapes.Page(
        items=[shapes.SpecimenItem(**item_values(item)) for item in shown],
        next=cursor_at(shown[-1].key) if more else None,
    )


@router.get("/specimens/{study}/{specimen_id}")
def get_specimen(
    study: StudyName, specimen_id: SpecimenId, store: Database
) -> shapes.SpecimenDetail:
    """One specimen: composition with intervals, flags, and how far its review is."""
    with store.reading() as session:
        item = specimen_of(session, study, specimen_id)
        study_key = study_of(session, study).key
        current = current_predictions(session, study_key, item.key)
        prediction = prediction_of(current[0]) if current else None
        return shapes.SpecimenDetail(
            **item_values(item),
            review=review_of(session, item.key),
            result=released_of(session, item.key) or prediction,
            prediction=prediction,
            findings=found_items(findings.open_findings(session, study_key, item.key)),
        )


@router.get("/specimens/{study}/{specimen_id}/cells")
def list_cells(
    *,
    study: StudyName,
    specimen_id: SpecimenId,
    store: Database,
    settings: Configured,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> shapes.Page[shapes.Cell]:
    """Unique cells of a specimen: where each was seen, its class, and a person's correction."""
    start = place_of(cursor)
    with store.reading() as session:
        item = specimen_of(session, study, specimen_id)
        page = cell_page(session, settings, item.key, start, limit)
    return shapes.Page(
        items=[shapes.Cell(**cell) for cell in page.cells],
        next=cursor_at(start + limit) if start + limit < page.total else None,
    )
