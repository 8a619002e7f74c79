from pipeline.kernels.contours import find_borders
from pipeline.kernels.ground import mark_off
from pipeline.kernels.portrait import portray
from pipeline.linking.step import step
from pipeline.warm import warm


def test_what_every_recording_needs_is_compiled_for_8_and_16_bits():
    assert warm() == 12
    assert len(mark_off.signatures) >= 2
    assert len(portray.signatures) >= 2
    assert find_borders.signatures
    assert step.signatures
