"""How much is stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.tables import CellFile, ModelVersion, Prediction, Report, SpecimenRevision


def count_rows(session: Session) -> dict[str, int]:
    """Specimens listed, ingested, predicted and reported now, their cells, and all models."""
    in_force = CellFile.current
    return {
        "specimens": _count(
            session,
            select(SpecimenRevision.key).where(SpecimenRevision.latest, SpecimenRevision.listed),
        ),
        "ingested": _count(session, select(CellFile.key).where(in_force)),
        "cells": session.scalar(select(func.sum(CellFile.n_cells)).where(in_force)) or 0,
        "models": _count(session, select(ModelVersion.key)),
        "predicted": _count(
            session, select(Prediction.specimen_key).where(Prediction.current).distinct()
        ),
        "reports": _count(session, select(Report.key).where(Report.current)),
    }


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
