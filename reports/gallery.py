"""The gallery of a report: the shelves of the classes, and that of the cells without a class."""

from __future__ import annotations

from dataclasses import dataclass

from reports.content import UNCLASSIFIED, CellPicture, GalleryClass, SpecimenReport
from reports.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class Strange:
    """The unclassified cells: how many there are, what that means, and some or all of them."""

    heading: str
    meaning: str
    label: str
    cells: tuple[CellPicture, ...]


def class_shelves(content: SpecimenReport) -> tuple[GalleryClass, ...]:
    """The shelves of the classes, in the order of the report."""
    return tuple(shelf for shelf in content.gallery if shelf.cell_class != UNCLASSIFIED)


def strange_shelf(content: SpecimenReport, say: Words) -> Strange | None:
    """The shelf of the unclassified cells; ``None`` where none is shown."""
    cells = tuple(
        cell
        for shelf in content.gallery
        if shelf.cell_class == UNCLASSIFIED
        for cell in (*shelf.typical, *shelf.uncertain)
    )
    if not cells:
        return None
    count = max(content.unclassified, len(cells))
    numbers = {"shown": say.number(len(cells)), "count": say.number(count)}
    return Strange(
        say("gallery.unclassified", count=numbers["count"]),
        f"{say('gallery.unclassified_means')} {say('gallery.unclassified_number')}",
        say("gallery.unclassified_some", **numbers)
        if len(cells) < count
        else say("gallery.unclassified_all"),
        cells,
    )
