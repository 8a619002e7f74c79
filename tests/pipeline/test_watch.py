from pathlib import Path

import numpy as np
import pytest

from cellcensus.errors import RecordingError
from pipeline.recordings import Frame, open_recording
from pipeline.watch import Watched
from tests.pipeline import rendering


class Made:
    """A recording made of arrays."""

    bit_depth = 8
    path = Path("made.avi")
    n_frames_stated = None

    def __init__(self, pictures, times=None):
        self.pictures, self.times = pictures, times
        self.height, self.width = pictures[0].shape

    def frames(self):
        for index, pixels in enumerate(self.pictures):
            yield Frame(index, pixels, self.times[index] if self.times else None)


def figures_of(pictures, times=None):
    watched = Watched(Made(pictures, times))
    assert len(list(watched.frames())) == len(pictures)
    return watched.figures()


def noisy(count, level=100, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(level - 9, level + 9, (32, 32)).astype(np.uint8) for _ in range(count)]


def test_a_good_recording_has_nothing_to_report():
    found = figures_of(noisy(10), [0.02 * index for index in range(10)])
    assert found["saturated_share"] == 0
    assert found["duplicated_frames"] == 0
    assert found["dropped_frames"] == 0


def test_saturation_is_a_share_of_the_picture():
    pictures = noisy(4)
    for picture in pictures:
        picture[:, :8] = 255
    assert figures_of(pictures)["saturated_share"] == pytest.approx(0.25)


def test_a_camera_of_12_bits_saturates_at_its_own_ceiling():
    pictures = [picture.astype(np.uint16) * 16 for picture in noisy(4)]
    for picture in pictures:
        picture[:, :8] = 4095
    made = Made(pictures)
    made.bit_depth = 16
    watched = Watched(made)
    list(watched.frames())
    assert watched.figures()["saturated_share"] == pytest.approx(0.25)


def test_repeated_frames_are_counted():
    pictures = noisy(6)
    pictures[3] = pictures[2]
    assert figures_of(pictures)["duplicated_frames"] == 1


def test_missing_frames_are_counted_by_their_times():
    times = [0.02 * index for index in (0, 1, 2, 3, 6, 7, 8, 10)]
    assert figures_of(noisy(8), times)["dropped_frames"] == 3


def test_black_recordings_are_refused(tmp_path):
    rendering.write_video(tmp_path / "a.avi", np.zeros((6, 32, 48), np.uint8))
    recording = open_recording("a.avi", folder=tmp_path)
    with recording, pytest.raises(RecordingError) as caught:
        list(Watched(recording).frames())
    assert caught.value.code == "all_black"
