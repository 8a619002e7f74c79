"""The outbox: what is to be sent, taken under a lease, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from cellcensus.errors import UsageError
from db.audit import record
from db.tables import OutboxMessage, ReportVersion, Specimen, Study
from db.tables.outbox import MESSAGE_STATES
from db.types import utc_now

LONGEST_ANSWER = 500


@dataclass(frozen=True, slots=True)
class Posted:
    """A message of the outbox with the report it carries."""

    message: OutboxMessage
    study: str
    specimen_id: str
    version: int

    @property
    def subject(self) -> str:
        """The report's specimen, as the audit trail names it."""
        return f"specimen:{self.study}/{self.specimen_id}"


def add_message(
    session: Session, version: ReportVersion, *, destination: str, control_id: str, body: str
) -> OutboxMessage:
    """Put one report version for one destination into the outbox."""
    message = OutboxMessage(
        report_version_key=version.key, destination=destination, control_id=control_id, body=body
    )
    session.add(message)
    session.flush()
    return message


def take_due(
    session: Session,
    destinations: Collection[str],
    *,
    now: datetime,
    lease_until: datetime,
    furthest: datetime | None = None,
) -> Posted | None:
    """Lease the oldest message that is due to one of ``destinations``; the caller commits.

    Nobody else is given it before ``lease_until``, so whoever sends must be done by then. A
    message waits for the earlier ones of the same specimen to the same destination: a corrected
    report never arrives before the one it corrects. What would wait until after ``furthest`` is
    due at once: no wait is so long, the clock was set back meanwhile.
    """
    query = (
        _posted()
        .where(
            OutboxMessage.state == "waiting",
            _is_due(now, furthest),
            OutboxMessage.destination.in_(destinations),
            ~_follows_another(),
        )
        .order_by(OutboxMessage.next_attempt_at, OutboxMessage.key)
        .limit(1)
        .with_for_update(skip_locked=True, of=OutboxMessage)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    posted = Posted(*row)
    posted.message.attempts += 1
    posted.message.next_attempt_at = lease_until
    posted.message.answer = ""  # until there is one, whoever looks knows that it is being sent
    session.flush()
    return posted


def acknowledge(session: Session, posted: Posted, answer: str) -> bool:
    """The receiver has it; ``False`` if the lease had run out and another sender took over."""
    return _end(session, posted, "acknowledged", answer)


def refuse(session: Session, posted: Posted, answer: str) -> bool:
    """The receiver does not want it; it is not sent again unless a person asks for it."""
    return _end(session, posted, "refused", answer)


def postpone(
    session: Session, posted: Posted, answer: str, *, until: datetime, others_until: datetime | None
) -> None:
    """Try again later; what else is due to the same destination waits until ``others_until``.

    The others wait less long than a message that failed often: one that its receiver cannot bear
    must not hold them up.
    """
    mine = session.execute(
        update(OutboxMessage)
        .where(_still_mine(posted))
        .values(next_attempt_at=until, answer=answer[:LONGEST_ANSWER])
    )
    if others_until is not None and mine.rowcount:  # type: ignore[attr-defined]
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.destination == posted.message.destination,
                OutboxMessage.state == "waiting",
                OutboxMessage.next_attempt_at <= others_until,
                OutboxMessage.key != posted.message.key,
            )
            .values(next_attempt_at=others_until)
        )


def messages(session: Session, *, state: str | None = None, limit: int = 1000) -> Sequence[Posted]:
    """The newest messages, newest first."""
    query = _posted().order_by(OutboxMessage.key.desc()).limit(limit)
    if state is not None:
        query = query.where(OutboxMessage.state == state)
    return [Posted(*row) for row in session.execute(query)]


def counts(session: Session) -> dict[str, int]:
    """State → how many messages are in it."""
    rows = session.execute(
        select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)
    ).tuples()
    return dict.fromkeys(MESSAGE_STATES, 0) | dict(rows.all())


