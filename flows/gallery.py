"""Cells of a specimen → the pictures of them that its report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cellcensus.errors import PicturesGoneError
from flows.classified import UNCLASSIFIED, Classified
from flows.keptcells import KeptCells

if TYPE_CHECKING:
    import numpy as np

    from reports.content import CellPicture, GalleryClass


def gallery(classified: Classified, kept: KeptCells, shown: int) -> tuple[GalleryClass, ...]:
    """A shelf a class, then one of the cells without a class, if there are any.

    Parameters
    ----------
    classified
        Every cell where it stands now.
    shown
        Cells on each half of a shelf; the unclassified ones have a whole shelf.
    """
    from pipeline.cells import read_cells
    from reports.content import UNCLASSIFIED as WITHOUT
    from reports.content import GalleryClass

    if not shown:
        return ()
    try:
        with kept.folder() as folder:
            crops = read_cells(folder).crops
    except PicturesGoneError:
        return ()  # a finding of the specimen says so

    shelves = []
    for number, name in enumerate(classified.classes):
        order = _most_certain_first(classified, number)
        typical, rest = order[:shown], order[shown:]
        uncertain = rest[::-1][:shown]
        shelves.append(
            GalleryClass(
                name, *(_pictures(classified, crops, part) for part in (typical, uncertain))
            )
        )
    strange = spread(classified, 2 * shown)
    if len(strange):
        shelves.append(GalleryClass(WITHOUT, uncertain=_pictures(classified, crops, strange)))
    return tuple(shelves)


def spread(classified: Classified, most: int) -> np.ndarray:
    """Places of the unclassified cells to be shown, at most so many.

    How strange a cell is was not kept, and its probability does not tell: of strange cells those
    that the network was surest of are as strange as those that it wavered over. Either end alone
    would hide a kind of cell, so they are drawn evenly from the surest to the least sure. Those
    that a person put there have no probability, and come first.
    """
    import numpy as np

    order = _most_certain_first(classified, UNCLASSIFIED)
    put = np.isnan(classified.probability[order])
    order = np.concatenate([order[put], order[~put]])
    first = min(int(put.sum()), most)
    rest, room = order[int(put.sum()) :], most - first
    if len(rest) > room:
        rest = rest[np.arange(room) * (len(rest) - 1) // max(room - 1, 1)]
    return np.concatenate([order[:first], rest])


def _most_certain_first(classified: Classified, number: int) -> np.ndarray:
    """Places of the cells of one class; a stable order, so that the same cells are shown again."""
    import numpy as np

    members = np.flatnonzero(classified.cell_class == number)
    return members[np.argsort(-classified.probability[members], kind="stable")]


def _pictures(
    classified: Classified, crops: np.ndarray, places: np.ndarray
) -> tuple[CellPicture, ...]:
    import numpy as np

    from reports.content import CellPicture

    return tuple(
        CellPicture(
            int(classified.cell_id[i]), np.array(crops[i, 0]), float(classified.probability[i])
        )
        for i in places
    )
