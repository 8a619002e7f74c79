"""Video range as OpenCV brings it to full range."""

import cv2
import numpy as np
import pytest

from pipeline.kernels.stretch import stretch


@pytest.mark.parametrize("number", [1, 1024, 5000])
def test_video_range_becomes_full_range_as_opencv_rounds_it(number):
    plane = np.random.default_rng(number).permutation(np.arange(number) % 256).astype(np.uint8)
    expected = cv2.addWeighted(plane, 255 / 219, plane, 0, -16 * 255 / 219 - 0.5).ravel()
    stretch(plane)
    assert np.array_equal(plane, expected)
