"""Where each track is expected next, how sure that is, and what a detection there would cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.linking.flow import FlowField, lane_speed
from pipeline.linking.track import RECENT, Tracks

#: Centroids of one cell scatter by this share of its diameter, and by half a pixel.
_JITTER, _LEAST = 0.04, 0.7


class Seen(NamedTuple):
    """Detections of one frame, as in `pipeline.segment.Detections`; arrays of shape (n,)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    cut: NDArray[np.bool_]
    touching: NDArray[np.bool_]
    blob: NDArray[np.int64]
    box: NDArray[np.int64]


class Expected(NamedTuple):
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


@compiled
def expect(tracks: Tracks, slots: NDArray[np.int64], flow: FlowField, ahead: int) -> Expected:
    """Predict tracks ``ahead`` frames after the last one seen by the linker.

    A track's speed is the lane's, drawn to its own the more often it was seen; what is unknown of
    it shrinks accordingly.
    """
    table = np.empty((8, len(slots)))
    for row in range(len(slots)):
        track = tracks[slots[row]]
        back = 0 if track.length < RECENT else track.length % RECENT
        span = float(track.last_frame - track.recent_frame[back])
        gap = track.missed + ahead
        speed = lane_speed(flow, track.x, track.y)
        trust = span / (span + 0.5)
        safe = max(span, 1.0)
        lane_x, lane_y = speed * flow.direction[0], speed * flow.direction[1]
        vx = lane_x + trust * ((track.x - track.recent_x[back]) / safe - lane_x)
        vy = lane_y + trust * ((track.y - track.recent_y[back]) / safe - lane_y)
        own = vx * flow.direction[0] + vy * flow.direction[1]
        doubt = (max(0.6 / safe, 0.2) if span > 0 else 1.0) * gap
        jitter = _LEAST + _JITTER * np.sqrt(track.area)
        table[0, row], table[1, row] = track.x + vx * gap, track.y + vy * gap
        table[2, row], table[3, row] = track.x, track.y
        # Seen once, a thing has shown no motion that could end: it may only stay.
        table[4, row] = max(own, speed) * gap if span > 0 else 0.0
        table[5, row] = track.area
        table[6, row] = np.hypot(flow.spread * doubt, jitter)
        table[7, row] = np.hypot(flow.cross_spread * doubt, jitter)
    return Expected(table[0], table[1], table[2], table[3], table[4], table[5], table[6], table[7])


@compiled
def cost_of_flowing(
    expected: Expected, seen: Seen, flow: FlowField, gate: float
) -> NDArray[np.float64]:
    """Squared deviations from the expectation, (tracks, detections); exact below the gate."""
    to_x, to_y = flow.direction
    cost = np.empty((len(expected.x), len(seen.x)))
    for row in range(cost.shape[0]):
        for column in range(cost.shape[1]):
            dx, dy = seen.x[column] - expected.x[row], seen.y[column] - expected.y[row]
            # A centre guessed from the visible part of a cell is worth less.
            loose = 2.0 if seen.cut[column] else 1.0
            along = (dx * to_x + dy * to_y) / (expected.along[row] * loose)
            across = (dy * to_x - dx * to_y) / (expected.across[row] * loose)
            total = along**2 + across**2
            if total < gate and not seen.cut[column]:
                # Merged or half hidden, a cell's area may be anything: it has a bounded say.
                size = np.log(seen.area[column] / expected.area[row]) / 0.25
                total += min(size**2, 9.0)
            cost[row, column] = total
    return cost


@compiled
def cost_of_slowing(
    expected: Expected, seen: Seen, flow: FlowField, diameter: float
) -> NDArray[np.float64]:
    """Cost where a cell went any part of the way it was expected to go, or stayed."""
    to_x, to_y = flow.direction
    reach = _LEAST + 0.08 * diameter
    cost = np.empty((len(expected.x), len(seen.x)))
    for row in range(cost.shape[0]):
        for column in range(cost.shape[1]):
            dx = seen.x[column] - expected.last_x[row]
            dy = seen.y[column] - expected.last_y[row]
            along, across = dx * to_x + dy * to_y, dy * to_x - dx * to_y
            outside = max(along - expected.step[row], 0.0) + max(-along, 0.0)
            size = np.log(seen.area[column] / expected.area[row]) / 0.12
            cost[row, column] = (outside / reach) ** 2 + (across / reach) ** 2 + size**2
    return cost


@compiled
def cost_of_return(
    expected: Expected, seen: Seen, flow: FlowField, diameter: float
) -> NDArray[np.float64]:
    """Cost where a cell that was hidden by others went on or slowed down; (tracks, detections).

    Where it was within what hid it is known to a share of its size only, and so is its size.
    """
    to_x, to_y = flow.direction
    cost = np.empty((len(expected.x), len(seen.x)))
    for row in range(cost.shape[0]):
        along_reach = np.hypot(expected.along[row], 0.4 * diameter)
        across_reach = np.hypot(expected.across[row], 0.3 * diameter)
        due = (expected.x[row] - expected.last_x[row]) * to_x
        due += (expected.y[row] - expected.last_y[row]) * to_y
        least = min(0.0 if expected.step[row] > 0 else due, due)
        most = max(expected.step[row], due)
        for column in range(cost.shape[1]):
            dx = seen.x[column] - expected.last_x[row]
            dy = seen.y[column] - expected.last_y[row]
            way, across = dx * to_x + dy * to_y, dy * to_x - dx * to_y
            outside = max(way - most, 0.0) + max(least - way, 0.0)
            loose = 0.5 if seen.touching[column] or seen.cut[column] else 0.25
            size = np.log(seen.area[column] / expected.area[row]) / loose
            total = (outside / along_reach) ** 2 + (across / across_reach) ** 2
            cost[row, column] = total + size**2
    return cost
