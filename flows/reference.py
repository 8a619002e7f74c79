"""What the laboratory says a specimen's composition is, as shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cellcensus.study import Specimen


def reference_per_ul(specimen: Specimen, cell_class: str) -> float:
    """Cells per µL of one class; NaN if it is not known."""
    if cell_class in specimen.per_ul:
        return specimen.per_ul[cell_class]
    if cell_class in specimen.percent and specimen.wbc_per_ul is not None:
        return specimen.percent[cell_class] / 100 * specimen.wbc_per_ul
    return math.nan


def reference_fraction(specimen: Specimen, cell_class: str, classes: Sequence[str]) -> float:
    """Share of one class among the named classes, 0–1; NaN if it is not known.

    Predicted fractions add to 1 over the classes; so must the reference, or the cells that the
    analyser calls something else would look like an error of the prediction.
    """
    shares = [_share(specimen, name) for name in classes]
    value = shares[list(classes).index(cell_class)]
    if any(math.isnan(share) for share in shares):
        return value
    total = sum(shares)
    return value / total if total > 0 else math.nan


def _share(specimen: Specimen, cell_class: str) -> float:
    if cell_class in specimen.percent:
        return specimen.percent[cell_class] / 100
    total = specimen.wbc_per_ul or sum(specimen.per_ul.values())
    if cell_class in specimen.per_ul and total:
        return specimen.per_ul[cell_class] / total
    return math.nan
