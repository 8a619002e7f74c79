"""Any stream of pictures is safe to feed: cells or an error of ours, in bounded time and memory."""

import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from pipeline.recordings import open_recording
from pipeline.warm import warm
from pipeline.watch import Watched
from tests.pipeline import rendering

#: Of the whole process, libraries included (300 MB); a decoder may hold a few large frames.
MOST_MEGABYTES = 900
MOST_SECONDS = 60

INGEST_ALL = """
import re, sys, time
from pathlib import Path
from cellcensus.errors import CellcensusError
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.ingest import ingest
folder = Path(sys.argv[1])
for name in sorted(path.name for path in folder.iterdir()):
    print(name, end="\\t", flush=True)
    began = time.monotonic()
    try:
        found = ingest(
            name, folder=folder, acquisition=Acquisition(Mode(sys.argv[2]), 0.6, 50.0),
            hints=CellHints(), settings=IngestSettings(), out=folder.parent / "out" / name,
            specimen_id="U01", expects_cells=False,
        )
        result = f"cells:{found.n_cells}"
    except CellcensusError as error:
        result = error.code
    # Not ru_maxrss: it remembers the size of the process that started this one.
    most = int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
    print(result, round(time.monotonic() - began, 1), round(most), sep="\\t", flush=True)
"""


