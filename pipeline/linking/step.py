"""One step of linking: the detections of a frame find their tracks.

Every track predicts where its cell is next. Predictions and detections are assigned to each other
at the least total cost (Kuhn 1955, "The Hungarian method"), within a gate. Tracks that are left
may be inside the blob of a neighbour, where they go on as expected, or may have slowed down.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.assign import assign
from pipeline.kernels.compiled import compiled
from pipeline.linking.flow import FlowField, lane_speed
from pipeline.linking.motion import (
    Expected,
    Seen,
    cost_of_flowing,
    cost_of_return,
    cost_of_slowing,
    expect,
)
from pipeline.linking.sharing import ALONE, GUEST, share
from pipeline.linking.track import Tracks, begin, see, see_inside, times_as_large

#: Squared distance in standard deviations beyond which nothing is linked: 4.5 of them and a size.
_GATE = 25.0
#: Frames that a cell may be missing.
_MISSED = 2
#: Frames after which one that was lost amid the picture may still be found again.
_LOST = 12
#: Cost beyond which a find is another cell: 3 standard deviations.
_FOUND = 9.0


class Scene(NamedTuple):
    """What does not change from frame to frame.

    Parameters
    ----------
    flow
        How the liquid moves.
    height, width
        Of a frame.
    diameter
        Usual diameter of a cell, pixels.
    """

    flow: FlowField
    height: int
    width: int
    diameter: float


class When(NamedTuple):
    """Index of a frame, of the first one, and frames since the last one."""

    frame: int
    first: int
    ahead: int


class Taken(NamedTuple):
    """What has become of detections and tracks; arrays of rows of the table, but for those named.

    Parameters
    ----------
    owners
        Track of each detection.
    alone
        Whether a detection shows its track's cell and no other.
    hidden
        Tracks inside the blob of another.
    ended
        Tracks that can get no more detections.
    active, lost
        Tracks that go on, and those that wait to be found again.
    numbers
        Number of each detection's track.
    begun
        How many tracks are new.
    """

    owners: NDArray[np.int64]
    alone: NDArray[np.bool_]
    hidden: NDArray[np.int64]
    ended: NDArray[np.int64]
    active: NDArray[np.int64]
    lost: NDArray[np.int64]
    numbers: NDArray[np.int64]
    begun: int


@compiled
def step(
    tracks: Tracks,
    slots: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    seen: Seen,
    scene: Scene,
    when: When,
    next_number: int,
) -> Taken:
    """Take the detections of the next frame.

    Parameters
    ----------
    tracks
        Table of `pipeline.linking.track.TRACK`.
    slots
        Rows of the active tracks, of those that got lost amid the picture, and rows to spare for
        new ones, at least as many as there are detections.
    seen
        The detections.
    next_number
        Of the next new track.
    """
    active, lost, spare = slots
    expected = expect(tracks, active, scene.flow, when.ahead)
    row_of = _assigned(expected, seen, scene)
    shared = share(expected, seen, row_of)
    owners, alone, own = _updated(tracks, active, seen, when.frame, row_of, shared)
    busy = own | (shared[0] != ALONE)
    idle = active[~busy]
    linked = owners.copy()
    found = _found_again(tracks, np.concatenate((idle, lost)), seen, scene, when, owners)
    begun = _begin_new(tracks, (owners, linked, spare), seen, scene, when, next_number)
    numbers = np.empty(len(owners), np.int64)
    for index in range(len(owners)):
        numbers[index] = tracks[owners[index]].number
    missing = idle[~found[: len(idle)]]
    over = missing[_aged(tracks, missing, scene, when.ahead)]
    ended, waiting = _given_up(tracks, over, lost[~found[len(idle) :]], scene, when.ahead)
    going = _going_on(len(tracks), active, over, owners)
    hidden = active[busy & ~own]
    return Taken(owners, alone, hidden, ended, going, waiting, numbers, begun)


@compiled
def _assigned(expected: Expected, seen: Seen, scene: Scene) -> NDArray[np.int64]:
    """Index of the track of each detection; −1 for none."""
    row_of = np.full(len(seen.x), -1)
    column_of = assign(cost_of_flowing(expected, seen, scene.flow, _GATE), _GATE)
    for row in range(len(column_of)):
        if column_of[row] >= 0:
            row_of[column_of[row]] = row
    free = np.flatnonzero(row_of < 0)
    idle = np.flatnonzero(column_of < 0)
    if len(free) and len(idle):
        cost = cost_of_slowing(_of(expected, idle), _at(seen, free), scene.flow, scene.diameter)
        column_of = assign(cost, _GATE)
        for row in range(len(idle)):
            if column_of[row] >= 0:
                row_of[free[column_of[row]]] = idle[row]
    return row_of


@compiled
def _of(expected: Expected, rows: NDArray[np.int64]) -> Expected:
    return Expected(
        expected.x[rows],
        expected.y[rows],
        expected.last_x[rows],
        expected.last_y[rows],
        expected.step[rows],
        expected.area[rows],
        expected.along[rows],
        expected.across[rows],
    )


@compiled
def _at(seen: Seen, indices: NDArray[np.int64]) -> Seen:
    return Seen(
        seen.x[indices],
        seen.y[indices],
        seen.area[indices],
        seen.cut[indices],
        seen.touching[indices],
        seen.blob[indices],
        seen.box[indices],
    )


@compiled
def _updated(
    tracks: Tracks,
    active: NDArray[np.int64],
    seen: Seen,
    frame: int,
    row_of: NDArray[np.int64],
    shared: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Let tracks see; owner of each detection, whether it is alone there, and tracks that own."""
    role, x, y = shared
    owners = np.full(len(row_of), -1)
    alone = np.ones(len(row_of), np.bool_)
    own = np.zeros(len(active), np.bool_)
    for index in range(len(row_of)):
        row = row_of[index]
        if row < 0:
            continue
        owners[index], own[row] = active[row], True
        alone[index] = role[row] == ALONE
        if alone[index]:
            _see(tracks, active[row], frame, seen, index)
    for row in range(len(active)):
        if role[row] != ALONE:
            see_inside(tracks, active[row], frame, (x[row], y[row]), role[row] == GUEST)
    return owners, alone, own


