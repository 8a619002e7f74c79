"""``change_plan.yaml``: what a retrained model may change, its limits, and who must approve it.

A laboratory agrees on the plan before it retrains: what is outside is refused, what is inside
needs no new discussion. Without a plan the limits are those of the settings, everything but the
classes may change, no donors are kept apart and nobody needs to approve.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from cellcensus.errors import UsageError
from cellcensus.settings import GateSettings, Section, Settings


class MayChange(Section):
    """What may differ between the champion and a candidate."""

    training_data: bool = Field(True, description="Other studies, specimens or donors.")
    settings: bool = Field(True, description="Other settings of training.")
    generation: bool = Field(True, description="Another generation of training.")
    instruments: bool = Field(True, description="Specimens of instruments new to the champion.")
    classes: bool = Field(False, description="New or dropped classes.")


class Verification(Section):
    """Donors that no training ever sees, chosen once."""

    share: float = Field(0.0, ge=0, le=0.5, description="Share of the donors of mixed specimens.")
    fewest: int = Field(5, ge=1, description="Fewest of them that a candidate is judged by.")


class ChangePlan(Section):
    """The plan; every part has a default."""

    may_change: MayChange = MayChange()
    acceptance: GateSettings = GateSettings()
    verification: Verification = Verification()
    approval: tuple[str, ...] = Field(
        (), description="Who must approve a candidate that passed; empty: nobody."
    )


def read_plan(settings: Settings) -> ChangePlan:
    """The plan in force; limits it does not name are those of the settings.

    Raises
    ------
    UsageError
        The file named is missing, is not YAML, or holds what is no plan.
    """
    file = settings.change_plan_file()
    if not file.is_file():
        if settings.change_plan is not None:
            raise UsageError(
                "the plan of changes is missing",
                file=file,
                next_step="put it there, or unset CELLCENSUS_CHANGE_PLAN",
            )
        return ChangePlan(acceptance=settings.gate)
    content = _content(file)
    limits = content.get("acceptance") or {}
    if isinstance(limits, dict):
        content["acceptance"] = {**settings.gate.model_dump(), **limits}
    try:
        return ChangePlan.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"the plan of changes cannot be used: {name}: {first['msg']}",
            file=file,
            next_step="correct that entry",
        ) from error


def _content(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            "the plan of changes cannot be read as YAML", file=file, next_step="correct the file"
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            "the plan of changes is not a list of `key: value` lines",
            file=file,
            next_step="see the example in docs/retraining.md",
        )
    return content
