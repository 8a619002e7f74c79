"""How fast a census is, as ratios to rivals in the same run on the same machine.

Usage::

    python -m benchmarks.speed [--frames N] [--rounds N] [--rtdc FILE]

Prints, for recordings it renders itself with 30 cells a frame, the rate of the whole ingest against
decoding alone (OpenCV's own loop, with as many decoder threads as in the census) and against a
naive chain (decode, blur, threshold, label, crop), in wall and in processor time; the best of
several rounds of all three in turn, since other work on the machine comes and goes. The busier
thread's processor time is what wall time comes down to where two processors are free. For an event
file, the rate of segmentation and features against dcnum, and the areas of both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode, Polarity
from pipeline.recordings.video import decoder_threads, open_capture

CASES = {
    "1280×1024 mp4": (1280, 1024, "mp4v", ".mp4"),
    "640×480 mp4": (640, 480, "mp4v", ".mp4"),
    "640×480 FFV1": (640, 480, "FFV1", ".mkv"),
}


@dataclass(frozen=True)
class Timed:
    """Seconds of wall, of processor, and of the busier of this thread and all others."""

    wall: float
    processor: float
    busier: float
    result: Any


def timed(work: Callable[[], Any]) -> Timed:
    """Run once and time it."""
    wall, processor, own = time.perf_counter(), time.process_time(), time.thread_time()
    result = work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    own = time.thread_time() - own
    return Timed(wall, processor, max(own, processor - own), result)


def render(path: Path, width: int, height: int, code: str, frames: int) -> None:
    """Write a recording of discs that flow past, 30 in a frame."""
    rng = np.random.default_rng(1)
    speed, number = width / 8, int(30 * (frames / 8 + 1))
    start = rng.uniform(-speed * frames, width, number)
    lane = rng.uniform(20, height - 20, number)
    radius = rng.uniform(9, 16, number)
    colour = code == "FFV1"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 50, (width, height), colour)
    noise = rng.normal(0, 1.5, (height, width)).astype(np.float32)
    for frame in range(frames):
        light = np.ones((height, width), np.float32)
        for x, y, r in zip(start + speed * frame, lane, radius, strict=True):
            if -20 < x < width + 20:
                centre = (round(16 * x), round(16 * y))
                cv2.circle(light, centre, round(16 * r), 0.6, -1, cv2.LINE_AA, shift=4)
        picture = 165 * light + np.roll(noise, 37 * frame)
        grey = np.clip(picture, 0, 255).astype(np.uint8)
        writer.write(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) if colour else grey)
    writer.release()


def _frames(path: Path) -> Iterator[np.ndarray]:
    """OpenCV's own loop, with as many threads of the decoder as a census has."""
    capture = open_capture(path)
    threads = decoder_threads(capture)
    capture.release()
    capture = open_capture(path, threads)
    while True:
        good, frame = capture.read()
        if not good:
            break
        yield frame
    capture.release()


def _decode(path: Path) -> int:
    return sum(1 for _ in _frames(path))


def _census(path: Path) -> int:
    """The whole ingest: cells, pictures and sightings published on disk."""
    from pipeline.ingest import ingest

    return ingest(
        path.name,
        folder=path.parent,
        acquisition=Acquisition(Mode.FLOW, 0.4, 50.0),
        hints=CellHints((5.0, 20.0), Polarity.DARK),
        settings=IngestSettings(),
        out=path.parent / "out",
        specimen_id=path.stem,
    ).n_cells


def _naive(path: Path) -> int:
    """What one writes first: no background, no linking, every detection of every frame."""
    crops = 0
    for frame in _frames(path):
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        smooth = cv2.GaussianBlur(gray, (5, 5), 0)
        _, mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        for crop in _crops(gray, mask):
            crops += crop.size > 0
    return crops


def _crops(pixels: np.ndarray, mask: np.ndarray) -> Iterator[np.ndarray]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for index in range(1, count):
        left, top, width, height, area = stats[index]
        if area > 100:
            own = labels[top : top + height, left : left + width] == index
            part = np.where(own, pixels[top : top + height, left : left + width], 128)
            yield cv2.resize(part.astype(np.uint8), (48, 48), interpolation=cv2.INTER_AREA)


