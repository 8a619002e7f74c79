"""A finding: one thing a person should know about a study, a specimen or a recording."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    VIOLATION = "violation"  # the study or specimen cannot be used as it is
    ALERT = "alert"  # usable, but somebody must look
    INFORMATION = "information"  # for the record


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Parameters
    ----------
    level
        How much it matters.
    code
        Stable word for machines, for example ``purity_out_of_range``.
    message
        What was found, one sentence, no patient data.
    action
        What to do about it.
    specimen_id, column
        Where, as far as known.
    """

    level: Level
    code: str
    message: str
    action: str
    specimen_id: str | None = None
    column: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """Plain values for JSON, in reading order."""
        return {
            "level": self.level.value,
            "specimen": self.specimen_id,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "action": self.action,
        }
