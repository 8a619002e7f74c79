import numpy as np
import pytest

from pipeline.kernels.glance import glance
from pipeline.kernels.level import round_into

CEILINGS = np.array([200, 255])


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (3, 1)])
def test_a_glance_counts_in_the_sample_alone(shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    sample = pixels[::4, ::4]
    brightest, above, size, _ = glance(pixels, 4, CEILINGS)
    assert brightest == sample.max()
    assert above.tolist() == [np.count_nonzero(sample >= ceiling) for ceiling in CEILINGS]
    assert size == sample.size


def test_equal_samples_have_equal_marks_and_no_others():
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 4096, (24, 40)).astype(np.uint16)
    mark = glance(pixels, 4, CEILINGS)[3]
    beside = pixels.copy()
    beside[1, 1] += 1
    assert glance(beside, 4, CEILINGS)[3] == mark
    marks = {mark}
    for row in range(0, 24, 4):
        for column in range(0, 40, 4):
            other = pixels.copy()
            other[row, column] += 1
            marks.add(glance(other, 4, CEILINGS)[3])
    # The same pixels in another order are another frame.
    marks |= {glance(pixels[::-1].copy(), 4, CEILINGS)[3], glance(pixels[:, 4:], 4, CEILINGS)[3]}
    assert len(marks) == 1 + 60 + 2


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_does_not_fit_is_brought_to_the_nearest_that_does(kind):
    most = np.iinfo(kind).max
    values = np.array([[-5.0, 10.4, 10.6], [100.0, most - 9.0, 2.0 * most]], np.float32)
    result = np.zeros(values.shape, kind)
    round_into(result, values, 1.0, 10.0)
    assert result.tolist() == [[5, 20, 21], [110, most, most]]
    round_into(result, values, 0.5, -1.0)
    assert result[0].tolist() == [0, 4, 4]