def video(frames: int, rounds: int) -> None:
    """Print the table of the video cases."""
    print(
        f"{'':<16}{'wall':>22}{'processor':>20}{'busier thread':>20}\n"
        f"{'recording':<16}{'fps':>6}{'/decode':>8}{'/naive':>8}"
        + 2
        * f"{'/decode':>12}{'/naive':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, (width, height, code, ending) in CASES.items():
            path = Path(folder) / f"{width}{code}{ending}"
            render(path, width, height, code, frames)
            _census(path)  # warm the file cache, load what was compiled
            runs = [
                [timed(partial(work, path)) for work in (_decode, _census, _naive)]
                for _ in range(rounds)
            ]
            line = f"{name:<16}{frames / min(one[1].wall for one in runs):>6.0f}"
            for room, what in ((8, "wall"), (12, "processor"), (12, "busier")):
                decode, census, naive = (
                    min(getattr(one, what) for one in column) for column in zip(*runs, strict=True)
                )
                line += f"{decode / census:>{room}.2f}{naive / census:>8.2f}"
            print(line, flush=True)


def events(path: Path, repeats: int = 10) -> None:
    """Print events per second and areas beside dcnum's, on its own kind of file."""
    import h5py
    import hdf5plugin  # noqa: F401 -- its filters unpack the file

    with h5py.File(path) as file:
        group = file["events"]
        images, grounds = np.asarray(group["image"]), np.asarray(group["image_bg"])
        size = float(file.attrs.get("imaging:pixel size", 0.34))
    _dcnum(images[:3], grounds[:3], size)  # it compiles itself on first use
    theirs = timed(lambda: [_dcnum(images, grounds, size) for _ in range(repeats)][-1])
    ours = timed(lambda: [_ours(images, grounds, size) for _ in range(repeats)][-1])
    areas, masks = theirs.result
    own, own_polygons = ours.result
    same = np.array([_polygon(mask) if mask is not None else np.nan for mask in masks])
    print(
        f"events: {len(images) * repeats / ours.wall:.0f}/s, dcnum "
        f"{len(images) * repeats / theirs.wall:.0f}/s, ratio {theirs.wall / ours.wall:.2f} "
        f"(processor {theirs.processor / ours.processor:.2f})"
    )
    for text, found in (
        ("area of dcnum's own masks as we measure outlines", same),
        ("area of our masks by dcnum's definition, through pixel centres", own_polygons),
        ("area as exported, whole pixels", own),
    ):
        share = found / areas
        print(
            f"  {text}, over dcnum's: median {np.nanmedian(share):.3f}, "
            f"within 3 %: {np.nanmean(np.abs(share - 1) < 0.03):.0%} of {np.isfinite(share).sum()}"
        )


def _polygon(mask: np.ndarray) -> float:
    """Area of the largest outline through pixel centres: ours less half a pixel all around."""
    from pipeline.kernels.outlines import AREA, measure_outlines

    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea).reshape(-1, 2)
    row = measure_outlines(np.ascontiguousarray(outline), np.array([0, len(outline)]))[0]
    return float(row[AREA] - len(outline) / 2 - 1)


def _dcnum(
    images: np.ndarray, grounds: np.ndarray, size: float
) -> tuple[np.ndarray, list[np.ndarray | None]]:
    from dcnum.feat.feat_brightness import brightness_features
    from dcnum.feat.feat_contour import moments_based_features
    from dcnum.feat.feat_texture import haralick_texture_features
    from dcnum.segm.segm_thresh import SegmentThresh

    segmenter = SegmentThresh(thresh=-6, kwargs_mask={"closing_disk": 2})
    areas = np.full(len(images), np.nan)
    kept: list[np.ndarray | None] = [None] * len(images)
    for index, (image, ground) in enumerate(zip(images, grounds, strict=True)):
        corrected = image.astype(np.int16) - ground
        labels = segmenter.process_labels(segmenter.segment_single(corrected))
        masks = np.array([labels == name for name in range(1, labels.max() + 1)])
        if not len(masks):
            continue
        largest = masks[[int(masks.sum(axis=(1, 2)).argmax())]]
        found = moments_based_features(largest, pixel_size=size)
        brightness_features(image=image[None], mask=largest, image_bg=ground[None])
        haralick_texture_features(mask=largest, image=image[None], image_corr=corrected[None])
        if len(found["area_msd"]):
            areas[index] = float(found["area_msd"][0])
            kept[index] = largest[0].astype(np.uint8)
    return areas, kept


def _ours(images: np.ndarray, grounds: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    from pipeline.background import Background
    from pipeline.features import measure
    from pipeline.kernels.edge import true_mask
    from pipeline.kernels.window import look, window_of
    from pipeline.optics import estimate_optics
    from pipeline.segment import Segmenter

    flat = np.clip(np.rint(images.astype(np.float32) - grounds + 128), 0, 255).astype(np.uint8)
    ground = Background(np.full(images.shape[1:], 128, np.float32))
    optics = estimate_optics(
        list(flat[:12]), [ground] * len(flat[:12]), diameter_px=(5 / size, 25 / size),
        polarity=Polarity.DARK, noise_factor=4.5,
    )  # fmt: skip
    segmenter = Segmenter(ground, optics, flat.dtype)
    areas, polygons = np.full((2, len(images)), np.nan)
    for index, frame in enumerate(flat):
        found = segmenter.detect(frame, index)
        if not len(found):
            continue
        best = int(np.argmax(found.area))
        window = window_of(found.box[best], frame.shape, max(frame.shape))
        contrast = np.empty(window[:1:-1], np.float32)
        mask = np.empty(window[:1:-1], np.uint8)
        light, outline = (found.gain, optics.level), (found.outlines[best], optics.shrink)
        look(frame, ground.image, window, light, outline, contrast, mask)
        mask = true_mask(contrast, mask, 1.0 + optics.shrink)
        areas[index] = measure(contrast, mask, size)["area_um2"] / size**2
        polygons[index] = _polygon(mask)
    return areas, polygons


def main(arguments: list[str]) -> int:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rtdc", type=Path)
    chosen = parser.parse_args(arguments)
    video(chosen.frames, chosen.rounds)
    if chosen.rtdc:
        events(chosen.rtdc)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
