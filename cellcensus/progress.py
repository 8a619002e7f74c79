"""How long work tells what it is doing, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the state of a long job: a bar on a terminal, a line in a log, or nobody."""

    def start(self, label: str, total: float) -> None:
        """A job of ``total`` units begins."""

    def advance(self, units: float = 1.0) -> None:
        """``units`` more are done."""

    def finish(self, note: str = "") -> None:
        """The job is over; ``note`` is one short phrase on its outcome."""


class Silent:
    """Nobody listens."""

    def start(self, label: str, total: float) -> None:
        """Ignore it."""

    def advance(self, units: float = 1.0) -> None:
        """Ignore it."""

    def finish(self, note: str = "") -> None:
        """Ignore it."""