def ingested(folder, mode="flow"):
    """What became of each file: cells or a code; checks time, memory, and that nothing died."""
    done = subprocess.run(
        [sys.executable, "-c", INGEST_ALL, str(folder), mode],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    for name, _, seconds, megabytes in lines:
        assert float(seconds) < MOST_SECONDS, name
        assert float(megabytes) < MOST_MEGABYTES, name
    assert len(lines) == len(list(folder.iterdir()))
    return {name: result for name, result, _, _ in lines}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A good recording in each format; what reads them is compiled before time is taken."""
    warm()
    folder = tmp_path_factory.mktemp("samples")
    pictures = rendering.flowing_discs(frames=24)[0]
    for name, code in (("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "FFV1"), ("a.mov", "mp4v")):
        rendering.write_video(folder / name, pictures, code)
    rendering.write_stack(folder / "a.tif", pictures)
    rendering.write_rtdc(folder / "a.rtdc", pictures, with_background=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.integration
def test_files_cut_off_or_damaged_anywhere(samples, tmp_path):
    rng = np.random.default_rng(7)
    folder = tmp_path / "damaged"
    folder.mkdir()
    for name, content in samples.items():
        suffix, size = name[1:], len(content)
        for place in sorted({1, 16, 200, size // 3, size - 1, *rng.integers(1, size, 3).tolist()}):
            (folder / f"cut{place}{suffix}").write_bytes(content[:place])
        for place in (0, 40, size // 2, int(rng.integers(size))):
            noisy = bytearray(content)
            noisy[place : place + 64] = rng.bytes(min(64, size - place))
            (folder / f"noise{place}{suffix}").write_bytes(noisy)
        (folder / f"senseless{suffix}").write_bytes(rng.bytes(5000))
    results = ingested(folder)
    assert len(results) > 60
    assert any(result.startswith("cells:") for result in results.values())
    assert {"unreadable", "truncated"} <= set(results.values())


@pytest.mark.integration
def test_a_file_is_what_it_holds_not_what_it_is_called(samples, tmp_path):
    folder = tmp_path / "misnamed"
    folder.mkdir()
    for name, content in samples.items():
        for suffix in (".avi", ".mp4", ".tif", ".rtdc", ".png", ".dat"):
            if not name.endswith(suffix):
                (folder / f"{name[2:]}-as{suffix}").write_bytes(content)
    results = ingested(folder)
    # FFmpeg looks into a file, so that a video under another video's name is read.
    assert results["avi-as.mp4"] == results["avi-as.dat"]
    assert results["avi-as.mp4"].startswith("cells:")
    assert results["mp4-as.tif"] == results["tif-as.rtdc"] == results["rtdc-as.png"] == "unreadable"


def huge_picture(path, side=20_000):
    """A true PNG of ``side`` × ``side`` pixels, written row by row."""
    squeeze = zlib.compressobj(1)
    row = b"\0" + b"\x80" * side
    data = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.integration
def test_pictures_of_any_size_and_depth(tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    pictures = rendering.flowing_discs(frames=12)[0]
    deep = pictures.astype(np.uint16)
    colour = np.repeat(pictures[..., None], 3, axis=3)
    cv2.imwrite(str(folder / "one.png"), np.zeros((1, 1), np.uint8))
    tifffile.imwrite(folder / "one.tif", np.zeros((5, 1, 1), np.uint8))
    rendering.write_rtdc(folder / "one.rtdc", np.zeros((3, 1, 1), np.uint8))
    huge_picture(folder / "huge.png")
    tifffile.memmap(folder / "huge.tif", shape=(20_000, 20_000), dtype=np.uint8).flush()
    tifffile.imwrite(folder / "ten.tif", deep * 4, photometric="minisblack")
    tifffile.imwrite(folder / "sixteen.tif", deep * 257, photometric="minisblack")
    tifffile.imwrite(folder / "colour.tif", colour, photometric="rgb")
    tifffile.imwrite(folder / "float.tif", pictures / np.float32(255), photometric="minisblack")
    for name, frames in (
        ("alpha", np.concatenate([colour, np.full_like(colour[..., :1], 255)], axis=3)),
        ("deep", deep * 257),
    ):
        rendering.write_pictures(folder / name, frames)
    rendering.write_pictures(folder / "sizes", [*pictures[:5], pictures[5][:50], pictures[6]])
    results = ingested(folder, "fields")
    assert {results[name] for name in ("one.png", "one.tif", "one.rtdc")} == {"frame_too_small"}
    assert {results[name] for name in ("huge.png", "huge.tif")} == {"frame_too_large"}
    assert results.pop("sizes") == "frame_size_changes"
    good = ("ten.tif", "sixteen.tif", "colour.tif", "float.tif", "alpha", "deep")
    numbers = {int(results[name].removeprefix("cells:")) for name in good}
    assert len(numbers) == 1
    assert numbers.pop() > 10


@pytest.mark.integration
def test_any_ground_and_a_lamp_that_goes_out(tmp_path):
    """Cells that shine on black, and frames without light or with far too much of it."""
    folder = tmp_path / "light"
    folder.mkdir()
    pictures = rendering.flowing_discs(frames=60)[0]
    shining = 180 - np.minimum(pictures, 180)
    shining[shining <= 30] = 0
    off, full = pictures.copy(), pictures.copy()
    # Among them those that the background follows.
    off[9::10], full[9::10] = 0, 255
    cases = {
        "plain": pictures,
        "black": shining,
        "nearly": np.where(shining > 0, shining, pictures % 3),
        "deep": shining.astype(np.uint16) * 40,
        "off": off,
        "full": full,
        "off at first": np.concatenate([np.zeros_like(pictures[:5]), pictures]),
    }
    for name, frames in cases.items():
        rendering.write_stack(folder / f"{name}.tif", frames)
    results = ingested(folder)
    assert set(results.values()) == {results["plain.tif"]}
    assert results["plain.tif"].startswith("cells:")


@pytest.mark.integration
def test_streams_without_times_and_with_changing_sizes(tmp_path):
    """Bare JPEG pictures one after the other: no container, no times."""
    folder = tmp_path / "bare"
    folder.mkdir()
    pictures = rendering.flowing_discs(frames=30)[0]
    coded = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    small = [cv2.imencode(".jpg", picture[:48, :80])[1].tobytes() for picture in pictures[:9]]
    (folder / "plain.mjpeg").write_bytes(b"".join(coded))
    (folder / "changing.mjpeg").write_bytes(b"".join(coded[:9] + small + coded[9:]))
    results = ingested(folder)
    assert results["plain.mjpeg"].startswith("cells:")
    # FFmpeg brings every frame to the size of the first.
    assert results["changing.mjpeg"].startswith("cells:")


@pytest.mark.integration
def test_a_frame_rate_that_varies(tmp_path):
    """Frames that are missing, that come at the same time, and that come at any time."""
    folder = tmp_path / "rates"
    folder.mkdir()
    pictures = rendering.flowing_discs(frames=40)[0]
    rng = np.random.default_rng(0)
    lengths = {
        "even.mp4": [1] * 40,
        "gaps.mp4": [1 + 3 * (index % 9 == 5) for index in range(40)],
        "pairs.mp4": [2 * (index % 2) for index in range(40)],
        "stands.mp4": [0] * 40,
        "any.mp4": rng.integers(0, 50, 40).tolist(),
        "long.mp4": [1] * 20 + [10_000] + [1] * 19,
    }
    for name, factors in lengths.items():
        rendering.write_video(folder / name, pictures, "mp4v")
        rendering.change_times(folder / name, factors)
    with open_recording("any.mp4", folder=folder) as recording:
        assert len(set(np.diff([frame.time_s for frame in recording.frames()]))) > 10
    results = ingested(folder)
    # Nothing is reckoned by the times: the same cells, whatever they are.
    assert results["even.mp4"].startswith("cells:")
    assert set(results.values()) == {results["even.mp4"]}
    with open_recording("gaps.mp4", folder=folder) as recording:
        watched = Watched(recording)
        assert len(list(watched.frames())) == 40
    assert watched.figures()["dropped_frames"] == 3 * 4
