"""All settings in one typed object, read from the environment (``CELLCENSUS_…``).

Nested settings use two underscores: ``CELLCENSUS_TRAINING__SEED=7``. A stage receives only its own
section, and that section is part of the recipe of what the stage makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cellcensus.operating import (
    ConductorSettings,
    DriftSettings,
    HousekeepingSettings,
    InboxSettings,
    JobSettings,
    StorageSettings,
)
from cellcensus.section import Section


class QualityLimits(Section):
    """Beyond these a recording's figure becomes a finding."""

    saturated_share: float = Field(0.02, ge=0, description="Share of saturated pixels.")
    contrast_over_noise: float = Field(4.0, ge=0, description="Least contrast over noise of cells.")
    focus_drift: float = Field(0.5, ge=0, description="Change of sharpness over the recording.")
    background_drift: float = Field(0.15, ge=0, description="Change of the background's level.")
    flicker: float = Field(0.03, ge=0, description="Standard deviation of the lamp's level.")
    dropped_share: float = Field(0.01, ge=0, description="Share of frames missing by their times.")
    duplicated_share: float = Field(0.02, ge=0, description="Share of frames that repeat another.")
    share_touching: float = Field(0.25, ge=0, description="Share of cells that touch another.")
    rate_variation: float = Field(
        12.0, ge=0, description="Variance over mean of new cells in tenths of the recording."
    )
    fewest_cells: int = Field(100, ge=0, description="Fewest cells of a specimen.")
    window_share: float = Field(1.1, ge=0, description="Largest usual diameter over the window.")
    diameter_px: float = Field(6.0, ge=0, description="Least pixels across the usual cell.")
    exposure: float = Field(0.08, ge=0, description="Least level of the background over the range.")
    bubble_share: float = Field(0.02, ge=0, description="Share of frames with a bubble.")
    dirt_share: float = Field(0.03, ge=0, description="Share of the picture covered by still dirt.")
    stuck_share: float = Field(0.05, ge=0, description="Share of the cells that got stuck.")
    text_lines: int = Field(0, ge=0, description="Lines of text burnt into the picture.")
    coincidence: float = Field(0.03, ge=0, description="Share of cells hidden by others.")
    blank_cells: int = Field(1, ge=0, description="Cells of a blank.")


class IngestSettings(Section):
    """Recordings → cells."""

    views: int = Field(3, ge=1, le=16, description="Pictures kept of each cell, best first.")
    crop_pixels: int = Field(48, ge=16, le=256, description="Side of a stored picture in pixels.")
    window_um: float | None = Field(
        None, gt=0, description="Side of a stored picture in µm; unset: from the study's diameters."
    )
    full_scale: float = Field(
        1.0, gt=0, description="Contrast that a stored picture shows as black or white."
    )
    smallest_um: float = Field(
        4.5, gt=0, description="Smaller than this is debris, where the study names no diameters."
    )
    largest_um: float = Field(
        30.0, gt=0, description="Larger than this is no cell, where the study names no diameters."
    )
    noise_factor: float = Field(
        4.5, gt=0, description="Threshold of segmentation in standard deviations of the noise."
    )
    background_frames: int = Field(
        32, ge=8, description="Frames whose median is the first background."
    )
    buffer_megabytes: float = Field(
        96.0, gt=0, description="Memory for the frames that the first background is made of."
    )
    preview_frames: int = Field(3, ge=0, le=12, description="Frames shown in the preview picture.")
    limits: QualityLimits = QualityLimits()


class TrainingSettings(Section):
    """Cells → model."""

    seed: int = Field(1, description="Seed of every random draw in training.")
    folds: int = Field(
        4,
        ge=2,
        le=20,
        description="Donor folds; one network is trained without each fold's donors.",
    )
    warmup_steps: int = Field(2500, ge=1, description="Steps on purified specimens.")
    bag_steps: int = Field(120, ge=1, description="Steps on mixed specimens, for each fold.")
    bag_cells: int = Field(192, ge=32, description="Cells drawn from a specimen in one step.")
    bags_per_step: int = Field(4, ge=1, description="Mixed specimens in one step.")
    purified_cells: int = Field(8, ge=4, description="Cells of a purified specimen in a step.")
    purified_weight: float = Field(
        0.05, ge=0, le=1, description="Weight of purified specimens once mixed ones are learned."
    )
    width: int = Field(16, ge=4, le=128, multiple_of=4, description="Channels of the first layer.")
    learning_rate: float = Field(3e-3, gt=0, description="Highest learning rate.")
    cells_per_specimen: int = Field(
        2000, ge=50, description="Most cells of one specimen that are learned from."
    )
    threads: int = Field(0, ge=0, description="Processor threads; 0: one per core.")


