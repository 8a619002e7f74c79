"""Detections → tracks, one frame at a time.

Every track predicts where its cell is next, from the flow of its lane and from how it moved so far.
Predictions and detections are assigned to each other at the least total cost (Hungarian
algorithm, Kuhn 1955), within a gate. What is left is tried again under other assumptions: a cell
that slowed down or stopped, and one that is hidden in the blob of a neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.linking.flow import FlowField
from pipeline.segment import Detections

#: Squared distance in standard deviations beyond which nothing is linked.
_GATE = 30.0
#: Frames that a cell may be missing, alone and hidden in a neighbour's blob.
_MISSED, _HIDDEN = 2, 6


@dataclass(slots=True)
class Track:
    """One cell over time.

    Parameters
    ----------
    frames, x, y, area
        Of each detection, in order.
    touching
        In how many frames it was cut out of a blob.
    born_inside
        First seen where no cell can come from: neither at the border nor in the first frame.
    views
        Whatever the caller keeps of the cell's pictures.
    """

    frames: list[int]
    x: list[float]
    y: list[float]
    area: list[float]
    touching: int = 0
    born_inside: bool = False
    born_beside: Track | None = None
    left_inside: bool = False
    surplus: float = 0.0
    missed: int = 0
    hidden: bool = False
    views: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frames)


class Linker:
    """Links detections of successive frames.

    Parameters
    ----------
    flow
        How the liquid moves.
    shape
        Height and width of a frame.
    diameter
        Usual diameter of a cell, pixels.
    """

    def __init__(self, flow: FlowField, shape: tuple[int, int], diameter: float) -> None:
        self.flow = flow
        self.shape = shape
        self.diameter = diameter
        self.active: list[Track] = []
        self._first_frame: int | None = None
        self._last_frame = -1

    def step(self, found: Detections) -> tuple[list[Track | None], list[Track]]:
        """Take the detections of the next frame.

        Returns
        -------
        owners : list of Track
            Track of each detection, in their order.
        ended : list of Track
            Tracks that can get no more detections.
        """
        if self._first_frame is None:
            self._first_frame = found.frame
        ahead = max(found.frame - self._last_frame, 1) if self.active else 1
        owners: list[Track | None] = [None] * len(found)
        if self.active:
            state = _State.of(self.active, self.flow, ahead)
            self._assign(state, found, owners)
        ended = self._age(found, owners, ahead)
        self._begin(found, owners)
        self._last_frame = found.frame
        return owners, ended

    def finish(self) -> list[Track]:
        """Give out the tracks still open at the end of the recording."""
        ended, self.active = self.active, []
        return ended

    # -- assignment ---------------------------------------------------------------------------

    def _assign(self, state: _State, found: Detections, owners: list[Track | None]) -> None:
        if not len(found):
            return
        cost = self._cost(state, found)
        _take(cost, _GATE, self.active, owners)
        taken = {id(owner) for owner in owners if owner is not None}
        idle = [index for index, track in enumerate(self.active) if id(track) not in taken]
        free = [index for index, owner in enumerate(owners) if owner is None]
        if idle and free:
            slower = self._cost_of_slowing(state, found)[np.ix_(idle, free)]
            part: list[Track | None] = [None] * len(free)
            _take(slower, _GATE, [self.active[index] for index in idle], part)
            for index, owner in zip(free, part, strict=True):
                owners[index] = owner
        for index, owner in enumerate(owners):
            if owner is not None:
                _append(owner, found, index)

    def _cost(self, state: _State, found: Detections) -> NDArray[np.float64]:
        dx = found.x[None, :] - state.x[:, None]
        dy = found.y[None, :] - state.y[:, None]
        along, across = self.flow.along(dx, dy), self.flow.across(dx, dy)
        size = np.log(found.area[None, :] / state.area[:, None]) / 0.3
        return (
            (along / state.spread[:, None]) ** 2
            + (across / state.cross[:, None]) ** 2
            # Cut by the border or merged, a cell's area may be anything: a bounded say.
            + np.minimum(size**2, 9.0)
        )

    def _cost_of_slowing(self, state: _State, found: Detections) -> NDArray[np.float64]:
        """Cost where a cell may have moved any part of the way it was expected to."""
        dx = found.x[None, :] - state.last_x[:, None]
        dy = found.y[None, :] - state.last_y[:, None]
        along, across = self.flow.along(dx, dy), self.flow.across(dx, dy)
        expected = state.step[:, None]
        outside = np.maximum(along - expected, 0) + np.maximum(-along, 0)
        reach = max(0.12 * self.diameter, 1.0)
        size = np.log(found.area[None, :] / state.area[:, None]) / 0.2
        return (outside / reach) ** 2 + (across / reach) ** 2 + size**2

    # -- life and death -----------------------------------------------------------------------

    def _age(self, found: Detections, owners: list[Track | None], ahead: int) -> list[Track]:
        taken = {id(owner) for owner in owners if owner is not None}
        ended: list[Track] = []
        kept: list[Track] = []
        for track in self.active:
            if id(track) in taken:
                kept.append(track)
                continue
            track.missed += ahead
            x, y = self._expected(track)
            track.hidden = _inside_box(found, x, y)
            limit = _HIDDEN if track.hidden else _MISSED
            outside = not self._within(x, y, 0.0)
            if outside or track.missed > limit:
                track.left_inside = not outside
                ended.append(track)
            else:
                kept.append(track)
        self.active = kept
        return ended

    def _expected(self, track: Track) -> tuple[float, float]:
        vx, vy = velocity(track, self.flow)
        return track.x[-1] + vx * track.missed, track.y[-1] + vy * track.missed

    def _within(self, x: float, y: float, margin: float) -> bool:
        height, width = self.shape
        return margin <= x <= width - 1 - margin and margin <= y <= height - 1 - margin

    def _begin(self, found: Detections, owners: list[Track | None]) -> None:
        fresh = [index for index, owner in enumerate(owners) if owner is None]
        if not fresh:
            return
        touching = found.touching
        for index in fresh:
            x, y = float(found.x[index]), float(found.y[index])
            track = Track([found.frame], [x], [y], [float(found.area[index])])
            track.touching = int(touching[index])
            track.born_inside = found.frame != self._first_frame and not self._could_enter(x, y)
            owners[index] = track
            self.active.append(track)

    def _could_enter(self, x: float, y: float) -> bool:
        """Whether a cell seen here could have been outside the picture one frame ago."""
        speed = float(self.flow.speed_at(np.array([x]), np.array([y]))[0])
        reach = speed + 4 * self.flow.spread + 0.75 * self.diameter
        before_x = x - self.flow.direction[0] * reach
        before_y = y - self.flow.direction[1] * reach
        return not self._within(before_x, before_y, 0.0)


def velocity(track: Track, flow: FlowField) -> tuple[float, float]:
    """Expected displacement in one frame: the lane's, drawn to what the cell itself did."""
    x, y = np.array(track.x[-1:]), np.array(track.y[-1:])
    speed = float(flow.speed_at(x, y)[0])
    lane = (speed * flow.direction[0], speed * flow.direction[1])
    if len(track) < 2:
        return lane
    first = max(-4, -len(track))
    span = track.frames[-1] - track.frames[first]
    own = ((track.x[-1] - track.x[first]) / span, (track.y[-1] - track.y[first]) / span)
    trust = span / (span + 0.5)
    return (
        lane[0] + trust * (own[0] - lane[0]),
        lane[1] + trust * (own[1] - lane[1]),
    )


