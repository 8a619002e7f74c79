"""Routes: studies, models, quarantine, status."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from sqlalchemy import select
from starlette.exceptions import HTTPException

from cellcensus import __version__
from cellcensus.rights import Right
from db import findings, outbox, registry
from db.status import count_rows
from db.studies import load_study
from db.tables import Study
from web import queries
from web.access import may
from web.api import shapes
from web.api.asked import ModelId, StudyName, study_of
from web.api.cursors import Cursor, Limit, cursor_at, place_of
from web.api.telling import found_items, model_item
from web.given import Database

router = APIRouter(dependencies=[Depends(may(Right.READ))])


@router.get("/studies", tags=["studies"])
def list_studies(store: Database) -> shapes.Page[shapes.StudyItem]:
    """All studies, newest first."""
    with store.reading() as session:
        items = [_study_item(item) for item in queries.studies(session)]
    return shapes.Page(items=items, next=None)


@router.get("/studies/{study}", tags=["studies"])
def get_study(study: StudyName, store: Database) -> shapes.StudyDetail:
    """One study: its classes, its specimens by state, and what was found about it as a whole."""
    with store.reading() as session:
        row = study_of(session, study)
        (item,) = (item for item in queries.studies(session) if item.name == row.name)
        said = load_study(session, row.name)
        return shapes.StudyDetail(
            **_study_item(item).model_dump(),
            classes=list(said.classes),
            mode=said.acquisition.mode.value,
            pixel_size_um=said.acquisition.pixel_size_um,
            findings=found_items(findings.open_findings(session, row.key)),
        )


@router.get("/models", tags=["models"])
def list_models(store: Database) -> shapes.Page[shapes.ModelItem]:
    """All models, newest first."""
    with store.reading() as session:
        items = [model_item(model) for model in reversed(registry.list_models(session))]
    return shapes.Page(items=items, next=None)


@router.get("/models/{model_id}", tags=["models"])
def get_model(model_id: ModelId, store: Database) -> shapes.ModelItem:
    """One model: what it learned from, and the decisions about it."""
    with store.reading() as session:
        model = registry.find_model(session, model_id)
        if model is None:
            raise HTTPException(404)
        return model_item(model)


@router.get("/quarantine", tags=["specimens"])
def list_quarantine(
    store: Database, limit: Limit = 100, cursor: Cursor = None
) -> shapes.Page[shapes.QuarantineItem]:
    """Specimens that are set aside, by study, with the reason and what to do."""
    start = place_of(cursor)
    with store.reading() as session:
        items = [
            shapes.QuarantineItem(
                study=study.name,
                specimen_id=aside.specimen_id,
                code=aside.code,
                reason=aside.reason,
                next_step=aside.next_step,
                since=aside.since,
            )
            for study in session.scalars(select(Study).order_by(Study.name))
            for aside in findings.quarantined(session, study.key)
        ]
    end = start + limit
    return shapes.Page(items=items[start:end], next=cursor_at(end) if end < len(items) else None)


@router.get("/status", tags=["status"])
def get_status(store: Database) -> shapes.Status:
    """How much there is, which models are in force, and how many reports wait to be sent."""
    with store.reading() as session:
        return shapes.Status(
            version=__version__,
            **count_rows(session),
            quarantined=len(findings.quarantined(session)),
            champions=[model.model_id for model in registry.champions(session)],
            reports_to_send=shapes.Sending(**outbox.counts(session)),
        )


def _study_item(item: queries.StudyItem) -> shapes.StudyItem:
    return shapes.StudyItem(
        name=item.name, created_at=item.created_at, specimens=item.total, states=item.states
    )
