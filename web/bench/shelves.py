"""The gallery: a specimen's cells by class, the least certain first, one page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.review.bench import Bench, BenchCell

UNCLASSIFIED, ARTEFACT = "unclassified", "artefact"
#: Cells on a page of the gallery.
PAGE = 60


@dataclass(frozen=True, slots=True)
class Tab:
    """One class of the gallery; ``key`` is what moves cells into it."""

    name: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of the cells of one class; pages count from 1."""

    name: str
    cells: tuple[BenchCell, ...]
    page: int
    total: int

    @property
    def more(self) -> bool:
        """Whether there are cells after this page."""
        return self.page * PAGE < self.total

    @property
    def ids(self) -> str:
        """The cells of this page for an address."""
        return ",".join(str(cell.cell_id) for cell in self.cells)


def tabs(bench: Bench) -> list[Tab]:
    """All classes in reporting order, then the bin of the unclassified, then the artefacts."""
    named = [
        Tab(group.cell_class, str(place) if place < 10 else "", len(group.cells))
        for place, group in enumerate(bench.groups, start=1)
    ]
    return [
        *named,
        Tab(UNCLASSIFIED, "u", len(bench.bin.cells)),
        Tab(ARTEFACT, "a", len(bench.artefacts.cells)),
    ]


def shelf(bench: Bench, name: str, page: int = 1) -> Shelf:
    """A page of one class; of the first that needs a look, where there is no such class."""
    groups = {group.cell_class: group for group in bench.groups}
    groups |= {UNCLASSIFIED: bench.bin, ARTEFACT: bench.artefacts}
    name = name if name in groups else first_to_look_at(bench)
    cells = groups[name].cells if name in groups else ()
    page = min(max(page, 1), max(-(-len(cells) // PAGE), 1))
    return Shelf(name, cells[(page - 1) * PAGE : page * PAGE], page, len(cells))


def first_to_look_at(bench: Bench) -> str:
    """The bin while nobody has looked at it, then the first class that has cells."""
    if bench.bin.cells and not bench.bin_seen_by:
        return UNCLASSIFIED
    with_cells = [group.cell_class for group in bench.groups if group.cells]
    return (with_cells or [UNCLASSIFIED])[0]
