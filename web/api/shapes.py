"""What the programming interface answers, as types: the description is made from them."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")

State = Literal["quarantined", "predicted", "ingested", "waiting"]
Role = Literal["unknown", "mixed", "control", "purified", "blank"]
ReportStatus = Literal["preliminary", "final", "corrected"]
ReviewState = Literal["open", "on_hold", "reviewed", "released", "corrected"]


class Shape(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class Page(Shape, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(
        description="Send it as `cursor` to get the next page; null at the end of the list."
    )


class Interval(Shape):
    """A value with its 95 % interval; null is *cannot be said*, never 0."""

    value: float | None = Field(examples=[0.581])
    low: float | None = Field(examples=[0.55])
    high: float | None = Field(examples=[0.612])


class ClassShare(Shape):
    """One class of a differential."""

    cell_class: str = Field(examples=["neutrophil"])
    cells: int = Field(description="Unique cells of this class that were counted.")
    fraction: Interval = Field(description="Share of the white cells, 0 to 1.")
    per_ul: Interval = Field(description="Cells per µL of blood.")


class Composition(Shape):
    """What one specimen is made of."""

    status: ReportStatus = Field(
        description="`preliminary` until released; then as it was signed: `final`, `corrected`."
    )
    cells: int = Field(description="Unique cells counted, artefacts left out.")
    total_per_ul: Interval = Field(description="White cells per µL of blood.")
    classes: list[ClassShare]
    flags: list[str] = Field(description="Codes, explained at `/flags` of the application.")
    held_out: bool = Field(description="By models that had not seen this donor.")
    method: str
    model_id: str | None
    model_sha256: str | None
    recipe_id: str | None = Field(description="Identity of the prediction.")


class Signed(Shape):
    """A signature under a report."""

    name: str
    meaning: Literal["reviewed", "released"]
    signed_at: datetime
    report_sha256: str


class Review(Shape):
    """How far people have come with a specimen."""

    state: ReviewState
    version: int | None = Field(description="Of the newest signed report; null if there is none.")
    report_status: ReportStatus | None
    report_sha256: str | None = Field(description="What the signatures bind to.")
    released_at: datetime | None
    signatures: list[Signed]


class SpecimenItem(Shape):
    """One specimen of the list."""

    study: str = Field(examples=["realcells"])
    specimen_id: str = Field(examples=["U039"])
    donor_id: str | None = Field(description="Null where its row could not be read.")
    role: Role | None
    state: State
    acquired_at: datetime | None
    instrument_id: str | None
    cells: int | None
    total_per_ul: float | None
    flags: list[str]
    quarantine_reason: str | None


class FoundItem(Shape):
    """Something a person should know."""

    level: Literal["violation", "alert", "information"]
    code: str
    message: str
    action: str


class SpecimenDetail(SpecimenItem):
    """One specimen, with what is said of it."""

    review: Review
    result: Composition | None = Field(
        description="What the laboratory says: the released report, else the prediction."
    )
    prediction: Composition | None = Field(
        description="The prediction in force; it may be newer than a released report."
    )
    findings: list[FoundItem]


class Cell(Shape):
    """One unique cell."""

    cell_id: int
    first_frame: int
    last_frame: int
    best_frame: int
    x: float | None = Field(description="Centroid in `best_frame`, pixels.")
    y: float | None
    width: float | None
    height: float | None
    area_um2: float | None
    cell_class: str | None = Field(description="A class, `unclassified` or `artefact`.")
    probability: float | None
    corrected_class: str | None = Field(description="A person's class for it, if there is one.")
    flags: list[str]


class StudyItem(Shape):
    """One study of the list."""

    name: str = Field(examples=["realcells"])
    created_at: datetime
    specimens: int
    states: dict[State, int] = Field(description="How many specimens are in each state.")


class StudyDetail(StudyItem):
    """One study."""

    classes: list[str] = Field(description="In the reporting order.")
    mode: Literal["flow", "fields", "events"]
    pixel_size_um: float
    findings: list[FoundItem] = Field(description="Of the study as a whole.")


class ModelDecision(Shape):
    """A change of a model's state."""

    action: str
    state: str
    reasons: list[str]
    taken_at: datetime


class ModelItem(Shape):
    """A model of the registry."""

    model_id: str
    state: str = Field(examples=["champion"])
    sha256: str
    classes: list[str]
    studies: list[str] = Field(description="It learned from these.")
    created_at: datetime
    decisions: list[ModelDecision]


class QuarantineItem(Shape):
    """A specimen that is set aside."""

    study: str
    specimen_id: str
    code: str
    reason: str
    next_step: str
    since: datetime


class Sending(Shape):
    """The state of the outbox."""

    waiting: int
    acknowledged: int
    refused: int


class Status(Shape):
    """How much there is, and whether the service can work."""

    version: str
    specimens: int
    ingested: int
    predicted: int
    reports: int
    cells: int
    models: int
    quarantined: int
    champions: list[str]
    reports_to_send: Sending
