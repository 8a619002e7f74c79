"""Settings of the service at work: jobs, inbox, housekeeping, drift."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from cellcensus.addresses import is_address, is_plain
from cellcensus.section import Section

RoleName = Literal["purified", "mixed", "unknown", "blank", "control"]


class JobSettings(Section):
    """Long work that is asked for from a page."""

    worker: bool = Field(
        True, description="Whether `serve` starts a worker; else `cellcensus work` does the work."
    )
    lease_seconds: float = Field(
        60, ge=3, description="A worker that is silent for longer is taken for dead."
    )
    poll_seconds: float = Field(1, gt=0, description="How often a worker looks for work.")


class InboxSettings(Section):
    """Study folders taken in as they become whole."""

    folder: Path | None = Field(None, description="Folder of study folders that is watched.")
    settle_seconds: float = Field(
        20.0, ge=0, description="A recording that does not change for so long is whole."
    )
    retrain: bool = Field(
        False, description="A complete study the champion has not learned from makes a candidate."
    )


class HousekeepingSettings(Section):
    """What is done now and then."""

    backups: int = Field(7, ge=0, description="Copies of the database that are kept; 0: none.")
    superseded_days: float | None = Field(
        None, ge=0, description="Pictures of superseded results are deleted after so many days."
    )
    pictures_days: dict[RoleName, Annotated[float, Field(ge=0)]] = Field(
        default={},
        description="Pictures of all results are deleted after so many days, by role; those of "
        "roles not named are kept.",
    )


class DriftSettings(Section):
    """What is done about instruments and specimens that change with time."""

    watch: bool = Field(
        True, description="The nightly job judges the control charts and raises what drifts."
    )
    retrain: bool = Field(
        False,
        description="Drift that is raised makes a candidate by itself; else people decide.",
    )


class ConductorSettings(Section):
    """Who does the work, on how many machines."""

    runner: Literal["local", "dask"] = Field(
        "local",
        description="Where scheduled flows do their batches: `local`, or on a `dask` cluster.",
    )
    dask_address: str | None = Field(
        None,
        description="Scheduler of the Dask cluster, `tcp://host:8786`; unset: one on this machine, "
        "for each flow run.",
    )
    lease_seconds: float = Field(
        120.0,
        ge=1,
        description="A machine that is silent for so long is taken for dead; others do its work.",
    )


class StorageSettings(Section):
    """Recordings and cells that lie in a storage, such as S3, and not on a disk."""

    places: tuple[str, ...] = Field(
        (),
        description="Where recordings may be fetched from, such as `s3://laboratory/`; else none.",
    )
    cells: str | None = Field(
        None,
        description="Where the cells are kept, such as `s3://laboratory/cells`; unset: in the "
        "home.",
    )
    options: dict[str, dict[str, Any]] = Field(
        default={}, description="What fsspec needs to know of a kind of storage, by its name."
    )
    cache_folder: Path | None = Field(
        None, description="Where copies of what was fetched are kept; unset: `cache` in the home."
    )
    cache_gigabytes: float = Field(
        50.0, gt=0, description="Copies beyond this are dropped, longest unused first."
    )

    @field_validator("cells")
    @classmethod
    def _is_a_place(cls, given: str | None) -> str | None:
        if given and not (is_address(given) and is_plain(given)):
            raise ValueError("it must be an address such as s3://laboratory/cells")
        return given or None
