"""Which tracks are cells, by what the flow makes possible.

A cell of a flowing specimen comes in over the border and leaves over it, unless the recording
begins or ends meanwhile. What is seen only once in the middle of the picture, or never moves while
everything around it does, is noise, dirt or a piece of another cell.
"""

from __future__ import annotations

from enum import StrEnum
from math import hypot
from typing import Any

from pipeline.linking.flow import FlowField, lane_speed

#: A cell that touches another all the way must be seen as a piece of its own in this share of its
#: sightings: whole cells are hardly ever cut, while a third of true pairs pass uncut in a frame.
_OWN_SHARE = 0.25

#: The first part of the way across the picture, in which a cell is lost that the border cut.
_ENTRY = 0.1


class Verdict(StrEnum):
    """What a track is."""

    CELL = "cell"
    STATIC = "static"  # dirt, or a cell that sat there all the time
    FLEETING = "fleeting"  # noise: came from nowhere and went nowhere
    FRAGMENT = "fragment"  # a piece of a neighbour, split off now and then
    OUTSIDE = "outside"  # its centre was never in the picture


def judge(track: Any, flow: FlowField, diameter: float, length: float) -> Verdict:
    """Say what a finished track is.

    Parameters
    ----------
    track
        One row of `pipeline.linking.track.TRACK`, finished.
    flow
        Of the recording.
    diameter
        Usual diameter of a cell, pixels.
    length
        Way across the picture along the flow, pixels.
    """
    if not track["visited"]:
        return Verdict.OUTSIDE
    if _is_piece(track):
        return Verdict.FRAGMENT
    if flow.known and _static(track, flow, diameter):
        return Verdict.STATIC
    return Verdict.FLEETING if _is_flash(track, length) else Verdict.CELL


def way_of(track: Any) -> float:
    """Straight way from the first sighting to the last, pixels."""
    return hypot(track["x"] - track["first_x"], track["y"] - track["first_y"])


def _is_piece(track: Any) -> bool:
    """Whether it was hardly ever seen on its own."""
    own = track["free"] + track["split"]
    if track["free"] < 2 and own < _OWN_SHARE * (own + track["shared"]):
        return True
    return bool(track["born_inside"] and track["free"] == 0 and track["split"] < 2)


def _is_flash(track: Any, length: float) -> bool:
    """Whether it came from nowhere or went nowhere, and was seen too little to be believed."""
    seen = track["free"] + track["split"] + track["host"]
    if track["born_inside"] and seen <= 1 + track["left_inside"]:
        return True
    if not track["left_inside"]:
        return False
    # Slow cells are seen so often that one which is lost at once went on under another name.
    frames = track["length"]
    return bool(frames == 1 or (frames <= 3 and way_of(track) < _ENTRY * length))


def _static(track: Any, flow: FlowField, diameter: float) -> bool:
    """Whether it stayed where the flow would have taken it a diameter or more."""
    duration = track["last_frame"] - track["first_frame"]
    due = lane_speed(flow, track["first_x"], track["first_y"]) * duration
    limit = min(0.15 * due, 0.5 * diameter)
    return bool(duration >= 3 and due > diameter and way_of(track) < limit)
