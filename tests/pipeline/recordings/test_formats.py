"""Every format gives the frames that were written."""

import cv2
import numpy as np
import pytest

from cellcensus.errors import RecordingError
from pipeline.recordings import open_recording, video
from tests.pipeline import rendering


@pytest.fixture(scope="module")
def pictures():
    return rendering.flowing_discs(frames=12)[0]


def read(path, folder):
    with open_recording(path, folder=folder) as recording:
        frames = list(recording.frames())
        assert [frame.index for frame in frames] == list(range(len(frames)))
        return recording, np.stack([frame.pixels for frame in frames])


@pytest.mark.parametrize(
    ("name", "fourcc", "tolerance"),
    [
        ("a.avi", "MJPG", 4),
        ("a.avi", "FFV1", 1),
        ("a.mp4", "mp4v", 8),
        ("a.mkv", "FFV1", 1),
        ("a.mov", "mp4v", 8),
    ],
)
def test_videos(tmp_path, pictures, name, fourcc, tolerance):
    rendering.write_video(tmp_path / name, pictures, fourcc)
    recording, found = read(name, tmp_path)
    assert found.shape == pictures.shape
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - pictures).mean() < tolerance
    assert recording.frame_rate_hz == pytest.approx(50)


def test_a_stack_of_8_bit(tmp_path, pictures):
    rendering.write_stack(tmp_path / "a.tif", pictures)
    recording, found = read("a.tif", tmp_path)
    assert np.array_equal(found, pictures)
    assert recording.bit_depth == 8


def test_a_stack_of_16_bit_keeps_every_level(tmp_path, pictures):
    deep = pictures.astype(np.uint16) * 257 - 3 * (pictures > 9)
    rendering.write_stack(tmp_path / "a.tiff", deep)
    recording, found = read("a.tiff", tmp_path)
    assert np.array_equal(found, deep)
    assert recording.bit_depth == 16


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_folder_of_pictures_in_the_order_of_their_numbers(tmp_path, pictures, suffix):
    rendering.write_pictures(tmp_path / "U01", pictures, suffix)
    (tmp_path / "U01" / "notes.txt").write_text("no picture")
    assert np.array_equal(read("U01", tmp_path)[1], pictures)


def test_a_glob_of_pictures(tmp_path, pictures):
    rendering.write_pictures(tmp_path / "U01", pictures)
    assert np.array_equal(read("U01/frame?.png", tmp_path)[1], pictures[:10])
    absolute = str(tmp_path / "U01" / "frame?.png")
    assert np.array_equal(read(absolute, tmp_path)[1], pictures[:10])


def test_events_of_wide_integers_are_16_bit(tmp_path, pictures):
    rendering.write_rtdc(tmp_path / "a.rtdc", pictures.astype(np.int32))
    assert read("a.rtdc", tmp_path)[0].bit_depth == 16


def test_colour_and_alpha_become_gray(tmp_path):
    folder = tmp_path / "colour"
    folder.mkdir()
    colour = np.zeros((16, 16, 4), np.uint8)
    colour[..., 2] = 200  # red, in OpenCV's order
    colour[..., 3] = 7
    cv2.imwrite(str(folder / "1.png"), colour)
    assert np.all(read("colour", tmp_path)[1] == round(0.299 * 200))


def test_events_are_flattened_by_their_own_background(tmp_path, pictures):
    rendering.write_rtdc(tmp_path / "plain.rtdc", pictures)
    assert np.array_equal(read("plain.rtdc", tmp_path)[1], pictures)
    rendering.write_rtdc(tmp_path / "flat.rtdc", pictures, with_background=True)
    recording, flat = read("flat.rtdc", tmp_path)
    assert recording.frame_rate_hz == 2000
    assert np.percentile(flat, 90) == pytest.approx(128, abs=2)
    assert flat[:, :, :8].astype(float).std() < pictures[:, :, :8].astype(float).std()


@pytest.mark.parametrize(
    ("name", "fourcc"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.mkv", "FFV1")]
)
@pytest.mark.parametrize("colour", [True, False])
def test_the_luma_plane_is_the_gray_picture(tmp_path, monkeypatch, pictures, name, fourcc, colour):
    writer = cv2.VideoWriter(
        str(tmp_path / name), cv2.VideoWriter.fourcc(*fourcc), 50, pictures.shape[:0:-1], colour
    )
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if colour else picture)
    writer.release()
    direct, found = read(name, tmp_path)
    monkeypatch.setattr("pipeline.recordings.video.direct_luma", lambda *_: None)
    _, converted = read(name, tmp_path)
    assert (direct._luma is not None) == (fourcc != "FFV1" or not colour)
    assert np.abs(found.astype(int) - converted).max() <= 2
    # Over three colours and back, a grey value is rounded down three times.
    assert np.abs(found.astype(int) - converted).mean() < 1.5


@pytest.mark.parametrize("kind", ["MJPG", "mp4v", "FFV1", "stack", "pictures", "rtdc"])
def test_a_frame_by_its_place_is_the_frame_that_comes_there(tmp_path, pictures, kind):
    name = {"MJPG": "a.avi", "mp4v": "a.mp4", "FFV1": "a.mkv"}.get(kind, "a.rtdc")
    match kind:
        case "stack":
            name = "a.tif"
            rendering.write_stack(tmp_path / name, pictures)
        case "pictures":
            name = "U01"
            rendering.write_pictures(tmp_path / name, pictures)
        case "rtdc":
            rendering.write_rtdc(tmp_path / name, pictures, with_background=True)
        case _:
            rendering.write_video(tmp_path / name, pictures, kind)
    _, all_of_them = read(name, tmp_path)
    with open_recording(name, folder=tmp_path) as recording:
        for index in (7, 8, 2, 0, 11, 0):
            frame = recording.frame(index)
            assert frame.index == index
            assert np.array_equal(frame.pixels, all_of_them[index])


def test_a_frame_that_is_not_there_is_refused(tmp_path, pictures):
    rendering.write_video(tmp_path / "a.avi", pictures)
    rendering.write_stack(tmp_path / "a.tif", pictures)
    for name in ("a.avi", "a.tif"):
        with (
            open_recording(name, folder=tmp_path) as recording,
            pytest.raises(RecordingError) as told,
        ):
            recording.frame(500)
        assert told.value.next_step


@pytest.mark.parametrize(("fourcc", "several"), [("FFV1", True), ("MJPG", False)])
def test_only_what_is_costly_is_decoded_by_several_threads_and_gives_the_same(
    tmp_path, monkeypatch, fourcc, several
):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs(frames=12)[0], fourcc)
    found = []
    for processors, neighbours in ((3, False), (1, False), (3, True)):
        monkeypatch.setattr(video.os, "cpu_count", lambda number=processors: number)
        monkeypatch.setattr(video, "alone", lambda busy=neighbours: not busy)
        with open_recording("a.avi", folder=tmp_path) as recording:
            pixels = np.stack([frame.pixels for frame in recording.frames()])
            found.append((recording._threads, pixels))
    assert [threads for threads, _ in found] == [3 if several else 1, 1, 1]
    assert all(np.array_equal(pixels, found[0][1]) for _, pixels in found)