@compiled
def _see(tracks: Tracks, slot: int, frame: int, seen: Seen, index: int) -> None:
    # The border hides part of a cell: its size is what it was.
    known = seen.cut[index] and tracks[slot].length > 0
    area = np.nan if known else seen.area[index]
    see(tracks, slot, frame, (seen.x[index], seen.y[index]), area, seen.touching[index])


@compiled
def _found_again(
    tracks: Tracks,
    candidates: NDArray[np.int64],
    seen: Seen,
    scene: Scene,
    when: When,
    owners: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each track without a detection is continued by one that nothing else explains.

    A cell that comes from nowhere and one that went nowhere are the same one, hidden meanwhile
    by others, if it may have gone on or slowed down from there to here. Changes ``owners``.
    """
    found = np.zeros(len(candidates), np.bool_)
    inside = np.zeros(len(owners), np.bool_)
    for index in range(len(owners)):
        if owners[index] < 0:
            inside[index] = not _leaves(scene, seen.x[index], seen.y[index], -1.0)
    new = np.flatnonzero(inside)
    if not len(new) or not len(candidates):
        return found
    expected = expect(tracks, candidates, scene.flow, when.ahead)
    cost = cost_of_return(expected, _at(seen, new), scene.flow, scene.diameter)
    column_of = assign(np.where(cost < _FOUND, cost, np.inf), _GATE)
    for name in range(len(candidates)):
        if column_of[name] >= 0:
            index, slot = new[column_of[name]], candidates[name]
            owners[index], found[name] = slot, True
            tracks[slot].left_inside = False
            _see(tracks, slot, when.frame, seen, index)
    return found


@compiled
def _begin_new(
    tracks: Tracks,
    owned: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    seen: Seen,
    scene: Scene,
    when: When,
    next_number: int,
) -> int:
    """Begin a track for each detection without one, which changes the first of ``owned``.

    Parameters
    ----------
    owned
        Owner of each detection; the same before any was found again; rows to spare.

    Returns
    -------
    int
        How many were begun.
    """
    owners, linked, spare = owned
    begun = 0
    for index in range(len(owners)):
        x, y = seen.x[index], seen.y[index]
        if owners[index] < 0:
            slot = spare[begun]
            begin(tracks, slot, next_number + begun)
            begun += 1
            _see(tracks, slot, when.frame, seen, index)
            amid = not _leaves(scene, x, y, -1.0)
            tracks[slot].born_inside = when.frame != when.first and amid
            if seen.touching[index]:
                tracks[slot].shared = _whole_before(tracks, linked, seen, index)
            owners[index] = slot
        if _within(scene, x, y):
            tracks[owners[index]].visited = True
    return begun


@compiled
def _whole_before(tracks: Tracks, linked: NDArray[np.int64], seen: Seen, index: int) -> int:
    """In how many frames a neighbour in the same blob was seen as large as the blob is now."""
    same = np.flatnonzero(seen.blob == seen.blob[index])
    union = seen.area[same].sum()
    most = 0
    for other in same:
        if linked[other] >= 0:
            most = max(most, times_as_large(tracks, linked[other], 0.8 * union))
    return most


@compiled
def _aged(
    tracks: Tracks, missing: NDArray[np.int64], scene: Scene, ahead: int
) -> NDArray[np.bool_]:
    """Whether each of the tracks without a detection ends or gets lost."""
    expected = expect(tracks, missing, scene.flow, ahead)
    over = np.zeros(len(missing), np.bool_)
    for place in range(len(missing)):
        track = tracks[missing[place]]
        track.missed += ahead
        outside = not _within(scene, expected.x[place], expected.y[place])
        if outside or track.missed > _MISSED:
            stays = not _leaves(scene, track.x, track.y, 1.0)
            track.left_inside = not outside and stays
            over[place] = True
    return over


@compiled
def _given_up(
    tracks: Tracks, over: NDArray[np.int64], lost: NDArray[np.int64], scene: Scene, ahead: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Let what is lost amid the picture wait; give out what left it or waited for too long."""
    amid, gone = np.zeros(len(over), np.bool_), np.zeros(len(lost), np.bool_)
    for place in range(len(over)):
        amid[place] = tracks[over[place]].left_inside
    expected = expect(tracks, lost, scene.flow, ahead)
    for place in range(len(lost)):
        track = tracks[lost[place]]
        track.missed += ahead
        there = _within(scene, expected.x[place], expected.y[place])
        gone[place] = not there or track.missed > _LOST
    return np.concatenate((over[~amid], lost[gone])), np.concatenate((lost[~gone], over[amid]))


@compiled
def _going_on(
    room: int, active: NDArray[np.int64], over: NDArray[np.int64], owners: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Active tracks that are not over, and owners that were not active."""
    drop = np.zeros(room, np.bool_)
    drop[over] = True
    going = active[~drop[active]]
    drop[active] = True
    return np.concatenate((going, owners[~drop[owners]]))


@compiled
def _within(scene: Scene, x: float, y: float) -> bool:
    return 0 <= x <= scene.width - 1 and 0 <= y <= scene.height - 1


@compiled
def _leaves(scene: Scene, x: float, y: float, sense: float) -> bool:
    """Whether a cell here could be outside one frame later (sense 1) or earlier (−1)."""
    flow = scene.flow
    speed = lane_speed(flow, x, y)
    reach = sense * (speed + 4 * flow.spread + 0.75 * scene.diameter)
    return not _within(scene, x + flow.direction[0] * reach, y + flow.direction[1] * reach)
