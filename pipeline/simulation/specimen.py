"""One specimen: its cells, their paths, its recording and the truth of every cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellcensus.study import Mode, Role
from pipeline.simulation.blood import Plan
from pipeline.simulation.camera import Camera, smear
from pipeline.simulation.crops import CropLibrary
from pipeline.simulation.looks import LOOKS, Preparation, looks_of, prepare
from pipeline.simulation.paths import Channel, Paths, channel_of, lay_out, scatter
from pipeline.simulation.settings import SimulationSettings
from pipeline.simulation.sprites import Sprite, draw_cell, draw_particle
from pipeline.simulation.writers import open_writer

EXPOSURE = 0.02  # share of the time between frames in which the shutter is open
LEAST_FRAMES = 40  # of a recording without cells
Placed = tuple[int, float, float]


@dataclass(frozen=True)
class Event:
    """A cell whose centre is in a frame."""

    frame: int
    cell: int
    x: float
    y: float


@dataclass(frozen=True)
class Filmed:
    """The truth of one recording."""

    frames: int
    classes: tuple[str, ...]  # of each cell
    sources: tuple[str, ...]  # picture each cell was made of
    events: tuple[Event, ...]


def film(
    plan: Plan,
    folder: Path,
    settings: SimulationSettings,
    library: CropLibrary | None,
    rng: np.random.Generator,
) -> Filmed:
    """Render the recording of one specimen into ``folder`` and return its truth."""
    preparation = prepare(
        rng,
        donor=settings.donor,
        purified=plan.role is Role.PURIFIED,
        chemistry=settings.chemistry,
    )
    classes = _classes(plan, settings, rng)
    held_out = plan.role in (Role.UNKNOWN, Role.CONTROL)
    draw = _artist(preparation, settings, library, held_out=held_out, rng=rng)
    sprites = [draw(name) for name in classes]
    camera, events, frames = Camera(settings, rng), [], 0
    schedule = _schedule(sprites, settings, rng)
    with open_writer(folder, plan.specimen_id, settings) as writer:
        for frame, total, cells, debris in schedule:
            shown = [(sprites[i], x, y) for i, x, y in cells]
            writer.write(camera.take([*debris, *shown], frame / total))
            events += [Event(frame, i, x, y) for i, x, y in cells if _inside(x, y, settings)]
            frames += 1
    return Filmed(frames, tuple(classes), tuple(s.source for s in sprites), tuple(events))


def _classes(plan: Plan, settings: SimulationSettings, rng: np.random.Generator) -> list[str]:
    names = np.repeat(np.array([*settings.classes, "intruder"]), [*plan.counts, plan.intruders])
    return [str(name) for name in rng.permutation(names)]


def _artist(
    preparation: Preparation,
    settings: SimulationSettings,
    library: CropLibrary | None,
    *,
    held_out: bool,
    rng: np.random.Generator,
) -> Callable[[str], Sprite]:
    """A function that makes a cell of a class, drawn or from a picture."""
    looks = looks_of(settings.classes)

    def draw(name: str) -> Sprite:
        optics = {
            "pixel_size_um": settings.pixel_size_um,
            "scale": settings.scale,
            "blur_um": abs(rng.normal(0, settings.defocus_um)) * 0.7,
        }
        if library and name in settings.classes:
            return library.draw(name, preparation, rng, held_out=held_out, **optics)
        return draw_cell(looks.get(name, LOOKS["intruder"]), preparation, rng, **optics)

    return draw


def _inside(x: float, y: float, settings: SimulationSettings) -> bool:
    return 0 <= x <= settings.width - 1 and 0 <= y <= settings.height - 1


Shot = tuple[int, int, list[Placed], list[tuple[Sprite, float, float]]]


def _schedule(
    sprites: list[Sprite], settings: SimulationSettings, rng: np.random.Generator
) -> Iterator[Shot]:
    """Frame number, their total, cells in the frame and debris in it."""
    if settings.mode is Mode.FLOW:
        return _flow(sprites, settings, rng)
    return _fields(sprites, settings, rng)


def _flow(
    sprites: list[Sprite], settings: SimulationSettings, rng: np.random.Generator
) -> Iterator[Shot]:
    channel = channel_of(settings)
    entering = len(sprites) * settings.transit_frames / settings.cells_per_frame
    entering = max(entering, LEAST_FRAMES)
    cells = _Moving(sprites, lay_out(_radii(sprites), int(entering), settings, rng), channel)
    number = int(rng.poisson(settings.debris_per_frame * entering / settings.transit_frames))
    particles = [_debris(settings, rng) for _ in range(number)]
    free = settings.model_copy(update={"touching": 0.0, "halting_share": 0.0, "cut_ends": True})
    debris = _Moving(particles, lay_out(_radii(particles) * 0, int(entering), free, rng), channel)
    cells.smear(settings)
    sprites[:] = cells.sprites
    total = int(entering) if settings.cut_ends else cells.last_frame(int(entering)) + 2
    for frame in range(total):
        there = debris.in_frame(frame)
        yield frame, total, cells.in_frame(frame), [(particles[i], x, y) for i, x, y in there]


class _Moving:
    """Sprites on their paths."""

    def __init__(self, sprites: list[Sprite], paths: Paths, channel: Channel) -> None:
        self.sprites, self.paths, self.channel = sprites, paths, channel
        # A path begins where the whole picture is still outside the frame.
        self.reach = np.array([max(s.absorption.shape) / 2 for s in sprites])
        self.paths.start = self.paths.start + self.reach / np.maximum(self.paths.speed, 1e-6)

    def smear(self, settings: SimulationSettings) -> None:
        if abs(settings.direction_deg) < 1:
            pixels = self.paths.speed * EXPOSURE
            self.sprites = [smear(s, p) for s, p in zip(self.sprites, pixels, strict=True)]

    def last_frame(self, least: int) -> int:
        if not self.sprites:
            return least
        away = (self.channel.length + 2 * self.reach) / self.paths.speed
        return int(np.ceil((self.paths.start + away + self.paths.halt_for).max()))

    def in_frame(self, frame: int) -> list[Placed]:
        along, across = self.paths.at(frame)
        x, y = self.channel.to_xy(along, across)
        seen = (x > -self.reach) & (x < self.channel.width + self.reach)
        seen &= (y > -self.reach) & (y < self.channel.height + self.reach)
        return [(int(i), float(x[i]), float(y[i])) for i in np.flatnonzero(seen)]


def _radii(sprites: list[Sprite]) -> np.ndarray:
    return np.array([sprite.radius for sprite in sprites], float)


def _debris(settings: SimulationSettings, rng: np.random.Generator) -> Sprite:
    # Platelets and fragments: well below the size of a cell, whatever that is.
    diameter = float(np.clip(rng.lognormal(np.log(2.0), 0.35), 0.8, 4.0)) * min(settings.scale, 1)
    absorption = rng.uniform(0.08, 0.45)
    return draw_particle(diameter, absorption, rng, pixel_size_um=settings.pixel_size_um)


def _fields(
    sprites: list[Sprite], settings: SimulationSettings, rng: np.random.Generator
) -> Iterator[Shot]:
    events = settings.mode is Mode.EVENTS
    if events:
        sizes = [1] * len(sprites)
    else:
        total = max(int(np.ceil(len(sprites) / settings.cells_per_frame)), 1)
        sizes = np.bincount(rng.integers(0, total, len(sprites)), minlength=total).tolist()
    sizes = sizes or [0] * LEAST_FRAMES
    first = 0
    for frame, size in enumerate(sizes):
        ids = range(first, first + size)
        first += size
        x, y = scatter(_radii([sprites[i] for i in ids]), settings, rng)
        if events:
            x = settings.width / 2 + rng.normal(0, 0.04 * settings.width, size)
            y = settings.height / 2 + rng.normal(0, 0.02 * settings.height, size)
        share = 0.05 if events else 1.0
        debris = [
            (_debris(settings, rng), *rng.uniform((0, 0), (settings.width, settings.height)))
            for _ in range(rng.poisson(settings.debris_per_frame * share))
        ]
        yield frame, len(sizes), list(zip(ids, x.tolist(), y.tolist(), strict=True)), debris
