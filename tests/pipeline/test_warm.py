from pipeline.kernels.frame import look_over
from pipeline.kernels.keep import keep_views
from pipeline.kernels.portrait import portray
from pipeline.linking.step import step
from pipeline.warm import warm


def test_what_every_recording_needs_is_compiled_for_8_and_16_bits():
    assert warm() == 12
    assert len(look_over.signatures) >= 2
    assert len(keep_views.signatures) >= 2
    assert portray.signatures
    assert step.signatures
