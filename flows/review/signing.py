"""Sign and release a report: the signature binds to what it says.

The file is published before the rows are kept, under a name that no row has yet: a process killed
in between leaves a file that nobody refers to, and the next signature writes over it.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cellcensus.errors import ReviewError
from cellcensus.files import write_bytes
from cellcensus.settings import Settings
from db import review as rows
from db.store import Store
from db.tables import ReportSignature, ReportVersion
from db.types import utc_now
from flows.contents import specimen_content
from flows.paths import signed_report_file
from flows.recounted import CORRECTED_FLAG
from flows.review.standing import Standing, blockers, read_standing, release_blockers
from flows.review.step import Actor, Seen, Step, changing
from flows.review.steps import counted
from flows.send import enqueue
from flows.subjects import gather_one
from flows.versions import draw_version, unsigned_content

if TYPE_CHECKING:
    from reports.content import SpecimenReport

REVIEWED, RELEASED = "reviewed", "released"
_SIGNED_STATE = {"preliminary": "reviewed", "final": "released", "corrected": "corrected"}


def sign(
    store: Store,
    settings: Settings,
    actor: Actor,
    study: str,
    specimen_id: str,
    *,
    meaning: str,
    seen: Seen,
) -> Seen:
    """Sign the result as it stands, with its corrections, as the next version of its report.

    Parameters
    ----------
    meaning
        ``released``: this person takes responsibility and lets it go. ``reviewed``: another
        person releases it; with two-person release the only meaning there is.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        Something keeps it from being signed; the message says what.
    """
    _check_meaning(settings, meaning, specimen_id)
    with changing(store, actor, study, specimen_id, seen) as step:
        standing = read_standing(step.session, step.specimen, step.current)
        now = counted(step, settings.home.resolve()) if step.current else None
        _check(step, blockers(standing, now), "signed")
        content = _content(step, settings)
        state = _state_of(standing, meaning)
        version = _add_version(step, settings, content, standing=standing, state=state)
        return _signed(step, settings, version, content, meaning=meaning)


def release(
    store: Store, settings: Settings, actor: Actor, study: str, specimen_id: str, *, seen: Seen
) -> Seen:
    """Release the version that was signed as reviewed; with two-person release, by another person.

    Raises
    ------
    StaleReviewError
        It was changed since ``seen``.
    ReviewError
        There is nothing to release, or this person has signed it already.
    """
    with changing(store, actor, study, specimen_id, seen) as step:
        standing = read_standing(step.session, step.specimen, step.current)
        _check(step, release_blockers(standing), "released")
        version = standing.versions[-1]
        if settings.review.two_person_release and any(
            signature.account_key == actor.key for signature in version.signatures
        ):
            raise step.refusal(
                "whoever signed a report cannot release it", "ask another person to release it"
            )
        content = unsigned_content(version)
        _check_unaltered(step, version, content)
        version.state = _state_of(standing, RELEASED)
        return _signed(step, settings, version, content, meaning=RELEASED)


def _check_meaning(settings: Settings, meaning: str, specimen_id: str) -> None:
    if meaning not in (REVIEWED, RELEASED):
        raise ReviewError(
            f"a signature cannot mean {meaning!r}",
            specimen_id=specimen_id,
            next_step="sign as reviewed or as released",
        )
    if meaning == RELEASED and settings.review.two_person_release:
        raise ReviewError(
            "this laboratory releases reports by two persons",
            specimen_id=specimen_id,
            next_step="sign it as reviewed; another person releases it",
        )


def _check(step: Step, found: tuple[str, ...], done: str) -> None:
    if found:
        reasons = " ".join(found).rstrip(".")
        raise step.refusal(f"this cannot be {done} now: {reasons}", "settle these and repeat")


def _check_unaltered(step: Step, version: ReportVersion, content: SpecimenReport) -> None:
    from reports.identity import report_sha256

    if report_sha256(content) != version.report_sha256:
        raise step.refusal(
            f"version {version.version} is not what was signed any more",
            "tell whoever runs the service, and sign the result again",
        )


def _content(step: Step, settings: Settings) -> SpecimenReport:
    subject = gather_one(step.session, step.study, step.specimen.specimen_id)
    if subject is None:
        raise step.refusal("the study's sheet does not list it any more", "add its row again")
    moved = rows.corrections(step.session, step.predicted.prediction.key)
    return specimen_content(replace(subject, corrections=moved), settings.home.resolve(), settings)


def _state_of(standing: Standing, meaning: str) -> str:
    if meaning == REVIEWED:
        return "preliminary"
    before = any(version.state in rows.RELEASED for version in standing.versions)
    return "corrected" if before else "final"


def _replaced(standing: Standing) -> str:
    """The report that a released one would replace, as it is printed; empty if there is none."""
    before = [version for version in standing.versions if version.state in rows.RELEASED]
    return f"R-{before[-1].report_sha256[:12]}" if before else ""


def _add_version(
    step: Step, settings: Settings, content: SpecimenReport, *, standing: Standing, state: str
) -> ReportVersion:
    from reports.identity import report_sha256
    from reports.pictures_kept import keep_pictures
    from reports.stored import as_values

    content = replace(content, replaces=_replaced(standing))
    version = ReportVersion(
        specimen_key=step.specimen.key,
        prediction_key=step.predicted.prediction.key,
        version=standing.versions[-1].version + 1 if standing.versions else 1,
        state=state,
        report_sha256=report_sha256(content),
        content=as_values(content),
        pictures=keep_pictures(content),
        drawn_with=settings.reports.model_dump(mode="json"),
        path="",
        file_sha256="",
    )
    step.session.add(version)
    step.session.flush()
    return version


def _signed(
    step: Step,
    settings: Settings,
    version: ReportVersion,
    content: SpecimenReport,
    *,
    meaning: str,
) -> Seen:
    """Add the signature, publish the file, hand a released version over, and keep it all."""
    moment = utc_now()
    step.session.add(
        ReportSignature(
            report_version_key=version.key,
            account_key=step.actor.key,
            full_name=step.actor.full_name,
            meaning=meaning,
            report_sha256=version.report_sha256,
            signed_at=moment,
        )
    )
    if version.state in rows.RELEASED:
        version.released_at = moment
    step.session.flush()
    step.session.refresh(version, ["signatures"])
    _publish(step, settings, version)
    before = {"state": step.review.signed_state}
    step.review.signed_state = _SIGNED_STATE[version.state]
    step.review.prediction_key = version.prediction_key
    if version.state in rows.RELEASED:
        enqueue(step.session, settings, version)
    return step.keep(
        "report.released" if meaning == RELEASED else "report.signed",
        before=before,
        after={**_identity(version), "meaning": meaning, "full_name": step.actor.full_name},
        reason="cells were reclassified" if CORRECTED_FLAG in content.flags else "",
    )


def _publish(step: Step, settings: Settings, version: ReportVersion) -> None:
    home = settings.home.resolve()
    file = signed_report_file(
        home,
        step.study,
        step.specimen.specimen_id,
        version.version,
        released=version.state in rows.RELEASED,
    )
    page = draw_version(version)
    version.path = file.relative_to(home).as_posix()
    version.file_sha256 = sha256(page).hexdigest()
    step.session.flush()
    write_bytes(file, page)


def _identity(version: ReportVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "state": version.state,
        "report_sha256": version.report_sha256,
        "file_sha256": version.file_sha256,
    }
