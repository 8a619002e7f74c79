"""The registry: what a model learned from, how well it does, and the decisions about it."""

from __future__ import annotations

from math import isfinite
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cellcensus.changeplan import read_plan
from cellcensus.errors import UsageError
from cellcensus.rights import Right
from db import jobs, registry
from db.tables import Decision, ModelVersion
from flows.jobs import KINDS
from flows.registry import promote_in, rollback_in, worst_class_error
from web import drawing
from web.drawing import environment
from web.pages.place import Configured, Database, ModelKeeper, Reader, Reason, go_to, say_no

router = APIRouter(default_response_class=HTMLResponse)

NO_REASON = UsageError(
    "No reason was given", next_step="Nothing was changed. Go back and say why; it is kept."
)


@router.get("/models")
def models_page(store: Database, visitor: Reader) -> Response:
    """All models, the champions first."""
    with store.reading() as session:
        found = registry.list_models(session)
        names = {model.key: model.model_id for model in found}
        return drawing.page(
            "pages/models.html",
            here="models",
            rows=[_row(model) for model in reversed(found)],
            decisions=_latest_decisions(found),
            names=names,
            standing=jobs.standing(session, kind="retrain"),
            kinds=KINDS,
            can_decide=visitor.can(Right.MODELS),
        )


@router.get("/models/{model_id}")
def model_page(model_id: str, store: Database, visitor: Reader) -> Response:
    """One model."""
    with store.reading() as session:
        model = _find(session, model_id)
        champion = registry.champion(session, model.classes)
        is_champion = champion is not None and champion.key == model.key
        before = registry.before_champion(session, model) if is_champion else None
        return drawing.page(
            "pages/model.html",
            here="models",
            model=model,
            card=model.card,
            roles=roles_of(model),
            errors=errors_of(model),
            against=_against(model),
            champion=champion,
            champion_errors=errors_of(champion) if champion and not is_champion else None,
            before=before,
            names={m.key: m.model_id for m in registry.list_models(session)},
            can_decide=visitor.can(Right.MODELS),
        )


@router.post("/models/{model_id}/promote")
def promote(
    request: Request,
    model_id: str,
    store: Database,
    settings: Configured,
    visitor: ModelKeeper,
    *,
    reason: Reason = "",
) -> Response:
    """Make a model the champion of its classes, if the plan of changes lets this person."""
    if not reason.strip():
        return say_no(request, NO_REASON, 422)
    try:
        plan = read_plan(settings)
        with store.unit_of_work(visitor.name) as session:
            model = _find(session, model_id)
            words = _signed(reason, visitor.full_name)
            promote_in(session, model.model_id, words, plan=plan, actor=visitor.name)
            session.commit()
    except UsageError as error:
        return say_no(request, error)
    return go_to(_address(model_id))


@router.post("/models/{model_id}/rollback")
def rollback(
    request: Request, model_id: str, store: Database, visitor: ModelKeeper, reason: Reason = ""
) -> Response:
    """Take the crown from this champion and give it back to the one before."""
    if not reason.strip():
        return say_no(request, NO_REASON, 422)
    try:
        with store.unit_of_work(visitor.name) as session:
            model = _find(session, model_id)
            if model.state != "champion":
                raise UsageError(
                    f"{model.model_id} is not the champion any more",
                    next_step="Reload the page of the models and look again.",
                )
            outcome = rollback_in(session, model, _signed(reason, visitor.full_name))
            session.commit()
    except UsageError as error:
        return say_no(request, error)
    return go_to(_address(str(outcome.model_id)))


def roles_of(model: ModelVersion) -> dict[str, int]:
    """How many specimens of each role it learned from."""
    counted: dict[str, int] = {}
    for entry in model.trained_on:
        counted[entry.get("role", "unknown")] = counted.get(entry.get("role", "unknown"), 0) + 1
    return counted


def errors_of(model: ModelVersion) -> dict[str, dict[str, Any]]:
    """Class → its held-out figures, in the reporting order."""
    held_out = model.card.get("held_out") or {}
    found = held_out.get("by_class") or {}
    return {name: found[name] for name in model.classes if name in found}


def _against(model: ModelVersion) -> dict[str, Any] | None:
    """What the newest comparison with a champion said, as the gate stored it."""
    for decision in reversed(model.decisions):
        figures = decision.details
        overall = figures.get("overall") or {}
        if {"candidate", "champion", "change", "low", "high"} <= set(overall):
            rows = {"mean over classes": overall, **(figures.get("classes") or {})}
            return {
                "rows": {name: row for name, row in rows.items() if isfinite(row["change"])},
                "donors": figures.get("donors"),
                "decision": decision,
            }
    return None


def _row(model: ModelVersion) -> dict[str, Any]:
    return {
        "model": model,
        "worst": worst_class_error(model),
        "studies": sorted({entry["study"] for entry in model.trained_on}),
    }


def _latest_decisions(models: Any) -> list[Decision]:
    found = [decision for model in models for decision in model.decisions]
    return sorted(found, key=lambda decision: decision.key, reverse=True)[:20]


def _find(session: Session, model_id: str) -> ModelVersion:
    model = registry.find_model(session, model_id)
    if model is None:
        raise HTTPException(404)
    return model


def _signed(reason: str, name: str) -> str:
    return f"{' '.join(reason.split())} ({name})"


def _address(model_id: str) -> str:
    return f"/models/{environment().filters['part'](model_id)}"
