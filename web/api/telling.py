"""Rows of the database → the shapes that are answered."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.findings import Finding
from db.predictions import Current
from db.review_states import review_states
from db.tables import ModelVersion, ReportVersion
from flows.contents import estimate
from flows.proof import prove
from flows.released import newest_released, released_content
from reports.content import Estimate, SpecimenReport
from web import queries
from web.api import shapes


def item_values(item: queries.Item) -> dict[str, Any]:
    """What the list says of a specimen."""
    unread = item.role not in queries.ROLES
    return {
        "study": item.study,
        "specimen_id": item.specimen_id,
        "donor_id": None if unread else item.donor_id,
        "role": None if unread else item.role,
        "state": item.state,
        "acquired_at": item.acquired_at,
        "instrument_id": item.instrument_id,
        "cells": item.cells,
        "total_per_ul": _said(item.total_per_ul),
        "flags": list(item.flags),
        "quarantine_reason": item.reason or None,
    }


def prediction_of(current: Current) -> shapes.Composition:
    """A prediction, as the model made it."""
    made = current.prediction
    return shapes.Composition(
        status="preliminary",
        cells=made.cells,
        total_per_ul=_interval(estimate(made, "total_per_ul")),
        classes=[
            shapes.ClassShare(
                cell_class=row.cell_class,
                cells=row.count,
                fraction=_interval(estimate(row, "fraction")),
                per_ul=_interval(estimate(row, "per_ul")),
            )
            for row in made.rows
        ],
        flags=list(made.flags),
        held_out=made.held_out,
        method=made.method,
        model_id=current.model.model_id,
        model_sha256=current.model.sha256,
        recipe_id=made.recipe_id,
    )


def released_of(session: Session, specimen_key: int) -> shapes.Composition | None:
    """The report in force as it was signed; nothing if none was released."""
    version = newest_released(session, specimen_key)
    if version is None:
        return None
    prove(session, version)
    return _reported(released_content(session, version))


def _reported(content: SpecimenReport) -> shapes.Composition:
    return shapes.Composition(
        status=content.status.value,
        cells=content.cells,
        total_per_ul=_interval(content.total_per_ul),
        classes=[
            shapes.ClassShare(
                cell_class=row.cell_class,
                cells=row.count,
                fraction=_interval(row.fraction),
                per_ul=_interval(row.per_ul),
            )
            for row in content.rows
        ],
        flags=list(content.flags),
        held_out=content.held_out,
        method=content.method,
        model_id=content.model.model_id if content.model else None,
        model_sha256=content.model.sha256 if content.model else None,
        recipe_id=content.recipes.get("predict"),
    )


def review_of(session: Session, specimen_key: int) -> shapes.Review:
    """How far people have come with a specimen."""
    version = session.scalar(
        select(ReportVersion)
        .where(ReportVersion.specimen_key == specimen_key)
        .order_by(ReportVersion.version.desc())
        .limit(1)
    )
    state = review_states(session, [specimen_key]).get(specimen_key, "open")
    if version is None:
        return shapes.Review(
            state=state,
            version=None,
            report_status=None,
            report_sha256=None,
            released_at=None,
            signatures=[],
        )
    return shapes.Review(
        state=state,
        version=version.version,
        report_status=version.state,
        report_sha256=version.report_sha256,
        released_at=version.released_at,
        signatures=[
            shapes.Signed(
                name=one.full_name,
                meaning=one.meaning,
                signed_at=one.signed_at,
                report_sha256=one.report_sha256,
            )
            for one in version.signatures
        ],
    )


def found_items(findings: Sequence[Finding]) -> list[shapes.FoundItem]:
    """Findings, without the names of columns and files."""
    return [
        shapes.FoundItem(
            level=found.level.value, code=found.code, message=found.message, action=found.action
        )
        for found in findings
    ]


def model_item(model: ModelVersion) -> shapes.ModelItem:
    """A model, with the decisions about it."""
    return shapes.ModelItem(
        model_id=model.model_id,
        state=model.state,
        sha256=model.sha256,
        classes=list(model.classes),
        studies=sorted({one["study"] for one in model.trained_on}),
        created_at=model.created_at,
        decisions=[
            shapes.ModelDecision(
                action=one.action, state=one.state, reasons=one.reasons, taken_at=one.taken_at
            )
            for one in model.decisions
        ],
    )


def _interval(estimate: Estimate) -> shapes.Interval:
    return shapes.Interval(
        value=_said(estimate.value), low=_said(estimate.low), high=_said(estimate.high)
    )


def _said(value: float) -> float | None:
    return value if isfinite(value) else None
