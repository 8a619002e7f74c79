"""The tables, by what they tell.

The laboratory's sheet, the work done and what came out; the people, what they decided about it, the
trail of it, and what is sent.
"""

from db.tables.audit import AuditEntry
from db.tables.outbox import Job, OutboxMessage
from db.tables.people import Account, ApiToken, LoginSession
from db.tables.results import CellFile, Decision, ModelVersion, Prediction, PredictionClass, Report
from db.tables.review import CellCorrection, ReportSignature, ReportVersion, Review, ReviewNote
from db.tables.sheet import (
    Recording,
    ReferenceCount,
    Specimen,
    SpecimenRevision,
    Study,
    StudyRevision,
)
from db.tables.verification import VerificationDonor
from db.tables.work import Finding, Lease, Run
from db.types import Table

__all__ = [
    "Account",
    "ApiToken",
    "AuditEntry",
    "CellCorrection",
    "CellFile",
    "Decision",
    "Finding",
    "Job",
    "Lease",
    "LoginSession",
    "ModelVersion",
    "OutboxMessage",
    "Prediction",
    "PredictionClass",
    "Recording",
    "ReferenceCount",
    "Report",
    "ReportSignature",
    "ReportVersion",
    "Review",
    "ReviewNote",
    "Run",
    "Specimen",
    "SpecimenRevision",
    "Study",
    "StudyRevision",
    "Table",
    "VerificationDonor",
]
