"""The loop over frames: in flow, detections become tracks; otherwise each one is a cell."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Mode
from pipeline.ahead import Helper
from pipeline.best import BestViews
from pipeline.figures import Figures
from pipeline.grounds import Ground
from pipeline.kernels.keep import Kept
from pipeline.linking import Linker, Verdict, estimate_flow, judge, unknown_flow
from pipeline.rows import Rows
from pipeline.segment import Detections
from pipeline.shown import Shown
from pipeline.sightings import Sightings
from pipeline.views import Shot

#: Pairs of detections that must agree before linking starts, and how long it may wait for them.
_ENOUGH_PAIRS, _PATIENCE, _MOST_WAITING = 400, 240, 4000
#: The background takes over this share of the difference every so many frames.
_RATE, _EVERY = 0.1, 10
#: A picture that shows two cells in one outline comes after every other.
_NOT_ALONE = 6.0
_CELL = int(Verdict.CELL)
#: A cell is seen apart from others in this share of its sightings, or counts as a piece.
_ALONE = 0.15
#: Views are kept of things up to this many of the largest cells wide.
_WIDEST = 2.5
#: Cells that are drawn together: each call into what is compiled takes some time of its own.
_TOGETHER = 32


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
    helper: Helper[Any]
    sightings: Sightings


class _Loop:
    """What both kinds share: segmentation of a frame and the bookkeeping around it."""

    def __init__(self, desk: Desk) -> None:
        self.ground = desk.ground
        self.rows = desk.rows
        self.figures = desk.figures
        self.settings = desk.settings
        self.shape = desk.shape
        self.helper = desk.helper
        self.sightings = desk.sightings
        optics = desk.ground.optics
        self.preview = Shown(desk.settings.preview_frames, optics.shrink)
        self._seen = 0
        longest = int(_WIDEST * optics.diameter_px[1]) + 8
        self._best = BestViews(desk.settings.views, longest, optics.level, optics.shrink)

    def _detect(self, frame: Any) -> Shot:
        background = self.ground.prepare(frame)
        found = self.ground.segmenter.detect(frame.pixels, frame.index)
        shot = Shot(frame.pixels, background.image, found)
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
        chosen = self._chosen(shot.found)
        for begin in range(0, len(chosen), _TOGETHER):
            self._draw(shot, chosen[begin : begin + _TOGETHER], numbers)
        self.sightings.see(shot.found, self.ground.optics.shrink, numbers)
        self.preview.offer(shot, numbers[:0])

    def _draw(self, shot: Shot, chosen: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        rows = np.full(len(numbers), -1)
        rows[chosen] = np.arange(len(chosen))
        self._best.take(shot, rows)
        kept = self._best.views(rows[chosen])
        self._best.forget(rows[chosen])
        once = np.tile([shot.found.frame, shot.found.frame, 1], (len(chosen), 1))
        unknown, alone = np.full(len(chosen), np.nan), ~shot.found.touching[chosen]
        add = partial(self.rows.add, kept, once, unknown, tracks=numbers[chosen], alone=alone)
        self.helper.do(add)

    def _chosen(self, found: Detections) -> NDArray[np.int64]:
        height, width = self.shape
        if self.ground.mode is not Mode.EVENTS:
            # A cell whose centre lies beyond the border belongs to the field next to this one:
            # so that a cell of adjoining fields is counted exactly once.
            inside = (found.x >= 0) & (found.x <= width - 1)
            inside &= (found.y >= 0) & (found.y <= height - 1)
            return np.flatnonzero(inside)
        if not len(found):
            return np.zeros(0, np.int64)
        away = np.hypot(found.x - width / 2, found.y - height / 2)
        return np.array([np.argmin(away - np.sqrt(found.area / np.pi))])

    def finish(self) -> None:
        """Wait for the last rows."""
        self.helper.finish()
        if self.ground.mode is not Mode.EVENTS:
            self.figures.slight = self.rows.drop_slight()


class OverFrames(_Loop):
    """``flow``: detections are linked, and a track is a cell."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._linker: Linker | None = None
        self._waiting: deque[Shot] = deque()
        self._pending = 0
        self._ended: list[NDArray[np.int64]] = []
        self._n_ended = 0

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
        shot.found.scores[~taken.alone] -= _NOT_ALONE
        self._best.take(shot, taken.owners)
        numbers = taken.numbers
        hidden = linker.tracks[taken.hidden] if len(taken.hidden) else None
        self.helper.do(partial(self._write_down, shot.found, numbers, hidden))
        self.preview.offer(shot, numbers)
        if len(taken.ended):
            self._ended.append(taken.ended)
            self._n_ended += len(taken.ended)
            if self._n_ended >= _TOGETHER:
                self._close(linker)

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

    def _close(self, linker: Linker) -> None:
        """Judge finished tracks, and have those drawn that are cells."""
        ended = np.concatenate(self._ended)
        self._ended, self._n_ended = [], 0
        verdicts = judge(linker.tracks, ended, linker.scene)
        self.figures.verdicts += np.bincount(verdicts, minlength=len(Verdict))
        rows = ended[verdicts == _CELL]
        if len(rows):
            self.helper.do(partial(self._draw, linker.tracks.take(rows), self._best.views(rows)))
        self._best.forget(ended)
        linker.let_go(ended)

    def _draw(self, tracks: NDArray[Any], views: Kept) -> None:
        """Make the rows of tracks that are cells."""
        way = np.hypot(tracks["x"] - tracks["first_x"], tracks["y"] - tracks["first_y"])
        span = (tracks["last_frame"] - tracks["first_frame"]).astype(float)
        span[span == 0] = np.nan
        speeds = way / span
        self.figures.speeds += speeds[np.isfinite(speeds)].tolist()
        frames = np.column_stack([tracks[name] for name in ("first_frame", "last_frame", "length")])
        alone = tracks["free"] >= _ALONE * tracks["length"]
        self.rows.add(views, frames, speeds, tracks=tracks["number"], alone=alone)

    def finish(self) -> None:
        """Link what waits, close what is open."""
        if self._linker is None:
            self._try_to_start(final=True)
        assert self._linker is not None
        self._ended.append(self._linker.finish())
        self._close(self._linker)
        self.helper.finish()
        self.figures.slight = self.rows.drop_slight()
