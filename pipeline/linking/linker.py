"""Detections → tracks, one frame at a time.

Every track predicts where its cell is next. Predictions and detections are assigned to each other
at the least total cost (Kuhn 1955, "The Hungarian method"), within a gate. Tracks that are left
may be inside the blob of a neighbour, where they go on as expected, or may have slowed down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from pipeline.linking.flow import FlowField
from pipeline.linking.motion import (
    Expected,
    cost_of_flowing,
    cost_of_return,
    cost_of_slowing,
    expect,
)
from pipeline.linking.track import Track
from pipeline.segment import Detections

#: x, y, and whether the blob belongs to another track.
Place = tuple[float, float, bool]

#: Squared distance in standard deviations beyond which nothing is linked: 4.5 of them and a size.
_GATE = 25.0
#: Share of its radius within which a thing's heart lies.
_HEART = 0.6
#: Frames that a cell may be missing.
_MISSED = 2
#: Frames after which one that was lost amid the picture may still be found again.
_LOST = 12
#: Cost beyond which a find is another cell: 3 standard deviations.
_FOUND = 9.0


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
        self.lost: list[Track] = []
        self._first_frame: int | None = None
        self._last_frame = 0

    def step(self, found: Detections) -> tuple[list[Track], list[Track], NDArray[np.bool_]]:
        """Take the detections of the next frame.

        Returns
        -------
        owners : list of Track
            Track of each detection, in their order.
        ended : list of Track
            Tracks that can get no more detections.
        alone : (n,) bool
            Whether a detection shows its track's cell and no other.
        """
        if self._first_frame is None:
            self._first_frame = found.frame
        ahead = max(found.frame - self._last_frame, 1)
        self._last_frame = found.frame
        row_of = np.full(len(found), -1)
        alone = np.ones(len(found), bool)
        seen: set[int] = set()
        if self.active:
            expected = expect(self.active, self.flow, ahead)
            row_of = self._assign(expected, found)
            joined = self._join(expected, found, row_of)
            self._update(found, row_of, joined)
            alone = ~np.isin(row_of, list(joined))
            seen = {*row_of[row_of >= 0].tolist(), *joined}
        idle = [track for row, track in enumerate(self.active) if row not in seen]
        again = self._found_again(found, row_of, idle + self.lost, ahead)
        owners = self._owners(found, row_of, again)
        back = set(map(id, again.values()))
        self.lost = [track for track in self.lost if id(track) not in back]
        ended = self._age([track for track in idle if id(track) not in back], ahead)
        gone = set(map(id, ended))
        self.active = [track for track in self._tracks_after(owners) if id(track) not in gone]
        return owners, self._give_up(ended, ahead), alone

    def finish(self) -> list[Track]:
        """Give out the tracks still open at the end of the recording."""
        ended, self.active, self.lost = self.active + self.lost, [], []
        return ended

    # -- assignment ---------------------------------------------------------------------------

    def _assign(self, expected: Expected, found: Detections) -> NDArray[np.int64]:
        """Index of the track of each detection; −1 for none."""
        row_of = np.full(len(found), -1)
        if not len(found):
            return row_of
        _take(cost_of_flowing(expected, found, self.flow), row_of, np.arange(len(self.active)))
        taken = set(row_of.tolist())
        idle = [row for row in range(len(self.active)) if row not in taken]
        if idle and (row_of < 0).any():
            cost = cost_of_slowing(expected, found, self.flow, self.diameter)
            cost[:, row_of >= 0] = np.inf
            _take(cost[idle], row_of, np.array(idle))
        return row_of

    def _join(
        self, expected: Expected, found: Detections, row_of: NDArray[np.int64]
    ) -> dict[int, Place]:
        """Tracks that are inside one blob together, and where in it.

        A detection takes in the tracks that are expected inside it and have none of their own, as
        long as their areas add up to about its own.
        """
        guests: dict[int, list[int]] = {}
        taken = set(row_of.tolist())
        for row in range(len(self.active)):
            if row not in taken:
                index = _holder(found, float(expected.x[row]), float(expected.y[row]))
                if index >= 0:
                    guests.setdefault(index, []).append(row)
        joined: dict[int, Place] = {}
        for index, rows in guests.items():
            owner = [int(row_of[index])] if row_of[index] >= 0 else []
            members = _fitting(owner + rows, expected, float(found.area[index]))
            if not owner and not members:
                # Its size was misjudged: what is expected at the heart of a thing is that thing.
                members = self._at_heart(rows, expected, found, index)
            if (owner and len(members) < 2) or not members:
                continue
            if not owner:
                # Nobody's blob: the largest member hosts the others.
                members.sort(key=lambda row: -expected.area[row])
                row_of[index] = members[0]
            if len(members) > 1:
                joined.update(_placed(members, expected, found, index))
        return joined

    def _at_heart(
        self, rows: list[int], expected: Expected, found: Detections, index: int
    ) -> list[int]:
        away = np.hypot(expected.x[rows] - found.x[index], expected.y[rows] - found.y[index])
        nearest = int(np.argmin(away))
        return (
            [rows[nearest]] if away[nearest] < _HEART * np.sqrt(found.area[index] / np.pi) else []
        )

    def _update(
        self,
        found: Detections,
        row_of: NDArray[np.int64],
        joined: dict[int, Place],
    ) -> None:
        for row, sighting in zip(row_of.tolist(), found.sightings, strict=True):
            if row >= 0 and row not in joined:
                self.active[row].see(found.frame, sighting)
        for row, (x, y, guest) in joined.items():
            self.active[row].see_inside(found.frame, x, y, guest=guest)

    # -- life and death -----------------------------------------------------------------------

    def _age(self, idle: list[Track], ahead: int) -> list[Track]:
        """Those of the tracks without a detection that end or get lost."""
        ended: list[Track] = []
        if not idle:
            return ended
        expected = expect(idle, self.flow, ahead)
        for track, x, y in zip(idle, expected.x.tolist(), expected.y.tolist(), strict=True):
            track.missed += ahead
            outside = not self._within(x, y)
            if outside or track.missed > _MISSED:
                track.left_inside = not outside and self._stays(track)
                ended.append(track)
        return ended

    def _found_again(
        self, found: Detections, row_of: NDArray[np.int64], idle: list[Track], ahead: int
    ) -> dict[int, Track]:
        """Tracks without a detection that are continued by what nothing else explains.

        A cell that comes from nowhere and one that went nowhere are the same one, hidden meanwhile
        by others, if it may have gone on or slowed down from there to here.
        """
        new = [
            index for index in np.flatnonzero(row_of < 0).tolist() if self._is_inside(found, index)
        ]
        if not new or not idle:
            return {}
        expected = expect(idle, self.flow, ahead)
        cost = cost_of_return(expected, found, self.flow, self.diameter)[:, new]
        name_of = np.full(len(new), -1)
        _take(np.where(cost < _FOUND, cost, _GATE), name_of, np.arange(len(idle)))
        again = {new[place]: idle[name] for place, name in enumerate(name_of.tolist()) if name >= 0}
        for index, track in again.items():
            track.left_inside = False
            track.see(found.frame, found.sightings[index])
        return again

    def _is_inside(self, found: Detections, index: int) -> bool:
        return not self._leaves(float(found.x[index]), float(found.y[index]), -1.0)

    def _give_up(self, ended: list[Track], ahead: int) -> list[Track]:
        """Let what is lost amid the picture wait; give out what left it or waited for too long."""
        out = [track for track in ended if not track.left_inside]
        if self.lost:
            expected = expect(self.lost, self.flow, ahead)
            for track in self.lost:
                track.missed += ahead
            there = zip(expected.x.tolist(), expected.y.tolist(), strict=True)
            gone = [
                not self._within(x, y) or track.missed > _LOST
                for track, (x, y) in zip(self.lost, there, strict=True)
            ]
            out += [track for track, over in zip(self.lost, gone, strict=True) if over]
            self.lost = [track for track, over in zip(self.lost, gone, strict=True) if not over]
        self.lost += [track for track in ended if track.left_inside]
        return out

    def _within(self, x: float, y: float) -> bool:
        return 0 <= x <= self.shape[1] - 1 and 0 <= y <= self.shape[0] - 1

    def _stays(self, track: Track) -> bool:
        return not self._leaves(track.x[-1], track.y[-1], 1.0)

    def _leaves(self, x: float, y: float, sense: float) -> bool:
        """Whether a cell here could be outside one frame later (sense 1) or earlier (−1)."""
        speed = float(self.flow.speed_at(np.array([x]), np.array([y]))[0])
        reach = sense * (speed + 4 * self.flow.spread + 0.75 * self.diameter)
        there = (x + self.flow.direction[0] * reach, y + self.flow.direction[1] * reach)
        return not self._within(*there)

    def _owners(
        self, found: Detections, row_of: NDArray[np.int64], again: dict[int, Track]
    ) -> list[Track]:
        """Track of each detection, with a new one where there is none."""
        owners: list[Track] = []
        for index, row in enumerate(row_of.tolist()):
            owner = self.active[row] if row >= 0 else again.get(index)
            owners.append(self._begin(found, index, row_of) if owner is None else owner)
            if not owners[-1].visited:
                owners[-1].visited = self._within(*found.sightings[index][:2])
        return owners

    def _begin(self, found: Detections, index: int, row_of: NDArray[np.int64]) -> Track:
        track = Track([], [], [], [])
        track.see(found.frame, found.sightings[index])
        x, y = track.x[0], track.y[0]
        track.born_inside = found.frame != self._first_frame and not self._leaves(x, y, -1.0)
        if found.touching[index]:
            track.shared = self._whole_before(found, index, row_of)
        return track

    def _whole_before(self, found: Detections, index: int, row_of: NDArray[np.int64]) -> int:
        """In how many frames a neighbour in the same blob was seen as large as the blob is now."""
        blob = found.blob == found.blob[index]
        union = float(found.area[blob].sum())
        rows = row_of[blob]
        votes = [
            sum(area > 0.8 * union for area in self.active[row].area) for row in rows if row >= 0
        ]
        return max(votes, default=0)

    def _tracks_after(self, owners: list[Track]) -> list[Track]:
        known = set(map(id, self.active))
        return self.active + [owner for owner in owners if id(owner) not in known]


def _take(cost: NDArray[np.float64], row_of: NDArray[np.int64], names: NDArray[np.int64]) -> None:
    """Assign at least total cost; an assignment beyond the gate is none."""
    rows, columns = linear_sum_assignment(np.minimum(cost, _GATE))
    good = cost[rows, columns] < _GATE
    row_of[columns[good]] = names[rows[good]]


def _holder(found: Detections, x: float, y: float) -> int:
    """The detection whose box holds a point, the nearest if several; −1 for none."""
    if not len(found):
        return -1
    left, top, width, height = found.box.T
    inside = (left <= x) & (x <= left + width) & (top <= y) & (y <= top + height)
    if not inside.any():
        return -1
    return int(np.argmin(np.where(inside, np.hypot(found.x - x, found.y - y), np.inf)))


def _fitting(rows: list[int], expected: Expected, room: float) -> list[int]:
    """The first of some tracks that together fit into a blob: their union is at most 1.5 times it.

    Of a cell that is expected over another one only the part beside it counts.
    """
    kept: list[int] = []
    filled = 0.0
    for row in rows:
        adds = float(expected.area[row])
        for other in kept:
            apart = np.hypot(
                expected.x[row] - expected.x[other], expected.y[row] - expected.y[other]
            )
            reach = np.sqrt(expected.area[row] / np.pi) + np.sqrt(expected.area[other] / np.pi)
            adds *= min(float(apart / reach), 1.0)
        if filled + adds < 1.5 * room:
            kept.append(row)
            filled += adds
    return kept if kept and filled > 0.6 * room else []


def _placed(
    members: list[int], expected: Expected, found: Detections, index: int
) -> dict[int, Place]:
    """Members move on together by what the blob's centre differs from theirs."""
    weight = expected.area[members] / expected.area[members].sum()
    shift_x = float(found.x[index] - (weight * expected.x[members]).sum())
    shift_y = float(found.y[index] - (weight * expected.y[members]).sum())
    return {
        row: (float(expected.x[row]) + shift_x, float(expected.y[row]) + shift_y, number > 0)
        for number, row in enumerate(members)
    }