@dataclass(slots=True)
class _State:
    """Predictions of all active tracks as arrays of shape (n,)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    last_x: NDArray[np.float64]
    last_y: NDArray[np.float64]
    step: NDArray[np.float64]
    area: NDArray[np.float64]
    spread: NDArray[np.float64]
    cross: NDArray[np.float64]

    @classmethod
    def of(cls, tracks: list[Track], flow: FlowField, ahead: int) -> _State:
        table = np.array([_recent(track) for track in tracks])
        last_x, last_y, back_x, back_y, span, area, missed = table.T
        gap = missed + ahead
        speed = flow.speed_at(last_x, last_y)
        trust = span / (span + 0.5)
        safe = np.maximum(span, 1.0)
        vx = speed * flow.direction[0]
        vy = speed * flow.direction[1]
        vx = vx + trust * ((last_x - back_x) / safe - vx)
        vy = vy + trust * ((last_y - back_y) / safe - vy)
        # What is unknown of a speed shrinks as the cell shows its own.
        doubt = np.sqrt(gap) * np.where(span > 0, np.maximum(0.5 / safe, 0.3), 1.0)
        return cls(
            x=last_x + vx * gap,
            y=last_y + vy * gap,
            last_x=last_x,
            last_y=last_y,
            step=(vx * flow.direction[0] + vy * flow.direction[1]) * gap,
            area=area,
            spread=np.maximum(flow.spread * doubt * gap, 1.0),
            cross=np.maximum(flow.cross_spread * doubt * gap, 0.8),
        )


def _recent(track: Track) -> tuple[float, ...]:
    first = max(-4, -len(track.frames))
    return (
        track.x[-1],
        track.y[-1],
        track.x[first],
        track.y[first],
        track.frames[-1] - track.frames[first],
        track.area[-1],
        track.missed,
    )


def _take(
    cost: NDArray[np.float64], gate: float, tracks: list[Track], owners: list[Track | None]
) -> None:
    """Assign at least total cost; an assignment beyond the gate is none."""
    rows, columns = linear_sum_assignment(np.minimum(cost, gate))
    for row, column in zip(rows, columns, strict=True):
        if cost[row, column] < gate:
            owners[column] = tracks[row]


def _append(track: Track, found: Detections, index: int) -> None:
    track.frames.append(found.frame)
    track.x.append(float(found.x[index]))
    track.y.append(float(found.y[index]))
    track.area.append(float(found.area[index]))
    track.touching += int(found.touching[index])
    track.missed = 0


def _inside_box(found: Detections, x: float, y: float) -> bool:
    if not len(found):
        return False
    left, top, width, height = found.box.T
    inside = (left <= x) & (x <= left + width) & (top <= y) & (y <= top + height)
    return bool(inside.any())
