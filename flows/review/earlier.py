"""Earlier results of a donor, and whether the difference is more than both intervals allow."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from cellcensus.study import Specimen
from db.donors import OfDonor, earlier_specimens
from db.predictions import current_predictions
from flows.contents import estimate
from flows.review.bench import Counted, Delta, Earlier

if TYPE_CHECKING:
    from reports.content import Estimate

ALL = "leukocyte"


def earlier_results(
    session: Session, specimen: Specimen, counted: Counted | None
) -> tuple[Earlier, ...]:
    """Earlier specimens of the same donor in any study, newest first; none without a time.

    A released report's values go before those of an unsigned prediction.
    """
    if counted is None or specimen.acquired_at is None:
        return ()
    found = earlier_specimens(session, specimen.donor_id, specimen.acquired_at)
    results = (_earlier(session, other, counted) for other in found)
    return tuple(result for result in results if result is not None)


def delta(name: str, now: Estimate, before: Estimate) -> Delta:
    """Compare a value with an earlier one; intervals that do not meet are said."""
    known = all(isfinite(end) for value in (now, before) for end in (value.low, value.high))
    return Delta(name, now, before, known and (now.low > before.high or before.low > now.high))


def _earlier(session: Session, other: OfDonor, counted: Counted) -> Earlier | None:
    values = _released(session, other) or _predicted(session, other)
    if values is None:
        return None
    released, fractions, per_ul, total = values
    return Earlier(
        other.study,
        other.specimen.specimen_id,
        other.acquired_at,
        released,
        tuple(
            delta(row.cell_class, row.fraction, fractions[row.cell_class])
            for row in counted.rows
            if row.cell_class in fractions
        ),
        tuple(
            delta(row.cell_class, row.per_ul, per_ul[row.cell_class])
            for row in counted.rows
            if row.cell_class in per_ul
        ),
        delta(ALL, counted.total_per_ul, total),
    )


Values = tuple[bool, Mapping[str, "Estimate"], Mapping[str, "Estimate"], "Estimate"]


def _released(session: Session, other: OfDonor) -> Values | None:
    from flows.proof import defects_of
    from flows.released import newest_released
    from reports.stored import from_values

    version = newest_released(session, other.specimen.key)
    if version is None or defects_of(session, version):
        return None
    content = from_values(version.content)
    return (True, *_by_class(content.rows), content.total_per_ul)


def _predicted(session: Session, other: OfDonor) -> Values | None:
    found = current_predictions(session, other.specimen.study_key, other.specimen.key)
    if not found:
        return None
    prediction = found[0].prediction
    fractions = {row.cell_class: estimate(row, "fraction") for row in prediction.rows}
    per_ul = {row.cell_class: estimate(row, "per_ul") for row in prediction.rows}
    return False, fractions, per_ul, estimate(prediction, "total_per_ul")


def _by_class(content_rows: Any) -> tuple[dict[str, Estimate], dict[str, Estimate]]:
    return (
        {row.cell_class: row.fraction for row in content_rows},
        {row.cell_class: row.per_ul for row in content_rows},
    )
