from math import nan

import pytest

from cellcensus.settings import RangeSettings, ReportSettings
from reports.content import Estimate, ReferenceRange
from reports.ranges import Ranges, Standing, below_quantification, canonical, standing

LIMITS = ReferenceRange(1000, 4000, critical_low=500)


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(2000, 1500, 2500), Standing.WITHIN),
        (Estimate(5000, 4100, 6000), Standing.HIGH),
        (Estimate(5000, 3900, 6000), Standing.CROSSES),
        (Estimate(800, 700, 990), Standing.LOW),
        (Estimate(300, 200, 490), Standing.CRITICAL_LOW),
        (Estimate(300, 200, 510), Standing.LOW),
        (Estimate(900, nan, nan), Standing.CROSSES),
        (Estimate(nan, nan, nan), Standing.NO_RANGE),
    ],
)
def test_a_claim_needs_the_whole_interval(estimate, expected):
    assert standing(estimate, LIMITS) is expected


def test_ranges_are_set_in_thousands_and_used_in_cells():
    settings = ReportSettings(reference_ranges={"monocyte": RangeSettings(low=0.3, high=0.9)})
    ranges = Ranges(settings)
    assert ranges.of("Monocytes") == ReferenceRange(300, 900)
    assert ranges.of("NEUT") == ReferenceRange(1800, 7500, critical_low=500)
    assert ranges.of("blast") is None


def test_adult_ranges_are_withheld_from_the_young():
    assert Ranges(ReportSettings(), donor_age_years=17.9).of("neutrophil") is None
    assert Ranges(ReportSettings(), donor_age_years=18).of("neutrophil") is not None


def test_names_of_one_class():
    assert {canonical(n) for n in ("Lymphocytes", "lymph", "LYM", "lymphocyte")} == {"lymphocyte"}


def test_below_quantification_is_a_matter_of_certainty():
    assert below_quantification(Estimate(0.005, 0.0, 0.013), 0.2)
    assert not below_quantification(Estimate(0.58, 0.55, 0.61), 0.2)
    assert below_quantification(Estimate(0.0, 0.0, 0.004), 0.2)
    assert not below_quantification(Estimate(), 0.2)
