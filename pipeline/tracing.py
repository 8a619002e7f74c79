"""The loop over frames: in flow, detections become tracks; otherwise each one is a cell."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellcensus.settings import IngestSettings
from cellcensus.study import Mode
from pipeline.ahead import Aside
from pipeline.figures import Figures
from pipeline.grounds import Ground
from pipeline.linking import Linker, Track, estimate_flow, unknown_flow
from pipeline.linking.judge import Verdict, judge
from pipeline.rows import Rows
from pipeline.segment import Detections
from pipeline.shown import Shown
from pipeline.sightings import Sightings
from pipeline.views import Shot, View, ViewFinder, keep_best

#: Pairs of detections that must agree before linking starts, and how long it may wait for them.
_ENOUGH_PAIRS, _PATIENCE, _MOST_WAITING = 400, 240, 4000
#: The background takes over this share of the difference every so many frames.
_RATE, _EVERY = 0.1, 10
#: A picture replaces another if it is better by this: a tenth more of focus.
_BETTER = 0.05
#: A picture that shows two cells in one outline comes after every other.
_NOT_ALONE = 6.0
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
    finder: ViewFinder
    rows: Rows
    figures: Figures
    settings: IngestSettings
    shape: tuple[int, int]
    aside: Aside
    sightings: Sightings | None = None


class _Loop:
    """What both kinds share: segmentation of a frame and the bookkeeping around it."""

    def __init__(self, desk: Desk) -> None:
        self.ground = desk.ground
        self.finder = desk.finder
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
        shot = self.finder.shot(frame, found, background)
        self.figures.see(found, shot.focus)
        self._seen += 1
        return shot

    def _write_down(
        self, shot: Shot, owners: Sequence[Track], open_tracks: Sequence[Track] = ()
    ) -> None:
        if self.sightings is not None:
            self.sightings.see(shot.found, self.ground.optics.shrink, owners, open_tracks)


class EachFrame(_Loop):
    """``fields`` and ``events``: what is in a frame is in no other."""

    def take(self, frame: Any) -> None:
        """Every detection is a cell; in ``events``, the most central one."""
        shot = self._detect(frame)
        for index in self._chosen(shot.found):
            alone = not shot.found.touching[index]
            view = self.finder.cut_out(shot, index)
            add = partial(self.rows.add, [view], [frame.index], float("nan"), alone=alone)
            self.aside.do(add)
        self._write_down(shot, [])
        self.preview.offer(shot, [])

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
        self._waiting: deque[tuple[Shot, list[View]]] = deque()
        self._pending = 0

    def take(self, frame: Any) -> None:
        """Segment, then link at once, or wait until the flow is known."""
        shot = self._detect(frame)
        if self._linker is None:
            views = [self.finder.cut_out(shot, index) for index in range(len(shot.found))]
            self._waiting.append((shot, views))
            self._pending += len(views)
            if self._seen % 16 == 0:
                self._try_to_start(final=False)
        else:
            self._link_and_keep(shot)
        self._follow(shot)

    def _link_and_keep(self, shot: Shot) -> None:
        owners, alone = self._link(shot.found)
        shot.scores -= np.where(alone, 0.0, _NOT_ALONE)
        number = self.settings.views
        for index, (owner, score) in enumerate(zip(owners, shot.scores.tolist(), strict=True)):
            if len(owner.views) < number or score > owner.views[-1].score + _BETTER:
                keep_best(owner.views, self.finder.cut_out(shot, index), number)
        self._write_down(shot, owners, self._linker.active if self._linker else ())
        self.preview.offer(shot, owners)

    def _follow(self, shot: Shot) -> None:
        if self._seen % _EVERY == 0 and self.ground.background is not None:
            free = _free(shot.found, self.shape)
            self.ground.follow(shot.pixels, shot.found.gain, free, _RATE)

    def _try_to_start(self, final: bool) -> None:
        frames = [shot.found for shot, _ in self._waiting]
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
            shot, views = self._waiting.popleft()
            owners, alone = self._link(shot.found)
            for owner, view, single in zip(owners, views, alone, strict=True):
                view.score -= 0.0 if single else _NOT_ALONE
                keep_best(owner.views, view, self.settings.views)
            self._write_down(shot, owners, self._linker.active)
            self.preview.offer(shot, owners)

    def _diameter(self, frames: list[Detections]) -> float:
        areas = np.concatenate([found.area[~found.touching] for found in frames])
        if not areas.size:
            return 1.5 * self.ground.optics.diameter_px[0]
        return float(np.sqrt(4 * np.median(areas) / np.pi))

    def _link(self, found: Detections) -> tuple[list[Track], NDArray[np.bool_]]:
        assert self._linker is not None
        owners, ended, alone = self._linker.step(found)
        for track in ended:
            self._close(track)
        return owners, alone

    def _close(self, track: Track) -> None:
        assert self._linker is not None
        flow = self._linker.flow
        length = abs(flow.direction[0]) * self.shape[1] + abs(flow.direction[1]) * self.shape[0]
        verdict = judge(track, flow, self._linker.diameter, length)
        self.figures.verdicts[verdict.value] += 1
        if verdict is not Verdict.CELL or not track.views:
            return
        speed = _speed(track)
        if np.isfinite(speed):
            self.figures.speeds.append(speed)
        alone = track.free >= _ALONE * len(track)
        self.aside.do(partial(self.rows.add, track.views, track.frames, speed, alone=alone))

    def finish(self) -> None:
        """Link what waits, close what is open."""
        if self._linker is None:
            self._try_to_start(final=True)
        assert self._linker is not None
        for track in self._linker.finish():
            self._close(track)
        self.aside.close()
        self.figures.slight = self.rows.drop_slight()


def _speed(track: Track) -> float:
    """Mean speed over the track, pixels per frame; NaN of a single detection."""
    span = track.frames[-1] - track.frames[0]
    if span == 0:
        return float("nan")
    return float(np.hypot(track.x[-1] - track.x[0], track.y[-1] - track.y[0])) / span


def _free(found: Detections, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Where a frame shows background: outside the widened boxes of its detections."""
    free = np.ones(shape, np.uint8)
    for left, top, width, height in found.box.tolist():
        margin = 3 + max(width, height) // 8
        free[
            max(top - margin, 0) : top + height + margin,
            max(left - margin, 0) : left + width + margin,
        ] = 0
    return free
