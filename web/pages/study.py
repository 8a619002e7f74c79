"""One study: how well it agrees with the analyser, what is quarantined, and work on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from cellcensus.rights import Right
from db import findings, jobs
from db.studies import latest_description
from flows.compared import Compared, compare_study
from flows.jobs import KINDS, Kind
from reports.charts.agreement import learning_chart
from reports.comparison import UNITS, Comparison, Unit, coefficient, compare
from reports.study import control_rows
from web import drawing, queries, stored
from web.pages.place import Configured, Database, Reader, study_row
from web.visitor import Visitor

router = APIRouter(default_response_class=HTMLResponse)

FIRST_SPECIMENS = 12
In = Literal["percent", "per_ul"]


@router.get("/studies/{study}/")
def study_page(
    study: str, store: Database, settings: Configured, visitor: Reader, unit: In = "percent"
) -> Response:
    """One study."""
    with store.reading() as session:
        row = study_row(session, study)
        counts = {item.name: item for item in queries.studies(session)}
        compared = compare_study(session, row.name)
        standing = jobs.standing(session, row.key)
        return drawing.page(
            "pages/study.html",
            here="studies",
            study=counts[row.name],
            described=latest_description(session, row.key),
            states=queries.STATES,
            findings=findings.open_findings(session, row.key),
            aside=findings.quarantined(session, row.key),
            stored=stored.stored_report(session, settings.home, row.key, None),
            newest=queries.work_list(session, queries.Filter(study=row.name), 1, FIRST_SPECIMENS),
            standing=standing,
            kinds=KINDS,
            askable=askable(visitor),
            last=jobs.last_ended(session, row.key),
            **_agreement(compared, UNITS[unit]),
        )


def askable(visitor: Visitor) -> list[Kind]:
    """The kinds of work this visitor may ask for on a study."""
    if not visitor.can(Right.RUN):
        return []
    found = [kind for kind in KINDS.values() if kind.of != "specimen"]
    return [kind for kind in found if kind.of == "study" or visitor.can(Right.MODELS)]


def _agreement(compared: Compared, unit: Unit) -> dict[str, Any]:
    found = [compare(name, compared.pairs, unit) for name in compared.study.classes]
    shown = [one for one in found if one.n]
    curve = compared.learning_curve
    return {
        "unit": unit,
        "units": UNITS.values(),
        "comparisons": shown,
        "worst": worst(shown),
        "donors": len({pair.donor_id for pair in compared.pairs}),
        "coefficient": coefficient,
        "model": compared.model,
        "limits": compared.limits,
        "curve": learning_chart(curve) if len(curve) > 1 else None,
        "controls": control_rows(compared.controls),
    }


def worst(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The class with the largest mean error."""
    return max(comparisons, key=lambda one: one.mean_error, default=None)
