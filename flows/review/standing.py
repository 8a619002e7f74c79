"""What is decided about one specimen, and what keeps its report from being signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cellcensus.findings import Level
from db import findings
from db import review as rows
from db.predictions import Current
from db.review import Note
from db.tables import CellCorrection, Prediction, ReportVersion, Review, Specimen
from flows.recounted import Recounted
from flows.review.bench import BenchFlag
from flows.review.steps import UNCLASSIFIED


@dataclass(frozen=True)
class Standing:
    """What stands in the database about a specimen's review."""

    review: Review
    current: Current | None
    notes: tuple[Note, ...]
    versions: Sequence[ReportVersion]
    quarantine: findings.Quarantine | None
    bin_filled_at: int
    lost_corrections: int

    @property
    def signed(self) -> str:
        """What the newest version came to, if it still tells of what stands; else ``open``."""
        same = (
            self.current is not None and self.review.prediction_key == self.current.prediction.key
        )
        return self.review.signed_state if same else "open"

    @property
    def state(self) -> str:
        """The state of the review, as the work list has it."""
        return "on_hold" if self.review.on_hold else self.signed

    @property
    def hold(self) -> Note | None:
        """The open hold."""
        if not self.review.on_hold:
            return None
        return next(note for note in reversed(self.notes) if note.kind == "hold")

    @property
    def bin_seen_by(self) -> str:
        """Who looked at the unclassified cells as they are now."""
        seen = (note for note in reversed(self.notes) if self._is_bin_seen(note))
        return next((note.by for note in seen), "")

    def _is_bin_seen(self, note: Note) -> bool:
        current = self.current
        return (
            note.kind == "bin_seen"
            and current is not None
            and note.prediction_key == current.prediction.key
            and int(note.subject or 0) >= self.bin_filled_at
        )


def read_standing(session: Session, specimen: Specimen, current: Current | None) -> Standing:
    """Gather what stands."""
    aside = findings.quarantine_of(session, specimen.key)
    key = current.prediction.key if current else 0
    return Standing(
        rows.read_review(session, specimen.key),
        current,
        tuple(rows.notes(session, specimen.key)),
        rows.versions(session, specimen.key),
        aside,
        rows.last_moved_to(session, key, UNCLASSIFIED),
        _lost(session, specimen.key, key),
    )


def flags_of(standing: Standing) -> tuple[BenchFlag, ...]:
    """The flags of the prediction in force, the most urgent first, with who accepted them."""
    from reports.glossary import flag_in_words

    if standing.current is None:
        return ()
    prediction = standing.current.prediction
    codes = [*prediction.flags, *(["held_out"] if prediction.held_out else [])]
    accepted = {
        note.subject: note
        for note in standing.notes
        if note.kind == "flag_accepted" and note.prediction_key == prediction.key
    }
    flags = []
    for words in map(flag_in_words, codes):
        note = accepted.get(words.code)
        answer = (note.by, note.made_at, note.text) if note else ()
        said = (words.code, words.title, words.meaning, words.action, words.level)
        flags.append(BenchFlag(*said, *answer))
    return tuple(sorted(flags, key=lambda flag: list(Level).index(flag.level)))


def blockers(standing: Standing, counted: Recounted | None) -> tuple[str, ...]:
    """Why the report cannot be signed now, one sentence each."""
    if counted is None or standing.current is None:
        return (*_set_aside(standing), "Nothing was predicted for this specimen yet.")
    found = [*_set_aside(standing)]
    if counted.unclassified and not standing.bin_seen_by:
        found.append(f"The {counted.unclassified} unclassified cells were not looked at.")
    found += [f"The flag “{f.title}” is open." for f in flags_of(standing) if f.open]
    if standing.signed != "open":
        number = standing.versions[-1].version
        found.append(f"Version {number} is signed, and nothing was changed since.")
    return tuple(found)


def release_blockers(standing: Standing) -> tuple[str, ...]:
    """Why the newest signed version cannot be released now, one sentence each."""
    if standing.signed == "reviewed":
        return _set_aside(standing)
    if standing.versions and standing.versions[-1].state == "preliminary":
        number = standing.versions[-1].version
        return (f"The result was changed since version {number} was signed; sign it again.",)
    return ("There is no signed version that waits for its release.",)


def _set_aside(standing: Standing) -> tuple[str, ...]:
    found = []
    if standing.quarantine is not None:
        found.append(f"The specimen is in quarantine: {standing.quarantine.reason}.")
    if standing.hold is not None:
        found.append(f"It is on hold by {standing.hold.by}: {standing.hold.text}")
    return tuple(found)


def _lost(session: Session, specimen_key: int, prediction_key: int) -> int:
    """Cells corrected on predictions that are not in force any more."""
    return (
        session.scalar(
            select(func.count(func.distinct(CellCorrection.cell_id)))
            .join(Prediction, Prediction.key == CellCorrection.prediction_key)
            .where(Prediction.specimen_key == specimen_key, Prediction.key != prediction_key)
        )
        or 0
    )
