"""Where each particle is in each frame.

In ``flow`` mode paths are straight lines, so that the closest approach of two cells has a closed
form and cells can be laid out without overlaps, apart from those that touch on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.simulation.settings import SimulationSettings

TRIES = 12  # places tried for a cell before the best of them is taken
GAP_PX = 2.0


@dataclass
class Paths:
    """Straight paths of n particles along the flow.

    Parameters
    ----------
    start
        (n,) time in frames at which the particle is at ``along`` = 0.
    speed
        (n,) pixels a frame along the flow.
    across, sideways
        (n,) position and speed across the flow, pixels and pixels a frame.
    halt_at, halt_for
        (n,) place along the flow where a particle stops, and for how many frames (0: never).
    """

    start: np.ndarray
    speed: np.ndarray
    across: np.ndarray
    sideways: np.ndarray
    halt_at: np.ndarray = field(default_factory=lambda: np.zeros(0))
    halt_for: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def at(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions (along, across) of all particles, each (n,) in pixels."""
        time = frame - self.start
        moved = time
        if self.halt_for.size:
            until = self.halt_at / self.speed
            moved = np.where(time < until, time, np.maximum(until, time - self.halt_for))
        return moved * self.speed, self.across + moved * self.sideways


@dataclass(frozen=True)
class Channel:
    """The field of view along and across the flow, in pixels; turns into x and y."""

    length: float
    breadth: float
    width: int
    height: int
    direction: float  # radians

    def to_xy(self, along: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in the frame, x to the right and y downwards."""
        cos, sin = np.cos(self.direction), np.sin(self.direction)
        u, v = along - self.length / 2, across - self.breadth / 2
        return (
            u * cos - v * sin + (self.width - 1) / 2,
            u * sin + v * cos + (self.height - 1) / 2,
        )


def channel_of(settings: SimulationSettings) -> Channel:
    """The channel whose flow fills the frame in the direction of the settings."""
    direction = np.deg2rad(settings.direction_deg)
    cos, sin = abs(np.cos(direction)), abs(np.sin(direction))
    length = settings.width * cos + settings.height * sin
    breadth = settings.width * sin + settings.height * cos
    return Channel(length, breadth, settings.width, settings.height, float(direction))


def speed_at(across: np.ndarray, channel: Channel, settings: SimulationSettings) -> np.ndarray:
    """Speed in pixels a frame: a parabola across the channel, its mean by the transit time."""
    place = 2 * across / channel.breadth - 1
    shape = 1 - settings.velocity_profile * np.clip(place, -1, 1) ** 2
    return channel.length / settings.transit_frames * shape / (1 - settings.velocity_profile / 3)


def lay_out(
    radii: np.ndarray,
    frames: int,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Paths:
    """Paths of cells that come at random during ``frames`` frames, apart from each other.

    A share ``settings.touching`` of them travels in contact with the cell before.
    """
    channel, n = channel_of(settings), radii.size
    paths = Paths(*(np.zeros(n) for _ in range(4)))
    for i in range(n):
        if i and rng.random() < settings.touching:
            _attach(paths, i, radii, rng)
        else:
            tried = _candidates(radii[i], frames, channel, settings, rng)
            _settle(paths, i, tried, radii, channel.length)
    halting = rng.random(n) < settings.halting_share
    paths.halt_at = rng.uniform(0.2, 0.8, n) * channel.length
    paths.halt_for = np.where(halting, rng.uniform(5, 40, n), 0)
    return paths


Path4 = tuple[float, float, float, float]  # start, speed, across, sideways


def _candidates(
    radius: float,
    frames: int,
    channel: Channel,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> list[Path4]:
    margin = min(radius + 2, channel.breadth / 2 - 1)
    across = rng.uniform(margin, channel.breadth - margin, TRIES)
    speed = speed_at(across, channel, settings) * np.exp(rng.normal(0, 0.03, TRIES))
    early = channel.length / speed if settings.cut_ends else np.zeros(TRIES)
    start = rng.uniform(-early, np.full(TRIES, max(frames, 1.0)))
    sideways = rng.normal(0, 0.004, TRIES) * speed
    return list(zip(start, speed, across, sideways, strict=True))


def _settle(paths: Paths, i: int, tried: list[Path4], radii: np.ndarray, length: float) -> None:
    best, best_room = tried[0], -np.inf
    for candidate in tried:
        room = _room(paths, i, candidate, radii, length)
        if room > best_room:
            best, best_room = candidate, room
        if room > GAP_PX:
            break
    paths.start[i], paths.speed[i], paths.across[i], paths.sideways[i] = best


def _room(paths: Paths, i: int, candidate: Path4, radii: np.ndarray, length: float) -> float:
    """Least distance between the outlines of a candidate and the first i cells, in pixels."""
    start, speed, across, sideways = candidate
    s, v, a, w = paths.start[:i], paths.speed[:i], paths.across[:i], paths.sideways[:i]
    lead = radii[i] + 2
    begin = np.maximum(start - lead / speed, s - lead / v)
    end = np.minimum(start + (length + lead) / speed, s + (length + lead) / v)
    together = end > begin
    if not together.any():
        return np.inf
    s, v, a, w = s[together], v[together], a[together], w[together]
    # Difference of two straight paths: p + q t; nearest at t = -p·q / q².
    px = s * v - start * speed
    py = across - start * sideways - (a - s * w)
    qx, qy = speed - v, sideways - w
    time = -(px * qx + py * qy) / (qx * qx + qy * qy + 1e-12)
    time = np.clip(time, begin[together], end[together])
    distance = np.hypot(px + qx * time, py + qy * time)
    return float((distance - radii[:i][together] - radii[i]).min())


def _attach(paths: Paths, i: int, radii: np.ndarray, rng: np.random.Generator) -> None:
    host = i - 1
    distance = (radii[i] + radii[host]) * rng.uniform(0.9, 1.0)
    angle = rng.uniform(0, 2 * np.pi)
    paths.speed[i], paths.sideways[i] = paths.speed[host], paths.sideways[host]
    shift = distance * np.cos(angle) / paths.speed[host]
    paths.start[i] = paths.start[host] + shift
    paths.across[i] = paths.across[host] + distance * np.sin(angle) + shift * paths.sideways[host]


def scatter(
    radii: np.ndarray, settings: SimulationSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places (x, y) of cells that lie in one frame whole and apart, for ``fields``."""
    x, y = np.zeros(radii.size), np.zeros(radii.size)
    for i, radius in enumerate(radii):
        margin = min(radius * 1.4 + 3, settings.width / 2 - 1, settings.height / 2 - 1)
        cx = rng.uniform(margin, settings.width - 1 - margin, TRIES)
        cy = rng.uniform(margin, settings.height - 1 - margin, TRIES)
        room = np.full(TRIES, np.inf)
        if i:
            apart = np.hypot(cx[:, None] - x[:i], cy[:, None] - y[:i])
            room = (apart - radius - radii[:i]).min(axis=1)
        touches = i > 0 and rng.random() < settings.touching
        k = int(np.argmin(np.abs(room))) if touches else int(np.argmax(room > GAP_PX))
        k = k if touches or room[k] > GAP_PX else int(np.argmax(room))
        x[i], y[i] = cx[k], cy[k]
    return x, y
