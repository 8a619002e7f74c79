"""One change of a review: who makes it, what they had seen, and the unit of work it is made in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cellcensus.errors import ReviewError, StaleReviewError, UsageError
from db import review as rows
from db.audit import record
from db.predictions import Current, current_predictions
from db.store import Store
from db.tables import Review, Specimen


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: an account. ``name`` is what they log in with."""

    key: int
    name: str
    full_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody had before their eyes: the version of the review, and which prediction."""

    version: int
    prediction_key: int | None

    def __str__(self) -> str:
        return f"{self.version}.{self.prediction_key or 0}"

    @classmethod
    def parse(cls, text: str) -> Seen:
        """What ``str`` gave, as it comes back from a form.

        Raises
        ------
        UsageError
            It is none.
        """
        version, _, prediction = text.partition(".")
        if not (version.isdecimal() and prediction.isdecimal()):
            raise UsageError("the page does not say what it showed", next_step="load it again")
        return cls(int(version), int(prediction) or None)


@dataclass
class Step:
    """A change that is being made: the specimen's review is held until it ends."""

    session: Session
    actor: Actor
    study: str
    specimen: Specimen
    review: Review
    current: Current | None

    @property
    def predicted(self) -> Current:
        """The prediction in force.

        Raises
        ------
        ReviewError
            There is none.
        """
        if self.current is None:
            raise self.refusal("nothing was predicted for this specimen", "run the study first")
        return self.current

    def refusal(self, message: str, next_step: str) -> ReviewError:
        """Why this cannot be done, in words."""
        return ReviewError(message, specimen_id=self.specimen.specimen_id, next_step=next_step)

    def note(self, kind: str, *, subject: str = "", text: str = "") -> None:
        """Add a step of the review, about the prediction in force."""
        key = self.current.prediction.key if self.current else None
        rows.add_note(
            self.session,
            self.specimen.key,
            kind,
            self.actor.key,
            subject=subject,
            text=text,
            prediction_key=key,
        )

    def keep(
        self,
        action: str,
        *,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        reason: str = "",
    ) -> Seen:
        """Write the change into the trail, count it, and keep both; what is to be seen now."""
        version = rows.raise_version(self.review, self.actor.key)
        record(
            self.session,
            actor=self.actor.name,
            action=action,
            subject=f"specimen:{self.study}/{self.specimen.specimen_id}",
            before=before,
            after=after,
            reason=reason,
            model_id=self.current.model.model_id if self.current else None,
        )
        self.session.commit()
        return Seen(version, self.current.prediction.key if self.current else None)


@contextmanager
def changing(
    store: Store, actor: Actor, study: str, specimen_id: str, seen: Seen | None
) -> Iterator[Step]:
    """A unit of work on one specimen's review; nothing is kept unless the step says so.

    ``seen`` is compared with what stands now; ``None`` where it does not matter.

    Raises
    ------
    StaleReviewError
        Somebody else changed the review since, or another prediction is in force.
    UsageError
        There is no such specimen.
    """
    with store.unit_of_work(actor.name) as session:
        specimen = specimen_row(session, study, specimen_id)
        review = rows.lock_review(session, specimen.key)
        found = current_predictions(session, specimen.study_key, specimen.key)
        step = Step(session, actor, study, specimen, review, found[0] if found else None)
        if seen is not None:
            check_seen(step, seen)
        yield step


def specimen_row(session: Session, study: str, specimen_id: str) -> Specimen:
    """The row of a specimen.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    found = rows.find_specimen(session, study, specimen_id)
    if found is None:
        raise UsageError(
            f"study {study} has no specimen {specimen_id}",
            next_step="the ids stand in the first column of specimens.csv",
        )
    return found


def check_seen(step: Step, seen: Seen) -> None:
    """Refuse a change by somebody who has not seen what it would change.

    Raises
    ------
    StaleReviewError
        It was changed since.
    """
    review, current = step.review, step.current
    if review.version != seen.version:
        who = rows.account_name(step.session, review.changed_by)
        message = f"{who} changed this result at {review.changed_at:%Y-%m-%d %H:%M:%S} UTC"
        raise StaleReviewError(
            f"{message}, after you opened it; nothing of yours was kept",
            changed_by=who,
            changed_at=review.changed_at,
            specimen_id=step.specimen.specimen_id,
            next_step="load the page again, look at what was changed, and repeat",
        )
    if current is not None and current.prediction.key != seen.prediction_key:
        raise StaleReviewError(
            f"model {current.model.model_id} has predicted this specimen anew since you opened it; "
            "nothing of yours was kept",
            changed_by=f"model {current.model.model_id}",
            changed_at=current.prediction.created_at,
            specimen_id=step.specimen.specimen_id,
            next_step="load the page again and look at the new result",
        )


def reason_given(reason: str, specimen_id: str) -> str:
    """A reason without blanks around it.

    Raises
    ------
    ReviewError
        None was given.
    """
    if not reason.strip():
        raise ReviewError(
            "a reason is needed", specimen_id=specimen_id, next_step="say why in a few words"
        )
    return reason.strip()