def retry(session: Session, control_id: str, *, reason: str = "") -> Posted:
    """Let a refused or waiting message be sent at once.

    Raises
    ------
    UsageError
        There is no such message, it is being sent, it was acknowledged, or a later version of the
        report followed.
    """
    query = _posted().where(OutboxMessage.control_id == control_id)
    row = session.execute(query.with_for_update(of=OutboxMessage)).first()
    if row is None:
        raise UsageError(
            f"the outbox has no message {control_id}", next_step="`cellcensus outbox list`"
        )
    posted = Posted(*row)
    _check_retry(session, posted)
    before = {"state": posted.message.state, "answer": posted.message.answer}
    posted.message.state = "waiting"
    posted.message.next_attempt_at = utc_now()
    posted.message.ended_at = None
    record(
        session,
        action="report.resend",
        subject=posted.subject,
        before=before,
        after={"state": "waiting", **_told(posted)},
        reason=reason,
    )
    return posted


def _check_retry(session: Session, posted: Posted) -> None:
    if posted.message.state == "acknowledged":
        raise UsageError(
            f"message {posted.message.control_id} was acknowledged and is not sent again",
            next_step="a change of the report is signed and released as a corrected version",
        )
    if _is_being_sent(posted.message):
        raise UsageError(
            f"message {posted.message.control_id} is being sent",
            next_step="look again in a minute with `cellcensus outbox list`",
        )
    other, its_version = aliased(OutboxMessage), aliased(ReportVersion)
    mine = session.get_one(ReportVersion, posted.message.report_version_key)
    later = session.scalar(
        select(its_version.version)
        .join(other, other.report_version_key == its_version.key)
        .where(
            its_version.specimen_key == mine.specimen_key,
            its_version.version > mine.version,
            other.destination == posted.message.destination,
        )
    )
    if later is not None:
        raise UsageError(
            f"version {later} of this report followed; the older one is not sent after it",
            specimen_id=posted.specimen_id,
            next_step=f"send version {later} again, if that was refused",
        )


def _is_being_sent(message: OutboxMessage) -> bool:
    taken = message.state == "waiting" and message.attempts > 0 and not message.answer
    return taken and message.next_attempt_at > utc_now()


def _is_due(now: datetime, furthest: datetime | None) -> ColumnElement[bool]:
    due = OutboxMessage.next_attempt_at <= now
    return due if furthest is None else or_(due, OutboxMessage.next_attempt_at > furthest)


def _posted() -> Select[tuple[OutboxMessage, str, str, int]]:
    return (
        select(OutboxMessage, Study.name, Specimen.specimen_id, ReportVersion.version)
        .join(ReportVersion, ReportVersion.key == OutboxMessage.report_version_key)
        .join(Specimen, Specimen.key == ReportVersion.specimen_key)
        .join(Study, Study.key == Specimen.study_key)
    )


def _follows_another() -> ColumnElement[bool]:
    other, its_version = aliased(OutboxMessage), aliased(ReportVersion)
    return exists().where(
        other.destination == OutboxMessage.destination,
        other.state == "waiting",
        other.report_version_key == its_version.key,
        its_version.specimen_key == ReportVersion.specimen_key,
        its_version.version < ReportVersion.version,
    )


def _still_mine(posted: Posted) -> ColumnElement[bool]:
    # The number of the attempt tells whose lease it is: a later taker has raised it.
    return (
        (OutboxMessage.key == posted.message.key)
        & (OutboxMessage.state == "waiting")
        & (OutboxMessage.attempts == posted.message.attempts)
    )


def _end(session: Session, posted: Posted, state: str, answer: str) -> bool:
    answer = answer[:LONGEST_ANSWER]
    ended = session.execute(
        update(OutboxMessage)
        .where(_still_mine(posted))
        .values(state=state, answer=answer, ended_at=utc_now())
    )
    if not ended.rowcount:  # type: ignore[attr-defined]
        return False
    record(
        session,
        action="report.sent" if state == "acknowledged" else "report.refused",
        subject=posted.subject,
        after={"state": state, "answer": answer, **_told(posted)},
    )
    return True


def _told(posted: Posted) -> dict[str, object]:
    return {
        "destination": posted.message.destination,
        "control_id": posted.message.control_id,
        "version": posted.version,
        "attempts": posted.message.attempts,
    }