class CompositionSettings(Section):
    """Cells and model → composition."""

    views: int = Field(3, ge=1, description="Most pictures of a cell whose evidence is averaged.")
    flag_unclassified: float = Field(
        0.05, ge=0, le=1, description="Share of cells unlike any learned that is flagged."
    )
    unusual_unclassified: float = Field(
        1.15,
        gt=0,
        description="Standard deviations above donors' usual share of strange cells, flagged.",
    )
    hold_unclassified: float = Field(
        0.15, ge=0, le=1, description="Share of cells unlike any learned that holds the specimen."
    )
    fewest_cells: int = Field(200, ge=0, description="Specimens with fewer leukocytes are flagged.")
    disagreement: float = Field(
        0.10, ge=0, le=1, description="Difference between methods, as a share, that is flagged."
    )
    drift: float = Field(
        3.8,
        gt=0,
        description="Distance of a specimen's common look from donors', in standard deviations.",
    )
    threads: int = Field(0, ge=0, description="Processor threads; 0: one per core.")


class RangeSettings(Section):
    """What is usual for a class, 10⁹ cells per litre; an absent limit is no limit."""

    low: float | None = Field(None, ge=0)
    high: float | None = Field(None, ge=0)
    critical_low: float | None = Field(None, ge=0)
    critical_high: float | None = Field(None, ge=0)


# Adult ranges in common use; every laboratory should set its own.
ADULT_RANGES = {
    "leukocyte": RangeSettings(low=4.0, high=10.0, critical_low=2.0, critical_high=30.0),
    "neutrophil": RangeSettings(low=1.8, high=7.5, critical_low=0.5),
    "lymphocyte": RangeSettings(low=1.0, high=4.0),
    "monocyte": RangeSettings(low=0.2, high=1.0),
    "eosinophil": RangeSettings(low=0.02, high=0.5),
    "basophil": RangeSettings(low=0.0, high=0.1),
}


Language = Literal["en", "de"]


class ReportSettings(Section):
    """Compositions → reports."""

    laboratory: str = Field("", description="Name of the laboratory, printed on every report.")
    paper: Literal["A4", "Letter"] = Field("A4", description="Paper the reports are printed on.")
    language: Language = Field("en", description="Language of the reports: `en` or `de`.")
    pdf: bool = Field(False, description="Whether a PDF is written beside each HTML report.")
    reference_ranges: dict[str, RangeSettings] = Field(
        default=ADULT_RANGES,
        description="Usual range of each class, 10⁹ per litre; classes not named keep the default.",
    )
    adult_age_years: float = Field(
        18, description="Reference ranges are not applied to younger donors."
    )
    quantification_cv: float = Field(
        0.20, gt=0, description="A value less certain than this (CV) is below quantification."
    )
    gallery_cells: int = Field(
        8,
        ge=0,
        le=48,
        description="Cells shown a class: so many typical, so many uncertain ones; 0: none.",
    )

    @field_validator("reference_ranges")
    @classmethod
    def _keep_defaults(cls, given: dict[str, RangeSettings]) -> dict[str, RangeSettings]:
        return {**ADULT_RANGES, **given}


