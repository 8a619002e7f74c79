"""One cell over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: x, y, area, whether the border cuts it, whether it was cut out of a blob: see `Detections`.
Sighting = tuple[float, float, float, bool, bool]


@dataclass(slots=True, eq=False)
class Track:
    """One cell over time.

    Parameters
    ----------
    frames, x, y, area
        Of each sighting, in order; areas are those of whole cells.
    born_inside
        First seen where no cell can come from: neither at the border nor in the first frame.
    left_inside
        Last seen where no cell can leave.
    free, split, host, shared
        Sightings alone; as one piece of a blob that was cut; in a blob that was not, as the one
        it was given to, and as another.
    visited
        Whether its centre was ever inside the picture.
    missed
        Frames since the last sighting.
    views
        Whatever the caller keeps of the cell's pictures.
    """

    frames: list[int]
    x: list[float]
    y: list[float]
    area: list[float]
    born_inside: bool = False
    left_inside: bool = False
    free: int = 0
    split: int = 0
    host: int = 0
    shared: int = 0
    visited: bool = False
    missed: int = 0
    views: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frames)

    def see(self, frame: int, sighting: Sighting) -> None:
        """Take a sighting of its own."""
        x, y, area, cut, touching = sighting
        self._place(frame, x, y)
        # The border hides part of a cell: its size is what it was.
        self.area.append(self.area[-1] if cut and self.area else area)
        if touching:
            self.split += 1
        else:
            self.free += 1

    def see_inside(self, frame: int, x: float, y: float, *, guest: bool) -> None:
        """Take a sighting inside a blob that holds other cells too."""
        self._place(frame, x, y)
        self.area.append(self.area[-1])
        if guest:
            self.shared += 1
        else:
            self.host += 1

    def _place(self, frame: int, x: float, y: float) -> None:
        self.frames.append(frame)
        self.x.append(x)
        self.y.append(y)
        self.missed = 0
