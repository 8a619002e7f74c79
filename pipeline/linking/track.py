"""One cell over time, as a row of a table that compiled code can work on.

Of its sightings a track keeps what the next step needs: the first, the last few, and how large it
was seen. Where it was in every frame is written down elsewhere (`pipeline.sightings`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled

#: Last sightings from which a cell's own speed is taken.
RECENT = 5
#: Sizes that are remembered.
SIZES = 128

#: Columns of a table of tracks:
#:
#: - ``number``: its name, from 0 in the order in which tracks begin;
#: - ``length``: sightings; ``first_frame``, ``first_x``, ``first_y``: the first of them;
#:   ``last_frame``, ``x``, ``y``, ``area``: the last, the area being that of a whole cell;
#: - ``recent_…``: the last `RECENT`, ``sizes`` the last `SIZES` areas, each in a ring;
#: - ``born_inside``: first seen where no cell can come from: neither at the border nor in the
#:   first frame; ``left_inside``: last seen where no cell can leave;
#: - ``free``, ``split``, ``host``, ``shared``: sightings alone; as one piece of a blob that was
#:   cut; in a blob that was not, as the one it was given to, and as another;
#: - ``visited``: whether its centre was ever inside the picture;
#: - ``missed``: frames since the last sighting.
TRACK = np.dtype(
    [
        ("number", np.int64),
        ("length", np.int64),
        ("first_frame", np.int64),
        ("last_frame", np.int64),
        ("first_x", np.float64),
        ("first_y", np.float64),
        ("x", np.float64),
        ("y", np.float64),
        ("area", np.float64),
        ("recent_frame", np.int64, (RECENT,)),
        ("recent_x", np.float64, (RECENT,)),
        ("recent_y", np.float64, (RECENT,)),
        ("sizes", np.float32, (SIZES,)),
        ("free", np.int64),
        ("split", np.int64),
        ("host", np.int64),
        ("shared", np.int64),
        ("missed", np.int64),
        ("born_inside", np.bool_),
        ("left_inside", np.bool_),
        ("visited", np.bool_),
    ],
    align=True,
)

Tracks = NDArray[Any]  # of TRACK


@compiled
def begin(tracks: Tracks, slot: int, number: int) -> None:
    """Make a row a new track without a sighting."""
    track = tracks[slot]
    track.number, track.length, track.missed = number, 0, 0
    track.free, track.split, track.host, track.shared = 0, 0, 0, 0
    track.born_inside, track.left_inside, track.visited = False, False, False


@compiled
def see(
    tracks: Tracks, slot: int, frame: int, place: tuple[float, float], area: float, touching: bool
) -> None:
    """Take a sighting of its own.

    Parameters
    ----------
    area
        NaN where the border hides a part: then its size is what it was.
    touching
        Whether it was cut out of a blob.
    """
    track = tracks[slot]
    if not np.isnan(area):
        track.area = area
    _place(tracks, slot, frame, place)
    if touching:
        track.split += 1
    else:
        track.free += 1


@compiled
def see_inside(
    tracks: Tracks, slot: int, frame: int, place: tuple[float, float], guest: bool
) -> None:
    """Take a sighting inside a blob that holds other cells too."""
    _place(tracks, slot, frame, place)
    if guest:
        tracks[slot].shared += 1
    else:
        tracks[slot].host += 1


@compiled
def _place(tracks: Tracks, slot: int, frame: int, place: tuple[float, float]) -> None:
    track = tracks[slot]
    if track.length == 0:
        track.first_frame, track.first_x, track.first_y = frame, place[0], place[1]
    at = track.length % RECENT
    track.recent_frame[at], track.recent_x[at], track.recent_y[at] = frame, place[0], place[1]
    track.sizes[track.length % SIZES] = track.area
    track.last_frame, track.x, track.y = frame, place[0], place[1]
    track.length += 1
    track.missed = 0


@compiled
def times_as_large(tracks: Tracks, slot: int, area: float) -> int:
    """In how many of its remembered sightings a track was larger than an area."""
    track = tracks[slot]
    times = 0
    for place in range(min(track.length, SIZES)):
        times += track.sizes[place] > area
    return times
