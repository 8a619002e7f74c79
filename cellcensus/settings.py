"""All settings in one typed object, read from the environment (``CELLCENSUS_…``).

Nested settings use two underscores: ``CELLCENSUS_TRAINING__SEED=7``. A stage receives only its own
section, and that section is part of the recipe of what the stage makes.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Section(BaseModel):
    """A group of settings: frozen, and refusing names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IngestSettings(Section):
    """Recordings → cells."""


class TrainingSettings(Section):
    """Cells → model."""

    seed: int = Field(1, description="Seed of every random draw in training.")


class CompositionSettings(Section):
    """Cells and model → composition."""


class ReportSettings(Section):
    """Compositions → reports."""

    laboratory: str = Field("", description="Name of the laboratory, printed on every report.")


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
    processes: int = Field(
        0, ge=0, description="Recordings ingested at a time; 0: one per processor core."
    )
    ingest: IngestSettings = IngestSettings()
    training: TrainingSettings = TrainingSettings()
    composition: CompositionSettings = CompositionSettings()
    reports: ReportSettings = ReportSettings()

    def database_address(self) -> str:
        """The database to use, as a SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'cellcensus.sqlite'}"
