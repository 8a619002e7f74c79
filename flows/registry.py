"""Questions about models, and decisions on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from cellcensus.changeplan import ChangePlan, read_plan
from cellcensus.errors import UsageError
from db import registry
from db.tables import Decision, ModelVersion
from flows.context import Context, Outcome


def list_models(ctx: Context) -> list[dict[str, Any]]:
    """Every model, oldest first, in plain values."""
    with ctx.store.reading() as session:
        return [_line(model) for model in registry.list_models(session)]


def show_model(ctx: Context, model_id: str) -> dict[str, Any]:
    """One model: its card, what it was trained on, and the decisions taken about it.

    Raises
    ------
    UsageError
        There is none of that id.
    """
    with ctx.store.reading() as session:
        model = registry.get_model(session, model_id)
        return {
            **_line(model),
            "sha256": model.sha256,
            "path": str(ctx.home / model.path),
            "classes": list(model.classes),
            "trained_on": list(model.trained_on),
            "card": dict(model.card),
            "decisions": [_decision(decision) for decision in model.decisions],
        }


def promote(ctx: Context, model_id: str, reason: str = "") -> Outcome:
    """Make a model the champion of its classes; where the plan asks for it, this approves it.

    Raises
    ------
    UsageError
        There is none of that id, or the plan of changes does not let this person promote it.
    """
    plan = read_plan(ctx.settings)
    with ctx.store.unit_of_work() as session:
        words = reason or "promoted by hand"
        outcome = promote_in(session, model_id, words, plan=plan, actor=ctx.store.actor)
        session.commit()
    return outcome


def promote_in(
    session: Session, model_id: str, reason: str, *, plan: ChangePlan, actor: str
) -> Outcome:
    """The same in a unit of work that the caller commits; ``actor`` is who approves.

    Raises
    ------
    UsageError
        There is none of that id, or the plan of changes does not let this person promote it.
    """
    outcome = Outcome("promote")
    model = registry.get_model(session, model_id)
    outcome.model_id = model.model_id
    if model.state == "champion":
        outcome.skipped = 1
        outcome.notes.append(f"model {model.model_id} is the champion already")
        return outcome
    _check_approval(model, plan, actor)
    before = registry.crown(session, model, action="promote", reasons=[reason])
    outcome.done, outcome.promoted = 1, True
    replaced = f", in place of {before.model_id}" if before else ""
    outcome.notes.append(
        f"model {model.model_id} is the champion now{replaced}; "
        "`cellcensus predict STUDY` predicts with it, earlier predictions keep their model"
    )
    return outcome


def _check_approval(model: ModelVersion, plan: ChangePlan, actor: str) -> None:
    """With people named in the plan, only they promote, and only what passed the gate."""
    if not plan.approval:
        return
    if actor not in plan.approval:
        raise UsageError(
            f"{actor} may not approve a model",
            next_step=f"the plan of changes names {', '.join(plan.approval)}",
        )
    last = model.decisions[-1].action if model.decisions else "none"
    if model.state == "refused" or (model.state == "candidate" and last != "accept"):
        raise UsageError(
            f"model {model.model_id} did not pass the gate",
            next_step="`cellcensus retrain STUDY…` compares it with the champion",
        )


def rollback(ctx: Context, reason: str = "") -> Outcome:
    """Make the champion before the present one the champion again; its predictions come back.

    Where models for several sets of classes exist, the latest promotion is the one undone.

    Raises
    ------
    UsageError
        There is nothing to go back to.
    """
    with ctx.store.unit_of_work() as session:
        present = _latest_crowned(registry.champions(session))
        outcome = rollback_in(session, present, reason or "rolled back by hand")
        session.commit()
    return outcome


def rollback_in(session: Session, present: ModelVersion | None, reason: str) -> Outcome:
    """Undo the promotion of ``present``, a champion, in a unit of work that the caller commits.

    Raises
    ------
    UsageError
        There is nothing to go back to.
    """
    outcome = Outcome("rollback")
    before = registry.before_champion(session, present) if present else None
    if present is None or before is None:
        raise UsageError(
            "there is no earlier champion to go back to",
            next_step="`cellcensus models list` shows all; `models promote ID` chooses one",
        )
    registry.crown(session, before, action="rollback", reasons=[reason])
    outcome.done, outcome.model_id = 1, before.model_id
    outcome.notes.append(
        f"model {before.model_id} is the champion again, {present.model_id} retired"
    )
    return outcome


def _latest_crowned(champions: Any) -> ModelVersion | None:
    return max(
        champions,
        key=lambda model: max((d.key for d in model.decisions), default=0),
        default=None,
    )


def _line(model: ModelVersion) -> dict[str, Any]:
    return {
        "id": model.model_id,
        "state": model.state,
        "created_at": model.created_at.isoformat(timespec="seconds"),
        "studies": sorted({entry["study"] for entry in model.trained_on}),
        "specimens": len(model.trained_on),
        "held_out_worst_class_error_points": worst_class_error(model),
    }


def worst_class_error(model: ModelVersion) -> float | None:
    """Mean held-out error of the worst class, in points, as the model's card states it."""
    held_out = model.card.get("held_out") or {}
    errors = [
        found.get("mean_absolute_points") for found in (held_out.get("by_class") or {}).values()
    ]
    known = [float(error) for error in errors if error is not None]
    return max(known, default=None)


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "action": decision.action,
        "state": decision.state,
        "taken_at": decision.taken_at.isoformat(timespec="seconds"),
        "reasons": list(decision.reasons),
        "details": dict(decision.details),
    }
