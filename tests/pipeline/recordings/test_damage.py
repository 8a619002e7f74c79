"""Whatever is wrong with a file ends in a RecordingError that says so, never in a crash."""

import contextlib
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellcensus.errors import RecordingError
from pipeline.recordings import open_recording
from tests.pipeline import rendering


def exhaust(name, folder):
    with open_recording(name, folder=folder) as recording:
        return sum(1 for _ in recording.frames())


def code_of(name, folder):
    with pytest.raises(RecordingError) as caught:
        exhaust(name, folder)
    assert caught.value.next_step
    assert name.split("/")[-1] in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.tif", "a.rtdc", "a.png"])
def test_missing_empty_and_senseless_files(tmp_path, name):
    assert code_of(name, tmp_path) == "missing_file"
    (tmp_path / name).write_bytes(b"")
    assert code_of(name, tmp_path) == "empty_file"
    (tmp_path / name).write_bytes(b"this is a letter, not a recording\n" * 50)
    assert code_of(name, tmp_path) == "unreadable"


def test_a_video_cut_off_in_the_middle(tmp_path):
    pictures = rendering.flowing_discs(frames=40)[0]
    rendering.write_video(tmp_path / "whole.avi", pictures)
    content = (tmp_path / "whole.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    assert exhaust("whole.avi", tmp_path) == 40
    assert code_of("cut.avi", tmp_path) == "truncated"


def test_a_film_without_its_end_cannot_be_read(tmp_path):
    rendering.write_video(tmp_path / "whole.mp4", rendering.flowing_discs(frames=20)[0], "mp4v")
    content = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) // 2])
    assert code_of("cut.mp4", tmp_path) == "unreadable"


def test_a_stack_cut_off_in_the_middle(tmp_path):
    rendering.write_stack(tmp_path / "whole.tif", rendering.flowing_discs(frames=20)[0])
    content = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: len(content) // 2])
    assert exhaust("whole.tif", tmp_path) == 20
    assert code_of("cut.tif", tmp_path) == "truncated"


def test_pictures_of_changing_size(tmp_path):
    folder = tmp_path / "U01"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.zeros((32, 32), np.uint8))
    cv2.imwrite(str(folder / "2.png"), np.zeros((32, 40), np.uint8))
    with pytest.raises(RecordingError) as caught:
        exhaust("U01", tmp_path)
    assert caught.value.code == "frame_size_changes"


def test_frames_of_senseless_size(tmp_path):
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((1, 1), np.uint8))
    assert code_of("small.png", tmp_path) == "frame_too_small"


def test_a_false_size_asks_for_no_memory(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((32, 32), np.uint8))
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "a.png").write_bytes(content)
    assert code_of("a.png", tmp_path) == "frame_too_large"


def test_a_photograph_cut_off_in_the_middle(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jpg"), rendering.flowing_discs(frames=1)[0][0])
    content = (tmp_path / "a.jpg").read_bytes()
    assert exhaust("a.jpg", tmp_path) == 1
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    assert code_of("a.jpg", tmp_path) == "unreadable"


@pytest.mark.integration
def test_nothing_speaks_to_the_terminal(tmp_path):
    pictures = rendering.flowing_discs(frames=20)[0]
    rendering.write_video(tmp_path / "cut.mp4", pictures, "mp4v")
    rendering.write_video(tmp_path / "cut.avi", pictures)
    for suffix in (".png", ".jpg", ".bmp", ".tif"):
        cv2.imwrite(str(tmp_path / f"cut{suffix}"), pictures[0])
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    # A process of its own: what native libraries print escapes the capture of this one.
    done = subprocess.run(
        [sys.executable, "-c", _READ_ALL, str(tmp_path)], capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("6 refused\n", "")


_READ_ALL = """
import sys
from pathlib import Path
from cellcensus.errors import RecordingError
from pipeline.ingest import open_recording
refused = 0
for path in Path(sys.argv[1]).iterdir():
    try:
        with open_recording(path.name, folder=path.parent) as recording:
            list(recording.frames())
    except RecordingError:
        refused += 1
print(refused, "refused")
"""


def test_an_empty_folder(tmp_path):
    (tmp_path / "U01").mkdir()
    assert code_of("U01", tmp_path) == "missing_file"


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    pictures = rendering.flowing_discs(frames=8)[0]
    rendering.write_video(folder / "a.avi", pictures)
    rendering.write_video(folder / "a.mp4", pictures, "mp4v")
    rendering.write_stack(folder / "a.tif", pictures)
    rendering.write_rtdc(folder / "a.rtdc", pictures)
    cv2.imwrite(str(folder / "a.png"), pictures[0])
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.integration
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_damage_ends_in_frames_or_in_an_error_of_ours(samples, tmp_path_factory, data):
    name = data.draw(st.sampled_from(sorted(samples)))
    content = bytearray(samples[name])
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(1, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        noise = data.draw(st.binary(min_size=1, max_size=64))
        content[place : place + len(noise)] = noise
    folder = tmp_path_factory.mktemp("damaged")
    (folder / name).write_bytes(content)
    with contextlib.suppress(RecordingError):
        exhaust(name, folder)
