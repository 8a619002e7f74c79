import cv2
import numpy as np
import pytest

from pipeline.still import dirt_share, text_lines


def bare():
    rows, columns = np.indices((240, 320))
    return (160 - 0.1 * columns + 0.05 * rows).astype(np.float32)


def test_a_shaded_picture_is_clean():
    assert dirt_share(bare(), 150.0, 40.0) == 0
    assert text_lines(bare(), 150.0) == 0


def test_dirt_covers_its_share():
    image = bare()
    for x, y in ((50, 60), (160, 120), (260, 200)):
        cv2.circle(image, (x, y), 15, 90, -1)
    assert dirt_share(image, 150.0, 40.0) == pytest.approx(3 * np.pi * 15**2 / image.size, rel=0.2)
    assert text_lines(image, 150.0) == 0


@pytest.mark.parametrize("grey", [10, 250])
def test_text_of_either_colour_is_read_as_lines(grey):
    ink = np.zeros((240, 320), np.uint8)
    cv2.putText(ink, "SPECIMEN 12", (10, 30), 0, 0.5, 255, 1, cv2.LINE_AA)
    cv2.putText(ink, "2026-11-24 08:15:09", (100, 230), 0, 0.5, 255, 1, cv2.LINE_AA)
    image = bare() + (grey - bare()) * (ink / 255.0).astype(np.float32)
    assert text_lines(image, 150.0) == 2


def test_a_fibre_and_a_row_of_dirt_are_no_text():
    image = bare()
    cv2.line(image, (20, 30), (300, 60), 60, 3)
    for x in range(40, 300, 60):
        cv2.circle(image, (x, 180), 8, 60, -1)
    assert text_lines(image, 150.0) == 0
