"""The loop over frames: in flow, detections become tracks; otherwise each one is a cell."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Mode
from pipeline.ahead import Aside
from pipeline.best import BestViews
from pipeline.figures import Figures
from pipeline.grounds import Ground
from pipeline.linking import Linker, Verdict, estimate_flow, judge, unknown_flow
from pipeline.rows import Rows
from pipeline.segment import Detections
from pipeline.shown import Shown
from pipeline.sightings import Sightings
from pipeline.views import Shot, View, shot_of

#: Pairs of detections that must agree before linking starts, and how long it may wait for them.
_ENOUGH_PAIRS, _PATIENCE, _MOST_WAITING = 400, 240, 4000
#: The background takes over this share of the difference every so many frames.
_RATE, _EVERY = 0.1, 10
#: A picture that shows two cells in one outline comes after every other.
_NOT_ALONE = 6.0
_CELL = int(Verdict.CELL)
#: A cell is seen apart from others in this share of its sightings, or counts as a piece.
_ALONE = 0.15


class Tracing(Protocol):
    """Takes frames, makes rows."""

    rows: Rows
    figures: Figures
    preview: Shown

    def take(self, frame: Any) -> None:
        """Take the next frame."""

    def finish(self) -> None:
        """No more frames come: make the last rows."""


@dataclass
class Desk:
    """What is needed to take a census: set up once for a recording."""

    ground: Ground
    rows: Rows
    figures: Figures
    settings: IngestSettings
    shape: tuple[int, int]
    aside: Aside
    sightings: Sightings


class _Loop:
    """What both kinds share: segmentation of a frame and the bookkeeping around it."""

    def __init__(self, desk: Desk) -> None:
        self.ground = desk.ground
        self.rows = desk.rows
        self.figures = desk.figures
        self.settings = desk.settings
        self.shape = desk.shape
        self.aside = desk.aside
        self.sightings = desk.sightings
        self.preview = Shown(desk.settings.preview_frames, desk.ground.optics.shrink)
        self._seen = 0

    def _detect(self, frame: Any) -> Shot:
        background = self.ground.prepare(frame)
        found = self.ground.segmenter.detect(frame.pixels, frame.index)
        shot = shot_of(frame, found, background)
        self.figures.see(found)
        self._seen += 1
        return shot


class EachFrame(_Loop):
    """``fields`` and ``events``: what is in a frame is in no other."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._number = 0

    def take(self, frame: Any) -> None:
        """Every detection is a cell; in ``events``, the most central one."""
        shot = self._detect(frame)
        numbers = self._number + np.arange(len(shot.found))
        self._number += len(numbers)
        once = (frame.index, frame.index, 1)
        for index in self._chosen(shot.found):
            alone, name = not shot.found.touching[index], int(numbers[index])
            view = [(shot, index)]
            add = partial(self.rows.add, view, once, float("nan"), track=name, alone=alone)
            self.aside.do(add)
        self.sightings.see(shot.found, self.ground.optics.shrink, numbers)
        self.preview.offer(shot, numbers[:0])

    def _chosen(self, found: Detections) -> list[int]:
        height, width = self.shape
        if self.ground.mode is not Mode.EVENTS:
            # A cell whose centre lies beyond the border belongs to the field next to this one:
            # so that a cell of adjoining fields is counted exactly once.
            inside = (found.x >= 0) & (found.x <= width - 1)
            inside &= (found.y >= 0) & (found.y <= height - 1)
            return [int(index) for index in np.flatnonzero(inside)]
        if not len(found):
            return []
        away = np.hypot(found.x - width / 2, found.y - height / 2)
        return [int(np.argmin(away - np.sqrt(found.area / np.pi)))]

    def finish(self) -> None:
        """Wait for the last rows."""
        self.aside.close()
        if self.ground.mode is not Mode.EVENTS:
            self.figures.slight = self.rows.drop_slight()


