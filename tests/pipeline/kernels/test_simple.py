import cv2
import numpy as np

from pipeline.kernels.simple import simplify
from pipeline.outlines import Outlines
from tests.pipeline.kernels.test_borders import clouds


def test_few_corners_and_no_point_far_from_them():
    mask = (clouds((90, 120), 3, 4) > 0.3).astype(np.uint8)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outlines = Outlines.of(found)
    values, sizes = simplify(outlines.points, outlines.starts, 0.6, 2)
    assert sizes.sum() == len(values) < 0.6 * 2 * len(outlines.points)
    ends = np.cumsum(sizes)
    for outline, end, size in zip(outlines, ends, sizes, strict=True):
        corners = (values[end - size : end].reshape(-1, 1, 2) / 2).astype(np.float32)
        away = [abs(cv2.pointPolygonTest(corners, (float(x), float(y)), True)) for x, y in outline]
        assert max(away) <= 0.6 + 1e-6
        by_opencv = cv2.approxPolyDP(outline.reshape(-1, 1, 2), 0.6, closed=True)
        assert len(corners) <= 1.3 * len(by_opencv) + 3


def test_a_single_pixel_is_its_own_corner():
    values, sizes = simplify(np.array([[5, 7]], np.int32), np.array([0, 1]), 0.6, 3)
    assert values.tolist() == [15, 21]
    assert sizes.tolist() == [2]
    values, sizes = simplify(np.zeros((0, 2), np.int32), np.zeros(1, np.int64), 0.6, 1)
    assert len(values) == len(sizes) == 0
