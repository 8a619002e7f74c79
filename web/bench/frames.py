"""One frame of a recording with what was found in it, ready to be drawn over its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellcensus.errors import CellcensusError
from web.bench import shelves
from web.bench.film import Films
from web.bench.view import Film

if TYPE_CHECKING:
    from flows.review import Bench, BenchCell
    from pipeline.tracks import Seen


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing in a frame: corners and ways as SVG wants them, in pixels of the frame.

    ``key`` is what stands above it: the key of its class; empty for what is not counted.
    """

    cell_id: int
    corners: str
    way: str
    x: float
    y: float
    key: str
    words: str

    @property
    def counted(self) -> bool:
        """Whether it is one of the cells."""
        return self.cell_id >= 0


@dataclass(frozen=True)
class Shown:
    """A frame to show; ``problem`` is why it cannot be."""

    frame: int
    recipe_id: str
    width: int = 0
    height: int = 0
    tracked: bool = False
    things: tuple[Drawn, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    problem: CellcensusError | None = None


def shown_frame(films: Films, film: Film, bench: Bench, frame: int) -> Shown:
    """A frame by its number, kept within what there is."""
    from pipeline.tracks import has_tracks, seen_in  # noqa: PLC0415  loads the tables' library

    frame = min(frame, max(film.frames - 1, 0))
    try:
        width, height = films.size(film.folder, film.recording)
        with film.cells.folder() as folder:
            tracked = has_tracks(folder)
            seen = seen_in(folder, frame) if tracked else []
    except CellcensusError as error:
        return Shown(frame, film.recipe_id, problem=error)
    keys = {tab.name: tab.key or tab.name[:3] for tab in shelves.tabs(bench)}
    cells = cells_by_id(bench)
    things = tuple(_drawn(thing, cells.get(thing.cell_id), keys) for thing in seen)
    return Shown(frame, film.recipe_id, width, height, tracked, things, tuple(keys.items()))


def cells_by_id(bench: Bench) -> dict[int, BenchCell]:
    """``cell_id`` → the cell, wherever it stands."""
    groups = (*bench.groups, bench.bin, bench.artefacts)
    return {cell.cell_id: cell for group in groups for cell in group.cells}


def _drawn(thing: Seen, cell: BenchCell | None, keys: dict[str, str]) -> Drawn:
    top = float(thing.outline[:, 1].min()) if len(thing.outline) else thing.y - 8
    return Drawn(
        thing.cell_id,
        _points(thing.outline.tolist()),
        _points(thing.way.round(1).tolist()) if len(thing.way) > 1 else "",
        round(thing.x, 1),
        round(top - 3, 1),
        keys.get(cell.cell_class, "") if cell else "",
        _words(thing.cell_id, cell),
    )


def _words(cell_id: int, cell: BenchCell | None) -> str:
    if cell_id < 0:
        return "seen, not counted"
    if cell is None:
        return f"cell {cell_id}"
    return f"cell {cell_id}: {cell.cell_class}, {100 * cell.probability:.0f} %"


def _points(places: list[list[float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