class OverFrames(_Loop):
    """``flow``: detections are linked, and a track is a cell."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._linker: Linker | None = None
        self._best = BestViews(self.settings.views)
        self._waiting: deque[Shot] = deque()
        self._pending = 0

    def take(self, frame: Any) -> None:
        """Segment, then link at once, or wait until the flow is known."""
        shot = self._detect(frame)
        if self._linker is None:
            self._waiting.append(shot)
            self._pending += len(shot.found)
            if self._seen % 16 == 0:
                self._try_to_start(final=False)
        else:
            self._link(self._linker, shot)
        self._follow(shot)

    def _link(self, linker: Linker, shot: Shot) -> None:
        taken = linker.step(shot.found)
        shot.scores[~taken.alone] -= _NOT_ALONE
        self._best.take(shot, taken.owners, len(linker.tracks))
        numbers = taken.numbers
        hidden = linker.tracks[taken.hidden] if len(taken.hidden) else None
        self.aside.do(partial(self._write_down, shot.found, numbers, hidden))
        self.preview.offer(shot, numbers)
        if len(taken.ended):
            self._close(linker, taken.ended)

    def _write_down(self, found: Detections, numbers: NDArray[np.int64], hidden: Any) -> None:
        self.sightings.see(found, self.ground.optics.shrink, numbers)
        if hidden is not None:
            self.sightings.see_hidden(found.frame, hidden["number"], hidden["x"], hidden["y"])

    def _follow(self, shot: Shot) -> None:
        if self._seen % _EVERY == 0 and self.ground.background is not None:
            self.ground.follow(shot.pixels, shot.found, _RATE)

    def _try_to_start(self, final: bool) -> None:
        frames = [shot.found for shot in self._waiting]
        enough = self._pending >= _MOST_WAITING or self._seen >= _PATIENCE
        if not final and self._pending < _ENOUGH_PAIRS and not enough:
            return
        diameter = self._diameter(frames)
        flow = estimate_flow(frames, self.shape, diameter)
        settled = flow is not None and flow.pairs >= _ENOUGH_PAIRS
        if not (settled or enough or final):
            return
        self.figures.flow = flow or unknown_flow(diameter)
        self._linker = Linker(self.figures.flow, self.shape, diameter)
        while self._waiting:
            self._link(self._linker, self._waiting.popleft())

    def _diameter(self, frames: list[Detections]) -> float:
        areas = np.concatenate([found.area[~found.touching] for found in frames])
        if not areas.size:
            return 1.5 * self.ground.optics.diameter_px[0]
        return float(np.sqrt(4 * np.median(areas) / np.pi))

    def _close(self, linker: Linker, ended: NDArray[np.int64]) -> None:
        """Judge finished tracks, and have those drawn that are cells."""
        verdicts = judge(linker.tracks, ended, linker.scene)
        self.figures.verdicts += np.bincount(verdicts, minlength=len(Verdict))
        rows = ended[verdicts == _CELL]
        if len(rows):
            self.aside.do(partial(self._draw, linker.tracks.take(rows), self._best.views(rows)))
        self._best.forget(ended)
        linker.let_go(ended)

    def _draw(self, tracks: NDArray[Any], views: list[list[View]]) -> None:
        """Make the rows of tracks that are cells."""
        way = np.hypot(tracks["x"] - tracks["first_x"], tracks["y"] - tracks["first_y"])
        span = (tracks["last_frame"] - tracks["first_frame"]).astype(float)
        span[span == 0] = np.nan
        speeds = (way / span).tolist()
        self.figures.speeds += [speed for speed in speeds if isfinite(speed)]
        alone = (tracks["free"] >= _ALONE * tracks["length"]).tolist()
        names = ("first_frame", "last_frame", "length")
        frames = list(zip(*(tracks[name].tolist() for name in names), strict=True))
        numbers = tracks["number"].tolist()
        for place, best in enumerate(views):
            self.rows.add(
                best, frames[place], speeds[place], track=numbers[place], alone=alone[place]
            )

    def finish(self) -> None:
        """Link what waits, close what is open."""
        if self._linker is None:
            self._try_to_start(final=True)
        assert self._linker is not None
        rest = self._linker.finish()
        if len(rest):
            self._close(self._linker, rest)
        self.aside.close()
        self.figures.slight = self.rows.drop_slight()
