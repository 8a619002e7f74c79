"""Collecting findings while a study is read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from cellcensus.findings import Finding, Level


class Notes:
    """Findings in the order they are made, all of one place: the study, or one specimen.

    Parameters
    ----------
    specimen_id
        The specimen they concern; ``None``: the study as a whole.
    """

    def __init__(self, specimen_id: str | None = None) -> None:
        self.specimen_id = specimen_id
        self.findings: list[Finding] = []

    @property
    def unusable(self) -> bool:
        """Whether one of the findings is a violation."""
        return any(found.level is Level.VIOLATION for found in self.findings)

    def violation(self, code: str, message: str, action: str, column: str | None = None) -> None:
        """What it concerns cannot be used as it is."""
        self._add(Level.VIOLATION, code, message, action, column)

    def alert(self, code: str, message: str, action: str, column: str | None = None) -> None:
        """Usable, but somebody must look."""
        self._add(Level.ALERT, code, message, action, column)

    def information(self, code: str, message: str, action: str, column: str | None = None) -> None:
        """For the record."""
        self._add(Level.INFORMATION, code, message, action, column)

    def _add(self, level: Level, code: str, message: str, action: str, column: str | None) -> None:
        self.findings.append(Finding(level, code, message, action, self.specimen_id, column))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` where a known word is close, else nothing."""
    by_fold = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f" Did you mean {by_fold[close[0]]!r}?" if close else ""


def shown(value: object) -> str:
    """A value as it stands in a message: quoted, and cut if it is long."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "…")
