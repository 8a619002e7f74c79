"""A study's predictions beside what the analyser says, straight from the database, for a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cellcensus.study import Acquisition, CellHints, Mode, Role, Study
from db.predictions import current_predictions
from db.studies import as_specimen, find_study, latest_description
from db.tables import ModelVersion
from flows.contents import Subject
from flows.study_content import learning_curve, main_model, pairs_of

if TYPE_CHECKING:
    from reports.content import LearningPoint, Pair


@dataclass(frozen=True, slots=True)
class Compared:
    """What a study says about its model: pairs that the model had not seen, and its card."""

    study: Study
    pairs: tuple[Pair, ...]
    controls: tuple[Pair, ...]
    model: ModelVersion | None
    learning_curve: tuple[LearningPoint, ...]
    limits: tuple[str, ...]


def compare_study(session: Session, name: str) -> Compared:
    """Gather the pairs of a study's mixed and control specimens.

    Raises
    ------
    UsageError
        There is no study of that name.
    """
    row = find_study(session, name)
    study = _described(session, row.key, name)
    current = current_predictions(session, row.key, roles=("mixed", "control"))
    subjects = [
        Subject(study, as_specimen(found.specimen_id, found.sheet), None, found, ())
        for found in current
    ]
    model = main_model(subjects)
    card = model.card if model else {}
    return Compared(
        study,
        pairs_of(subjects, Role.MIXED),
        pairs_of(subjects, Role.CONTROL),
        model,
        learning_curve(card.get("learning_curve", ())),
        tuple(str(sentence) for sentence in card.get("limits", ())),
    )


def _described(session: Session, key: int, name: str) -> Study:
    row = latest_description(session, key)
    acquisition = Acquisition(**{**row.acquisition, "mode": Mode(row.acquisition["mode"])})
    return Study(Path(row.folder), name, tuple(row.classes), acquisition, CellHints(), ())
