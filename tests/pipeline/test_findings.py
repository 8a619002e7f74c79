"""Each finding is provoked by a recording that has the defect, and by no other of these."""

import cv2
import numpy as np
import pytest

from cellcensus.settings import IngestSettings, QualityLimits
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.census import take_census
from pipeline.quality import Quality, judge
from pipeline.recordings import Frame
from pipeline.watch import Watched

HEIGHT, WIDTH, SPEED, LEVEL = 160, 240, 24.0, 160.0
LANES = (25.0, 55.0, 85.0, 115.0)
FLOW = Acquisition(Mode.FLOW, 0.5, 50.0)
#: What a short film with few cells can say nothing of.
LIMITS = QualityLimits(fewest_cells=10)


class Made:
    bit_depth = 8
    path = "made.avi"
    n_frames_stated = None

    def __init__(self, pictures, times=None):
        self.pictures, self.times = pictures, times
        self.height, self.width = pictures[0].shape

    def frames(self):
        for index, pixels in enumerate(self.pictures):
            yield Frame(index, pixels, self.times[index] if self.times else None)


def cells(frame, gap=110.0, lanes=LANES, start=-20.0):
    """Where cells are: in each lane one after the other, ``gap`` pixels apart on average."""
    rng = np.random.default_rng(len(lanes))
    for y in lanes:
        for behind in np.cumsum(gap * rng.uniform(0.4, 1.6, 3600 // int(gap))):
            yield start - behind + SPEED * frame, y


def film(
    frames=90, *, places=cells, level=LEVEL, depth=0.4, radius=9.0, noise=1.0, blur=0.7, extra=None
):
    pictures = []
    for frame in range(frames):
        light = np.ones((HEIGHT, WIDTH), np.float32)
        for x, y in places(frame):
            if -30 < x < WIDTH + 30:
                centre = (round(16 * x), round(16 * y))
                cv2.circle(light, centre, round(16 * radius), 1 - depth, -1, cv2.LINE_AA, shift=4)
        if extra is not None:
            extra(light, frame)
        sigma = blur(frame) if callable(blur) else blur
        light = cv2.GaussianBlur(light, (0, 0), sigma)
        shade = level(frame) if callable(level) else level
        grain = np.random.default_rng(frame).normal(0, noise, light.shape)
        pictures.append(np.clip(np.rint(shade * light + grain), 0, 255).astype(np.uint8))
    return pictures


def codes(pictures, *, times=None, expects_cells=True, hints=None, **limits):
    watched = Watched(Made(pictures, times))
    census = take_census(
        watched,
        acquisition=FLOW,
        hints=hints or CellHints((7.0, 16.0)),
        settings=IngestSettings(window_um=20.0),
    )
    quality = Quality.of(census.figures | watched.figures())
    found = judge(
        quality, mode=Mode.FLOW, limits=LIMITS.model_copy(update=limits), specimen_id="U01",
        expects_cells=expects_cells,
    )  # fmt: skip
    return [finding.code for finding in found]


def bubble(light, frame):
    if frame % 30 < 14:
        cv2.circle(light, (-40 + 24 * (frame % 30), 90), 44, 0.5, -1, cv2.LINE_AA)


def dirt(light, frame):
    for x, y in ((40, 40), (120, 70), (200, 130), (90, 140)):
        cv2.ellipse(light, (x, y), (18, 13), 0, 0, 360, 0.55, -1)


def text(light, frame):
    ink = np.zeros(light.shape, np.uint8)
    cv2.putText(ink, f"LAB 7 12:03:{frame:02d}", (70, 155), 0, 0.5, 255, 1, cv2.LINE_AA)
    light *= 1 - 0.9 * (ink / np.float32(255))


def stick(frame):
    """Late in the recording some cells of the lowest lane stop where they touch the wall.

    Not as far apart as the others go in a frame: then they would look as if they flowed.
    """
    yield from cells(frame)
    for index in range(4):
        yield min(-20 - 90 * index + SPEED * (frame - 70), 220 - 34 * index), 143.0


def crowd(frame):
    return cells(frame, gap=75.0, lanes=tuple(np.arange(14.0, 150, 17.0)))


def clog(frame):
    """Hardly a cell in the first half, many in the second."""
    for x, y in cells(frame, gap=40.0):
        if SPEED * frame - x > 45 * SPEED or (x + y) % 7 < 1:
            yield x, y


PROVOKED = {
    "saturated": lambda: codes(film(level=262.0)),
    "low_contrast": lambda: codes(film(depth=0.1, noise=6.0), contrast_over_noise=8.0),
    "focus_drift": lambda: codes(film(noise=0.3, blur=lambda frame: 0.5 + 0.04 * frame)),
    "background_drift": lambda: codes(film(level=lambda frame: 160 - 0.8 * frame)),
    "flicker": lambda: codes(film(level=lambda frame: 160 + 9 * (-1) ** frame)),
    "few_pixels": lambda: codes(film(), diameter_px=40.0),
    "underexposed": lambda: codes(film(level=17.0, noise=0.4)),
    "bubbles": lambda: codes(film(extra=bubble)),
    "static_dirt": lambda: codes(film(extra=dirt)),
    "burnt_in_text": lambda: codes(film(extra=text)),
    "stuck_cells": lambda: codes(film(140, places=stick), stuck_share=0.02),
    "crowded": lambda: codes(film(places=crowd, radius=8.5)),
    "coincidence": lambda: codes(film(places=crowd, radius=8.5)),
    "uneven_rate": lambda: codes(film(120, places=clog), rate_variation=4.0),
    "few_cells": lambda: codes(film(), fewest_cells=1000),
    "dropped_frames": lambda: codes(film(), times=[0.02 * (i + (i > 40) * 5) for i in range(90)]),
    "duplicated_frames": lambda: codes([picture for picture in film(60) for _ in range(2)]),
    "blank_has_cells": lambda: codes(film(), expects_cells=False),
    "cells_larger_than_window": lambda: codes(film(), window_share=0.3),
}


def test_a_good_film_has_no_finding():
    assert codes(film()) == []


@pytest.mark.parametrize("code", PROVOKED)
def test_a_defect_is_found(code):
    assert code in PROVOKED[code]()
