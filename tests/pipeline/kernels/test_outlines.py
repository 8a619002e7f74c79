import cv2
import numpy as np

from pipeline.kernels.outlines import (
    AREA,
    HEIGHT,
    LEFT,
    SOLIDITY,
    TOP,
    WIDTH,
    X,
    Y,
    measure_outlines,
)


def blobs(seed):
    noise = np.random.default_rng(seed).normal(0, 1, (200, 300))
    mask = (cv2.GaussianBlur(noise, (0, 0), 3) > 0.06).astype(np.uint8)
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]


def measured(contours):
    starts = np.cumsum([0, *map(len, contours)])
    return measure_outlines(np.concatenate(contours).reshape(-1, 2), starts)


def test_outlines_are_measured_as_opencv_does_one_by_one():
    contours = blobs(1)
    assert len(contours) > 30
    for contour, row in zip(contours, measured(contours), strict=True):
        moments = cv2.moments(contour)
        if moments["m00"] > 0:
            centre = (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"])
            np.testing.assert_allclose(row[[X, Y]], centre, atol=1e-9)
        edge = len(contour) / 2 + 1
        hull = cv2.contourArea(cv2.convexHull(contour)) + edge
        assert row[AREA] == cv2.contourArea(contour) + edge
        assert row[SOLIDITY] == min(row[AREA] / hull, 1)
        assert tuple(row[[LEFT, TOP, WIDTH, HEIGHT]]) == cv2.boundingRect(contour)


def test_area_is_the_number_of_pixels_with_holes_filled():
    contours = blobs(2)
    for contour, row in zip(contours, measured(contours), strict=True):
        filled = cv2.drawContours(np.zeros((200, 300), np.uint8), [contour], -1, 1, cv2.FILLED)
        assert row[AREA] == max(filled.sum(), 1.5)


def test_a_single_pixel_and_a_line():
    pixel, line = np.array([[[5, 7]]], np.int32), np.array([[[2, 3]], [[3, 3]]], np.int32)
    table = measured([pixel, line])
    assert table[0].tolist() == [5, 7, 1.5, 1, 5, 7, 1, 1]
    assert table[1, [X, Y, AREA]].tolist() == [2.5, 3, 2]
