"""Which tracks are cells, by what the flow makes possible.

A cell of a flowing specimen comes in over the border and leaves over it, unless the recording
begins or ends meanwhile. What is seen only once in the middle of the picture, or never moves while
everything around it does, is noise, dirt or a piece of another cell.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.linking.flow import lane_speed
from pipeline.linking.step import Scene
from pipeline.linking.track import Tracks

#: A cell that touches another all the way must be seen as a piece of its own in this share of its
#: sightings: whole cells are hardly ever cut, while a third of true pairs pass uncut in a frame.
_OWN_SHARE = 0.25
#: The first part of the way across the picture, in which a cell is lost that the border cut.
_ENTRY = 0.1


class Verdict(IntEnum):
    """What a track is."""

    CELL = 0
    STATIC = 1  # dirt, or a cell that sat there all the time
    FLEETING = 2  # noise: came from nowhere and went nowhere
    FRAGMENT = 3  # a piece of a neighbour, split off now and then
    OUTSIDE = 4  # its centre was never in the picture


_CELL, _STATIC, _FLEETING, _FRAGMENT, _OUTSIDE = (verdict.value for verdict in Verdict)


@compiled
def judge(tracks: Tracks, rows: NDArray[np.int64], scene: Scene) -> NDArray[np.int64]:
    """Say what finished tracks are.

    Parameters
    ----------
    tracks, rows
        Table of `pipeline.linking.track.TRACK`, and which of its rows.
    scene
        Flow and size of the recording.

    Returns
    -------
    (n,) int64
        Values of `Verdict`.
    """
    verdicts = np.empty(len(rows), np.int64)
    for place in range(len(rows)):
        row = rows[place]
        if not tracks[row].visited:
            verdicts[place] = _OUTSIDE
        elif _is_piece(tracks, row):
            verdicts[place] = _FRAGMENT
        elif scene.flow.pairs > 0 and _is_static(tracks, row, scene):
            verdicts[place] = _STATIC
        else:
            verdicts[place] = _FLEETING if _is_flash(tracks, row, scene) else _CELL
    return verdicts


@compiled
def way_of(tracks: Tracks, row: int) -> float:
    """Straight way from the first sighting to the last, pixels."""
    track = tracks[row]
    return np.hypot(track.x - track.first_x, track.y - track.first_y)


@compiled
def _is_piece(tracks: Tracks, row: int) -> bool:
    """Whether it was hardly ever seen on its own."""
    track = tracks[row]
    own = track.free + track.split
    if track.free < 2 and own < _OWN_SHARE * (own + track.shared):
        return True
    return track.born_inside and track.free == 0 and track.split < 2


@compiled
def _is_flash(tracks: Tracks, row: int, scene: Scene) -> bool:
    """Whether it came from nowhere or went nowhere, and was seen too little to be believed."""
    track = tracks[row]
    seen = track.free + track.split + track.host
    if track.born_inside and seen <= 1 + int(track.left_inside):
        return True
    if not track.left_inside:
        return False
    # Slow cells are seen so often that one which is lost at once went on under another name.
    to_x, to_y = scene.flow.direction
    length = abs(to_x) * scene.width + abs(to_y) * scene.height
    short = track.length <= 3 and way_of(tracks, row) < _ENTRY * length
    return track.length == 1 or short


@compiled
def _is_static(tracks: Tracks, row: int, scene: Scene) -> bool:
    """Whether it stayed where the flow would have taken it a diameter or more."""
    track = tracks[row]
    duration = track.last_frame - track.first_frame
    due = lane_speed(scene.flow, track.first_x, track.first_y) * duration
    limit = min(0.15 * due, 0.5 * scene.diameter)
    return duration >= 3 and due > scene.diameter and way_of(tracks, row) < limit
