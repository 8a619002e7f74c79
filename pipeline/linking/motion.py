"""Where each track is expected next, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.linking.flow import FlowField
from pipeline.linking.track import Track
from pipeline.segment import Detections

#: Sightings back in time from which a cell's own speed is taken.
_MEMORY = 5
#: Centroids of one cell scatter by this share of its diameter, and by half a pixel.
_JITTER, _LEAST = 0.04, 0.7


@dataclass(slots=True)
class Expected:
    """Predictions of tracks for one frame; arrays of shape (n,), pixels.

    Parameters
    ----------
    x, y
        Expected centroid.
    last_x, last_y
        Last seen.
    step
        Longest way along the flow since then: its own, or the lane's if it had slowed down.
    area
        Last known.
    along, across
        Standard deviations of the expectation.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    last_x: NDArray[np.float64]
    last_y: NDArray[np.float64]
    step: NDArray[np.float64]
    area: NDArray[np.float64]
    along: NDArray[np.float64]
    across: NDArray[np.float64]


def expect(tracks: list[Track], flow: FlowField, ahead: int) -> Expected:
    """Predict all tracks ``ahead`` frames after the last one seen by the linker.

    A track's speed is the lane's, drawn to its own the more often it was seen; what is unknown of
    it shrinks accordingly.
    """
    table = np.array([_recent(track) for track in tracks])
    last_x, last_y, back_x, back_y, span, area, missed = table.T
    gap = missed + ahead
    speed = flow.speed_at(last_x, last_y)
    trust = span / (span + 0.5)
    safe = np.maximum(span, 1.0)
    lane_x, lane_y = speed * flow.direction[0], speed * flow.direction[1]
    vx = lane_x + trust * ((last_x - back_x) / safe - lane_x)
    vy = lane_y + trust * ((last_y - back_y) / safe - lane_y)
    own = vx * flow.direction[0] + vy * flow.direction[1]
    doubt = np.where(span > 0, np.maximum(0.6 / safe, 0.2), 1.0) * gap
    jitter = _LEAST + _JITTER * np.sqrt(area)
    return Expected(
        x=last_x + vx * gap,
        y=last_y + vy * gap,
        last_x=last_x,
        last_y=last_y,
        # Seen once, a thing has shown no motion that could end: it may only stay.
        step=np.where(span > 0, np.maximum(own, speed) * gap, 0.0),
        area=area,
        along=np.hypot(flow.spread * doubt, jitter),
        across=np.hypot(flow.cross_spread * doubt, jitter),
    )


def _recent(track: Track) -> tuple[float, ...]:
    x, y, frames = track.x, track.y, track.frames
    first = -_MEMORY if len(frames) > _MEMORY else 0
    span = frames[-1] - frames[first]
    return x[-1], y[-1], x[first], y[first], span, track.area[-1], track.missed


def cost_of_flowing(expected: Expected, found: Detections, flow: FlowField) -> NDArray[np.float64]:
    """Squared deviations from the expectation, (tracks, detections)."""
    dx = found.x[None, :] - expected.x[:, None]
    dy = found.y[None, :] - expected.y[:, None]
    # A centre guessed from the visible part of a cell is worth less.
    loose = np.where(found.cut, 2.0, 1.0)[None, :]
    along = flow.along(dx, dy) / (expected.along[:, None] * loose)
    across = flow.across(dx, dy) / (expected.across[:, None] * loose)
    size = np.log(found.area[None, :] / expected.area[:, None]) / 0.25
    # Merged or half hidden, a cell's area may be anything: it has a bounded say.
    return along**2 + across**2 + np.where(found.cut[None, :], 0.0, np.minimum(size**2, 9.0))


def cost_of_slowing(
    expected: Expected, found: Detections, flow: FlowField, diameter: float
) -> NDArray[np.float64]:
    """Cost where a cell went any part of the way it was expected to go, or stayed."""
    dx = found.x[None, :] - expected.last_x[:, None]
    dy = found.y[None, :] - expected.last_y[:, None]
    along, across = flow.along(dx, dy), flow.across(dx, dy)
    outside = np.maximum(along - expected.step[:, None], 0) + np.maximum(-along, 0)
    reach = _LEAST + 0.08 * diameter
    size = np.log(found.area[None, :] / expected.area[:, None]) / 0.12
    return (outside / reach) ** 2 + (across / reach) ** 2 + size**2


def cost_of_return(
    expected: Expected, found: Detections, flow: FlowField, diameter: float
) -> NDArray[np.float64]:
    """Cost where a cell that was hidden by others went on or slowed down; (tracks, detections).

    Where it was within what hid it is known to a share of its size only, and so is its size.
    """
    along_reach = np.hypot(expected.along, 0.4 * diameter)[:, None]
    across_reach = np.hypot(expected.across, 0.3 * diameter)[:, None]
    dx = found.x[None, :] - expected.last_x[:, None]
    dy = found.y[None, :] - expected.last_y[:, None]
    way = flow.along(dx, dy)
    due = flow.along(expected.x - expected.last_x, expected.y - expected.last_y)
    least = np.minimum(np.where(expected.step > 0, 0.0, due), due)[:, None]
    most = np.maximum(expected.step, due)[:, None]
    outside = np.maximum(way - most, 0) + np.maximum(least - way, 0)
    loose = np.where(found.touching | found.cut, 0.5, 0.25)[None, :]
    size = np.log(found.area[None, :] / expected.area[:, None]) / loose
    return (outside / along_reach) ** 2 + (flow.across(dx, dy) / across_reach) ** 2 + size**2