class WebSettings(Section):
    """The technicians' application."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    page_size: int = Field(50, ge=1, le=500, description="Rows on a page of the work list.")
    open_metrics: bool = Field(
        False,
        description="Answer /metrics without an account to programs on this very machine.",
    )


class AccessSettings(Section):
    """Accounts, passwords and sessions of the application."""

    password_length: int = Field(
        12,
        ge=8,
        le=128,
        description="Fewest characters of a password; nothing else is asked of it.",
    )
    idle_minutes: float = Field(
        30.0, gt=0, description="A session ends when nothing was asked for so long."
    )
    session_hours: float = Field(
        12.0, gt=0, description="A session ends after so long, however busy it is."
    )
    attempts: int = Field(
        5,
        ge=1,
        description="Wrong passwords in a row that lock an account for a while.",
    )
    lock_seconds: float = Field(
        60.0, gt=0, description="The first lock of an account; each further failure doubles it."
    )
    longest_lock_minutes: float = Field(60.0, gt=0, description="The longest lock of an account.")
    address_attempts: int = Field(
        30, ge=1, description="Failed sign-ins from one address in a quarter of an hour, at most."
    )
    secure_cookies: bool = Field(
        False,
        description="Mark cookies as for https only even where the service is asked by http, as "
        "behind a proxy; over https they always are.",
    )


class DestinationSettings(Section):
    """One system that reports are sent to: an MLLP receiver, or a folder that it looks into."""

    kind: Literal["mllp", "file"]
    host: str = ""
    port: int = Field(0, ge=0, le=65535)
    tls: bool = False
    ca_file: Path | None = None
    client_file: Path | None = None
    folder: Path | None = None
    format: Literal["hl7", "fhir"] = "hl7"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "mllp" and not (self.host and self.port and self.format == "hl7"):
            raise ValueError("an mllp destination needs host and port, and carries hl7 only")
        if self.kind == "file" and self.folder is None:
            raise ValueError("a file destination needs a folder")
        return self


DestinationName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class InterfaceSettings(Section):
    """Released reports → other systems."""

    destinations: dict[DestinationName, DestinationSettings] = Field(
        default={}, description="Systems that released reports are sent to, by name."
    )
    timeout_s: float = Field(
        20.0, gt=0, le=600, description="Longest time of one attempt to send, answer included."
    )
    retry_first_s: float = Field(
        5.0, gt=0, description="Wait after the first failed attempt; it doubles with each."
    )
    retry_longest_s: float = Field(
        600.0, gt=0, description="Longest wait between two attempts; none is ever given up."
    )
    poll_s: float = Field(2.0, gt=0, description="How often is looked for reports to send.")


class ReviewSettings(Section):
    """The laboratory's rules of review."""

    two_person_release: bool = Field(
        False, description="A report that one person has signed is released by another."
    )


class GateSettings(Section):
    """When a retrained candidate may replace the champion."""

    fewest_donors: int = Field(
        5, ge=3, description="Donors with known composition that both models can be judged by."
    )
    margin_points: float = Field(
        1.0, ge=0, description="How much larger the mean error may be, at the upper 95 % limit."
    )
    class_margin_points: float = Field(
        0.5, ge=0, description="How much larger a class's error may be for certain."
    )
    instrument_margin_points: float = Field(
        1.0,
        ge=0,
        description="How much larger the mean error on one instrument may be for certain.",
    )
    coverage_margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description="How much smaller the coverage of intervals may be for certain.",
    )
    concentration_margin_percent: float = Field(
        3.0, ge=0, description="How much larger the error of the total may be for certain."
    )
    unclassified_margin: float = Field(
        0.02, ge=0, le=1, description="How much larger the unclassified share may be for certain."
    )
    shadow: bool = Field(
        False, description="Each night the newest candidate predicts too, beside the champion."
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="CELLCENSUS_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Field(
        Path("cellcensus-home"), description="Folder of the database, cells, models and reports."
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; SQLite in the home folder if unset."
    )
    change_plan: Path | None = Field(
        None, description="Plan that retraining keeps to; change_plan.yaml in the home if unset."
    )
    processes: int = Field(
        0, ge=0, description="Recordings ingested at a time; 0: one per processor core."
    )
    ingest: IngestSettings = IngestSettings()
    training: TrainingSettings = TrainingSettings()
    composition: CompositionSettings = CompositionSettings()
    reports: ReportSettings = ReportSettings()
    web: WebSettings = WebSettings()
    access: AccessSettings = AccessSettings()
    gate: GateSettings = GateSettings()
    conductor: ConductorSettings = ConductorSettings()
    storage: StorageSettings = StorageSettings()
    drift: DriftSettings = DriftSettings()
    jobs: JobSettings = JobSettings()
    interfaces: InterfaceSettings = InterfaceSettings()
    review: ReviewSettings = ReviewSettings()
    inbox: InboxSettings = InboxSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()

    def change_plan_file(self) -> Path:
        """Where the plan of changes stands, if there is one."""
        return self.change_plan or self.home / "change_plan.yaml"

    def database_address(self) -> str:
        """The database to use, as a SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'cellcensus.sqlite'}"
