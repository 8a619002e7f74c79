import math

import pytest

from cellcensus.study import Role, Specimen
from flows.reference import reference_fraction, reference_per_ul

CLASSES = ("a", "b")


def _specimen(**values):
    return Specimen("M1", "D1", Role.MIXED, "m.avi", **values)


@pytest.mark.parametrize(
    ("values", "fraction", "per_ul"),
    [
        ({"per_ul": {"a": 3000.0, "b": 1000.0}}, 0.75, 3000.0),
        # The analyser also saw cells of no class of the study.
        ({"per_ul": {"a": 3000.0, "b": 1000.0}, "wbc_per_ul": 5000.0}, 0.75, 3000.0),
        ({"percent": {"a": 75.0, "b": 25.0}, "wbc_per_ul": 8000.0}, 0.75, 6000.0),
        ({"per_ul": {"a": 3000.0}, "wbc_per_ul": 5000.0}, 0.6, 3000.0),
        ({"percent": {"a": 75.0}}, 0.75, math.nan),
        ({}, math.nan, math.nan),
    ],
)
def test_reference(values, fraction, per_ul):
    specimen = _specimen(**values)
    assert reference_fraction(specimen, "a", CLASSES) == pytest.approx(fraction, nan_ok=True)
    assert reference_per_ul(specimen, "a") == pytest.approx(per_ul, nan_ok=True)
