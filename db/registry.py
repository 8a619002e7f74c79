"""Model versions and the decisions taken about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cellcensus.errors import UsageError
from db import audit
from db.tables import Decision, ModelVersion


def family_of(classes: Sequence[str]) -> str:
    """Models of one family name the same classes, and can stand in for each other."""
    return "|".join(sorted(classes))


def add_model(
    session: Session,
    *,
    model_id: str,
    sha256: str,
    path: str,
    recipe: dict[str, Any],
    classes: Sequence[str],
    trained_on: Sequence[dict[str, str]],
    card: dict[str, Any],
    run_key: int | None,
) -> ModelVersion:
    """Add a trained model, as a candidate."""
    model = ModelVersion(
        model_id=model_id,
        sha256=sha256,
        path=path,
        recipe=recipe,
        family=family_of(classes),
        classes=list(classes),
        state="candidate",
        trained_on=list(trained_on),
        card=card,
        run_key=run_key,
    )
    session.add(model)
    session.flush()
    _record(session, model, "model.trained", after={"state": model.state, "sha256": sha256})
    return model


def find_model(session: Session, model_id: str) -> ModelVersion | None:
    """The model of that id."""
    return session.scalar(select(ModelVersion).where(ModelVersion.model_id == model_id))


def get_model(session: Session, model_id: str) -> ModelVersion:
    """The model of that id, or of the only id that begins so.

    Raises
    ------
    UsageError
        There is none, or several.
    """
    exact = find_model(session, model_id)
    if exact is not None:
        return exact
    like = [model for model in list_models(session) if model.model_id.startswith(model_id)]
    if len(like) == 1:
        return like[0]
    raise UsageError(
        f"{'no' if not like else 'more than one'} model is called {model_id!r}",
        next_step="`cellcensus models list` shows all ids",
    )


def list_models(session: Session) -> Sequence[ModelVersion]:
    """All models, oldest first."""
    return session.scalars(select(ModelVersion).order_by(ModelVersion.key)).all()


def champion(session: Session, classes: Sequence[str]) -> ModelVersion | None:
    """The model in force for studies with these classes."""
    return session.scalar(
        select(ModelVersion).where(
            ModelVersion.family == family_of(classes), ModelVersion.state == "champion"
        )
    )


def newest_candidate(session: Session, classes: Sequence[str]) -> ModelVersion | None:
    """The newest model of these classes that waits to be promoted or refused."""
    return session.scalars(
        select(ModelVersion)
        .where(ModelVersion.family == family_of(classes), ModelVersion.state == "candidate")
        .order_by(ModelVersion.key.desc())
        .limit(1)
    ).first()


def crown(
    session: Session,
    model: ModelVersion,
    *,
    action: str,
    reasons: Sequence[str],
    details: dict[str, Any] | None = None,
) -> ModelVersion | None:
    """Make ``model`` the champion of its family; the one it replaces, now retired."""
    before = champion(session, model.classes)
    if before is not None:
        if before.key == model.key:
            return None
        before.state = "retired"
        session.flush()
    model.state = "champion"
    session.add(
        Decision(
            model_key=model.key,
            action=action,
            state="champion",
            replaced_key=before.key if before else None,
            reasons=list(reasons),
            details=details or {},
        )
    )
    session.flush()
    _record(
        session,
        model,
        "model.rolled_back" if action == "rollback" else "model.promoted",
        before={"champion": before.model_id if before else None},
        after={"champion": model.model_id, "action": action},
        reasons=reasons,
    )
    return before


def refuse(
    session: Session, model: ModelVersion, *, reasons: Sequence[str], details: dict[str, Any]
) -> None:
    """Refuse a candidate and keep the reasons."""
    _judged(session, model, ("refuse", "refused", "model.refused"), reasons, details)


def accept(
    session: Session, model: ModelVersion, *, reasons: Sequence[str], details: dict[str, Any]
) -> None:
    """Write down that a candidate passed the gate; it stays one until somebody approves it."""
    _judged(session, model, ("accept", "candidate", "model.accepted"), reasons, details)


def _judged(
    session: Session,
    model: ModelVersion,
    verdict: tuple[str, str, str],
    reasons: Sequence[str],
    details: dict[str, Any],
) -> None:
    """Keep a verdict: the decision, the state after it, and how the audit trail names it."""
    action, state, told = verdict
    before, model.state = model.state, state
    session.add(
        Decision(
            model_key=model.key,
            action=action,
            state=state,
            reasons=list(reasons),
            details=details,
        )
    )
    session.flush()
    _record(session, model, told, before={"state": before}, after={"state": state}, reasons=reasons)


def _record(
    session: Session,
    model: ModelVersion,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
    reasons: Sequence[str] = (),
) -> None:
    audit.record(
        session,
        action=action,
        subject=f"model:{model.model_id}",
        before=before,
        after=after,
        reason="; ".join(reasons),
        model_id=model.model_id,
    )


def before_champion(session: Session, present: ModelVersion) -> ModelVersion | None:
    """The champion that ``present`` replaced when it last became one."""
    decision = session.scalars(
        select(Decision)
        .where(Decision.model_key == present.key, Decision.state == "champion")
        .order_by(Decision.key.desc())
        .limit(1)
    ).first()
    if decision is None or decision.replaced_key is None:
        return None
    return session.get(ModelVersion, decision.replaced_key)


def retired_by(session: Session, model: ModelVersion) -> str | None:
    """The action that last took the crown from ``model``; ``None`` if it is not retired."""
    if model.state != "retired":
        return None
    return session.scalar(
        select(Decision.action)
        .where(Decision.replaced_key == model.key)
        .order_by(Decision.key.desc())
        .limit(1)
    )


def champions(session: Session) -> Sequence[ModelVersion]:
    """The champion of each family."""
    return session.scalars(
        select(ModelVersion).where(ModelVersion.state == "champion").order_by(ModelVersion.key)
    ).all()
