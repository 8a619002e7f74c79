"""The tables, by what they tell: the laboratory's sheet, the work done, and what came out."""

from db.tables.results import CellFile, Decision, ModelVersion, Prediction, PredictionClass, Report
from db.tables.sheet import (
    Recording,
    ReferenceCount,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
)
from db.tables.work import Finding, Run
from db.types import Table

__all__ = [
    "CellFile",
    "Decision",
    "Finding",
    "ModelVersion",
    "Prediction",
    "PredictionClass",
    "Recording",
    "ReferenceCount",
    "Report",
    "Run",
    "Specimen",
    "SpecimenRevision",
    "Study",
    "StudyRevision",
    "Table",
]
