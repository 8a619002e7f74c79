import cv2
import numpy as np
import pytest

from pipeline.columns import FEATURES
from pipeline.features import measure

# A cell of 14 × 8 pixels as one would draw it: # is cytoplasm, @ is nucleus.
DRAWN = (
    "..............",
    "....######....",
    "..####@@####..",
    "..##@@@@@@##..",
    "..##@@@@@@##..",
    "..####@@####..",
    "....######....",
    "..............",
)


def drawn():
    letters = np.array([list(row) for row in DRAWN])
    mask = np.where(letters == ".", 0, 255).astype(np.uint8)
    contrast = np.where(letters == "@", -0.6, np.where(letters == "#", -0.2, 0.0))
    return contrast.astype(np.float32), mask


def test_every_feature_of_a_drawn_cell_by_hand():
    contrast, mask = drawn()
    values = measure(contrast, mask, 0.5)
    assert set(values) == set(FEATURES) - {"focus"}
    assert values["area_um2"] == 52 * 0.25
    assert values["diameter_um"] == pytest.approx(0.5 * np.sqrt(4 * 52 / np.pi))
    assert values["contrast_mean"] == pytest.approx((36 * -0.2 + 16 * -0.6) / 52)
    share = 16 / 52
    assert values["contrast_sd"] == pytest.approx(0.4 * np.sqrt(share * (1 - share)), rel=1e-5)
    # Second moments of rows of 6, 10, 10, 10, 10, 6 pixels, each pixel a square.
    xx = (2 * 17.5 + 4 * 82.5) / 52 + 1 / 12
    yy = (2 * (6 * 6.25 + 10 * 2.25 + 10 * 0.25)) / 52 + 1 / 12
    assert values["eccentricity"] == pytest.approx(np.sqrt(1 - yy / xx), rel=1e-6)
    assert 0.8 < values["solidity"] <= 1


def test_an_empty_mask_says_nothing():
    contrast, mask = drawn()
    assert all(np.isnan(value) for value in measure(contrast, 0 * mask, 0.5).values())


def cell(angle=0.0, scale=1.0):
    """An elliptic cell with an eccentric nucleus and grains, turned and magnified."""
    side = int(160 * scale)
    rows, columns = (np.indices((side, side)) - side / 2) / scale
    turned = np.deg2rad(angle)
    x = columns * np.cos(turned) + rows * np.sin(turned)
    y = rows * np.cos(turned) - columns * np.sin(turned)
    mask = ((x / 50) ** 2 + (y / 36) ** 2 < 1).astype(np.uint8) * 255
    contrast = -0.2 - 0.4 * (np.hypot(x - 12, y) < 18) + 0.05 * np.sin(x * 1.1) * np.sin(y * 1.1)
    return contrast.astype(np.float32), mask


@pytest.mark.parametrize(("angle", "scale"), [(90, 1.0), (33, 1.0), (0, 1.6), (57, 0.8)])
def test_turning_and_magnifying_change_nothing(angle, scale):
    reference = measure(*cell(), 0.1)
    turned = measure(*cell(angle, scale), 0.1 / scale)
    for name, value in reference.items():
        assert turned[name] == pytest.approx(value, rel=0.04), name


def test_grain_raises_granularity_and_lowers_texture():
    contrast, mask = cell()
    grain = np.random.default_rng(0).normal(0, 0.2, contrast.shape).astype(np.float32)
    plain, grainy = measure(contrast, mask, 0.1), measure(contrast + grain, mask, 0.1)
    assert grainy["granularity"] > 2 * plain["granularity"]
    assert grainy["texture"] < plain["texture"]


def test_a_hole_in_the_outline_lowers_solidity():
    mask = np.zeros((40, 40), np.uint8)
    cv2.circle(mask, (20, 20), 15, 255, -1)
    whole = measure(np.zeros(mask.shape, np.float32), mask, 1.0)["solidity"]
    mask[:, 18:22] = 0
    mask[18:22, 18:22] = 255
    assert measure(np.zeros(mask.shape, np.float32), mask, 1.0)["solidity"] < whole
