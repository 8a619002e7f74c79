import numpy as np

from pipeline.kernels.level import gain_over


def test_a_frame_without_light_can_be_divided_by():
    flat = np.zeros(400, np.uint8)
    places, inverse = np.arange(400), np.full(400, 1 / 160, np.float32)
    assert 0 < gain_over(flat, places, inverse) < 0.01
