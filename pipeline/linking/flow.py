"""How the liquid moves: direction, speed, and the change of speed across the channel.

Nobody has to say it. Between two successive frames every pair of detections of like size votes for
its displacement; true pairs agree, false ones spread over the picture as evenly as chance does, so
the excess over chance is the flow even where cells move further than they are apart. The votes of
narrow lanes along the flow are then joined by the smoothest path (dynamic programming), since a
laminar profile has no jumps, and refined by the median of the pairs near it. What stands still has
one vote for as long as it does: a cell that got stuck is seen a hundred times where another is seen
three times, and would stop the flow of its lane; with the next one that got stuck it would vote for
the way between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.segment import Detections

#: Lanes across the picture: enough for a parabola with steep walls.
LANES = 24
#: Areas of one cell in two frames rarely differ more: logarithm of the ratio.
_LIKE_SIZE = 0.25
_FEWEST_PAIRS = 12
#: What moves by less than this share of a diameter, or than a pixel, stands still.
_STILL = 0.06


class FlowField(NamedTuple):
    """Displacement per frame as a function of the coordinate across the flow.

    Parameters
    ----------
    direction
        Unit vector (x, y).
    lanes
        (L,) coordinates across the flow, pixels, rising.
    speed
        (L,) pixels per frame along the flow.
    spread, cross_spread
        Standard deviation of one cell's displacement along and across, pixels per frame.
    pairs
        Number of pairs that agree; 0 where nothing is known.
    """

    direction: tuple[float, float]
    lanes: NDArray[np.float64]
    speed: NDArray[np.float64]
    spread: float
    cross_spread: float
    pairs: int

    @property
    def known(self) -> bool:
        """Whether the recording told."""
        return self.pairs > 0


@compiled
def lane_speed(flow: FlowField, x: float, y: float) -> float:
    """Speed at a position, pixels per frame: linear between lanes, beyond them as there."""
    across = y * flow.direction[0] - x * flow.direction[1]
    lanes, speed = flow.lanes, flow.speed
    last = len(lanes) - 1
    if across <= lanes[0]:
        return speed[0]
    if across >= lanes[last]:
        return speed[last]
    lane = np.searchsorted(lanes, across, side="right") - 1
    slope = (speed[lane + 1] - speed[lane]) / (lanes[lane + 1] - lanes[lane])
    return speed[lane] + slope * (across - lanes[lane])


def unknown_flow(diameter: float) -> FlowField:
    """What is assumed before anything is known: rest, give or take most of a cell."""
    return FlowField((1.0, 0.0), np.zeros(1), np.zeros(1), 0.5 * diameter, 0.4 * diameter, 0)


def estimate_flow(
    frames: Sequence[Detections], shape: tuple[int, int], diameter: float
) -> FlowField | None:
    """Estimate the flow from detections of successive frames.

    Parameters
    ----------
    frames
        Detections in the order of the frames.
    shape
        Height and width of a frame.
    diameter
        Usual diameter of a cell, pixels.

    Returns
    -------
    FlowField or None
        ``None`` while too few pairs agree.
    """
    pairs = _pairs(frames, diameter)
    if len(pairs) < _FEWEST_PAIRS:
        return None
    cell = max(diameter / 3, 1.0)
    direction = _direction(pairs, shape, cell)
    if direction is None:
        return None
    flow = None
    for _ in range(3):
        flow, tilt = _profile_along(direction, pairs, shape, cell)
        if flow is None or abs(tilt) < np.deg2rad(0.2):
            break
        direction = _snapped(*_turned(direction, tilt))
    return flow


def _profile_along(
    direction: tuple[float, float], pairs: NDArray[np.float64], shape: tuple[int, int], cell: float
) -> tuple[FlowField | None, float]:
    """The flow in a direction, and the angle by which the pairs that agree are off it."""
    along = pairs[:, 2] * direction[0] + pairs[:, 3] * direction[1]
    side = pairs[:, 3] * direction[0] - pairs[:, 2] * direction[1]
    across = pairs[:, 1] * direction[0] - pairs[:, 0] * direction[1]
    # The first direction may be off by some degrees, which a long way makes many pixels.
    near = np.abs(side) < max(1.2 * cell, 2.0) + 0.06 * np.abs(along)
    if np.count_nonzero(near) < _FEWEST_PAIRS:
        return None, 0.0
    lanes = np.linspace(*_reach(shape, direction), LANES)
    start = _ridge(across[near], along[near], lanes, cell)
    flow = _refined(direction, (lanes, start), (across, along, side), cell)
    if flow is None:
        return None, 0.0
    agree = near & (np.abs(along - np.interp(across, lanes, flow.speed)) < 4 * flow.spread)
    way = float(np.median(along[agree])) if agree.any() else 0.0
    # Half a pixel is no angle.
    tilt = float(np.arctan2(np.median(side[agree]), way)) if way > 5 else 0.0
    return flow, tilt


def _turned(direction: tuple[float, float], angle: float) -> tuple[float, float]:
    x, y = direction
    return (
        float(x * np.cos(angle) - y * np.sin(angle)),
        float(y * np.cos(angle) + x * np.sin(angle)),
    )


def _reach(shape: tuple[int, int], direction: tuple[float, float]) -> tuple[float, float]:
    corners = [(x, y) for x in (0, shape[1]) for y in (0, shape[0])]
    values = [y * direction[0] - x * direction[1] for x, y in corners]
    return min(values), max(values)


def _pairs(frames: Sequence[Detections], diameter: float) -> NDArray[np.float64]:
    """Pairs of like size in successive frames: x, y in the middle, dx, dy. (n, 4).

    What stands still is a pair with itself alone, and once at each place.
    """
    moving, still = [np.empty((0, 4))], [np.empty((0, 4))]
    for one, two in pairwise(frames):
        if two.frame != one.frame + 1 or not len(one) or not len(two):
            continue
        alike = np.abs(np.log(two.area[None, :] / one.area[:, None])) < _LIKE_SIZE
        dx, dy = two.x[None, :] - one.x[:, None], two.y[None, :] - one.y[:, None]
        stays = alike & (np.hypot(dx, dy) < max(_STILL * diameter, 1.0))
        rests = stays.any(axis=1, keepdims=True) | stays.any(axis=0, keepdims=True)
        moves = alike & ~rests
        for chosen, found in ((moves, moving), (stays, still)):
            first, second = np.nonzero(chosen)
            x, y = dx[first, second], dy[first, second]
            found.append(np.column_stack([one.x[first] + x / 2, one.y[first] + y / 2, x, y]))
    staying = np.concatenate(still)
    places = np.floor(staying[:, :2] / max(diameter / 2, 1.0))
    _, first = np.unique(places, axis=0, return_index=True)
    return np.concatenate([*moving, staying[first]])


def _direction(
    pairs: NDArray[np.float64], shape: tuple[int, int], cell: float
) -> tuple[float, float] | None:
    """Direction of the displacements that occur more often than by chance."""
    reach_x, reach_y = 0.95 * shape[1], 0.95 * shape[0]
    bins = (
        np.arange(-reach_y, reach_y + cell, cell),
        np.arange(-reach_x, reach_x + cell, cell),
    )
    votes, _, _ = np.histogram2d(pairs[:, 3], pairs[:, 2], bins=bins)
    votes = _box(votes)
    dy, dx = ((edges[:-1] + edges[1:]) / 2 for edges in bins)
    # Positions independent and even over the picture make displacements of triangular density.
    chance = np.outer(1 - np.abs(dy) / shape[0], 1 - np.abs(dx) / shape[1])
    chance *= votes.sum() / chance.sum()
    excess = votes - chance
    certain = excess > np.maximum(4.5 * np.sqrt(chance + 0.5), 5.0)
    if not certain.any():
        return None
    # Only the strongest region: chance clumps elsewhere must not turn the flow.
    certain &= excess > 0.15 * excess[certain].max()
    weight = np.where(certain, excess, 0.0)
    mean_x, mean_y = float((weight * dx).sum()), float((weight.T * dy).sum())
    total = float(weight.sum())
    length = np.hypot(mean_x, mean_y)
    if length < 0.05 * cell * total:
        return (1.0, 0.0)
    return _snapped(mean_x / float(length), mean_y / float(length))


def _snapped(x: float, y: float) -> tuple[float, float]:
    """Channels run along the rows or columns of the camera, nearly: within 0.7° take it exactly."""
    for ax, ay in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)):
        if x * ax + y * ay > np.cos(np.deg2rad(0.7)):
            return ax, ay
    return x, y


def _box(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over 3 × 3 neighbours, so that a displacement on the edge of a bin is not halved."""
    padded = np.pad(votes, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def _ridge(
    across: NDArray[np.float64],
    along: NDArray[np.float64],
    lanes: NDArray[np.float64],
    cell: float,
) -> NDArray[np.float64]:
    """Smoothest path through the votes of the lanes, pixels per frame at each lane."""
    step = cell / 2
    edges = np.arange(-2 * cell, max(float(along.max()), cell) + 2 * step, step)
    width = lanes[1] - lanes[0]
    votes = np.zeros((len(lanes), len(edges) - 1))
    for index, lane in enumerate(lanes):
        near = np.abs(across - lane) < 0.75 * width
        votes[index] = np.histogram(along[near], edges)[0]
    votes = (votes[:, :-2] + votes[:, 1:-1] + votes[:, 2:]) if votes.shape[1] > 2 else votes
    votes = votes - votes.mean(axis=1, keepdims=True)
    centres = edges[1:-2] + step / 2 if len(edges) > 3 else edges[:-1]
    return centres[_best_path(votes)]


def _best_path(votes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Path over the rows of most votes, less a cost for every bin of change between rows."""
    rows, columns = votes.shape
    price = 0.1 * max(float(votes.max(axis=1).mean()), 1e-6)
    change = np.abs(np.subtract.outer(np.arange(columns), np.arange(columns))) * price
    total = votes[0].copy()
    origin = np.zeros((rows, columns), np.int64)
    for row in range(1, rows):
        reached = total[None, :] - change
        origin[row] = reached.argmax(axis=1)
        total = reached.max(axis=1) + votes[row]
    path = np.zeros(rows, np.int64)
    path[-1] = int(total.argmax())
    for row in range(rows - 1, 0, -1):
        path[row - 1] = origin[row, path[row]]
    return path


def _refined(
    direction: tuple[float, float],
    profile: tuple[NDArray[np.float64], NDArray[np.float64]],
    pairs: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    cell: float,
) -> FlowField | None:
    """Local means of the pairs near the path, and how much cells differ from them."""
    lanes, speed = profile
    across, along, side = pairs
    width = 1.25 * (lanes[1] - lanes[0])
    tolerance = 2.5 * cell
    near = np.zeros(len(along), bool)
    for _ in range(3):
        off = along - np.interp(across, lanes, speed)
        near = np.abs(off) < tolerance
        near &= np.abs(side) < max(1.2 * cell, 2.0) + 0.06 * np.abs(along)
        if np.count_nonzero(near) < _FEWEST_PAIRS:
            return None
        weight = np.exp(-0.5 * ((across[near][None, :] - lanes[:, None]) / width) ** 2)
        # A weak pull towards the path keeps lanes without cells where the path has put them.
        shift = (weight * off[near]).sum(axis=1) / (weight.sum(axis=1) + 0.5)
        speed = speed + shift
    off = along - np.interp(across, lanes, speed)
    spread = max(1.4826 * float(np.median(np.abs(off[near]))), 0.5)
    cross = max(1.4826 * float(np.median(np.abs(side[near]))), 0.5)
    count = int(np.count_nonzero(near))
    return FlowField(direction, lanes, speed, spread, cross, count)
