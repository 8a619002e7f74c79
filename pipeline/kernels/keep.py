"""The best views of each track, cut out as they come."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels.compiled import compiled
from pipeline.kernels.window import Light, look, window_of

#: A picture replaces another if it is better by this: a tenth more of focus.
_BETTER = 0.05

#: What is known of a view: index of its frame; place, width and height of the thing; its sharpness;
#: whether it touches another, whether the border cuts it; and where its window lies in the frame.
FRAME, X, Y, WIDTH, HEIGHT, FOCUS, TOUCHING, CUT, LEFT, TOP, COLUMNS, ROWS = range(12)
FACTS = 12


class Gallery(NamedTuple):
    """The best V views of the tracks in the rows of a table.

    Parameters
    ----------
    score, slot
        (rows, V) of the best views, best first: how good, and where in the arrays below.
    counts
        (rows,) how many of them there are.
    facts
        (rows, V, 12) float64.
    contrast, mask
        (rows, V, area) float32 and uint8: contrast in the window, and 255 on the thing, line by
        line. What no window fills is never written to, and takes no memory.
    """

    score: NDArray[np.float64]
    slot: NDArray[np.int64]
    counts: NDArray[np.int64]
    facts: NDArray[np.float64]
    contrast: NDArray[np.float32]
    mask: NDArray[np.uint8]


class Views(NamedTuple):
    """What was found in a frame, as views of its cells; arrays of n.

    Parameters
    ----------
    frame
        Index of the frame.
    x, y, box, focus, touching, cut
        As in `pipeline.segment.Detections`.
    points, starts
        Outlines in pixels of the shrunk frame.
    shrink
        Whole number by which it is.
    scores
        How well each would stand for its cell.
    """

    frame: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    box: NDArray[np.int64]
    focus: NDArray[np.float64]
    touching: NDArray[np.bool_]
    cut: NDArray[np.bool_]
    points: NDArray[np.int32]
    starts: NDArray[np.int64]
    shrink: int
    scores: NDArray[np.float64]


class Kept(NamedTuple):
    """Views of some cells, taken out of a gallery: m in all, one cell after the other, best first.

    Parameters
    ----------
    counts
        (n,) views of each cell.
    facts
        (m, 12) float64.
    contrast, mask
        Their windows, line by line, one after the other.
    """

    counts: NDArray[np.int64]
    facts: NDArray[np.float64]
    contrast: NDArray[np.float32]
    mask: NDArray[np.uint8]


def empty_gallery(rows: int, views: int, area: int) -> Gallery:
    """A gallery with room for windows of so many pixels."""
    return Gallery(
        score=np.zeros((rows, views)),
        slot=np.zeros((rows, views), np.int64),
        counts=np.zeros(rows, np.int64),
        facts=np.zeros((rows, views, FACTS)),
        contrast=np.empty((rows, views, area), np.float32),
        mask=np.empty((rows, views, area), np.uint8),
    )


@compiled
def move_views(before: Gallery, after: Gallery) -> None:
    """Copy all views into a larger gallery; of their windows only what they fill."""
    known = len(before.counts)
    after.score[:known], after.slot[:known] = before.score, before.slot
    after.counts[:known], after.facts[:known] = before.counts, before.facts
    for row in range(known):
        for slot in range(before.counts[row]):
            facts = before.facts[row, slot]
            area = int(facts[COLUMNS] * facts[ROWS])
            after.contrast[row, slot, :area] = before.contrast[row, slot, :area]
            after.mask[row, slot, :area] = before.mask[row, slot, :area]


@compiled
def keep_views(
    gallery: Gallery,
    owners: NDArray[np.int64],
    views: Views,
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    light: Light,
    most: int,
) -> None:
    """Put the views of one frame among the best of their tracks, and cut those out that are.

    Parameters
    ----------
    owners
        (n,) row of each detection's track; −1 where none is asked for.
    pixels, ground, light
        As for `pipeline.kernels.window.look`.
    most
        Longest side of a window; its square has room in the gallery.
    """
    for index in range(len(owners)):
        row = owners[index]
        if row >= 0:
            slot = enter(gallery, row, views.scores[index])
            if slot >= 0:
                _cut_out(gallery, row, slot, index, views, pixels, ground, light, most)


@compiled
def enter(gallery: Gallery, row: int, score: float) -> int:
    """Put a view among the best of a row, if it is; the slot it gets, or −1."""
    number = gallery.counts[row]
    slot = number
    if number == gallery.score.shape[1]:
        number -= 1
        if score <= gallery.score[row, number] + _BETTER:
            return -1
        slot = gallery.slot[row, number]
    place = number
    while place > 0 and gallery.score[row, place - 1] < score:
        gallery.score[row, place] = gallery.score[row, place - 1]
        gallery.slot[row, place] = gallery.slot[row, place - 1]
        place -= 1
    gallery.score[row, place], gallery.slot[row, place] = score, slot
    gallery.counts[row] = number + 1
    return slot


@compiled
def _cut_out(
    gallery: Gallery,
    row: int,
    slot: int,
    index: int,
    views: Views,
    pixels: NDArray[Any],
    ground: NDArray[np.float32],
    light: Light,
    most: int,
) -> None:
    box = views.box[index]
    window = window_of(box, pixels.shape, most)
    facts, area = gallery.facts[row, slot], window[2] * window[3]
    facts[FRAME], facts[X], facts[Y] = views.frame, views.x[index], views.y[index]
    facts[WIDTH], facts[HEIGHT], facts[FOCUS] = box[2], box[3], views.focus[index]
    facts[TOUCHING], facts[CUT] = views.touching[index], views.cut[index]
    facts[LEFT], facts[TOP], facts[COLUMNS], facts[ROWS] = window
    contrast = gallery.contrast[row, slot, :area].reshape((window[3], window[2]))
    mask = gallery.mask[row, slot, :area].reshape((window[3], window[2]))
    outline = views.points[views.starts[index] : views.starts[index + 1]]
    look(pixels, ground, window, light, (outline, views.shrink), contrast, mask)


@compiled
def take_out(gallery: Gallery, rows: NDArray[np.int64]) -> Kept:
    """Copy the views of some tracks."""
    counts = gallery.counts[rows]
    facts = np.empty((counts.sum(), FACTS))
    view, pixels = 0, 0
    for row in rows:
        for place in range(gallery.counts[row]):
            facts[view] = gallery.facts[row, gallery.slot[row, place]]
            pixels += int(facts[view, COLUMNS] * facts[view, ROWS])
            view += 1
    contrast, mask = np.empty(pixels, np.float32), np.empty(pixels, np.uint8)
    view, begin = 0, 0
    for row in rows:
        for place in range(gallery.counts[row]):
            slot, area = gallery.slot[row, place], int(facts[view, COLUMNS] * facts[view, ROWS])
            contrast[begin : begin + area] = gallery.contrast[row, slot, :area]
            mask[begin : begin + area] = gallery.mask[row, slot, :area]
            view, begin = view + 1, begin + area
    return Kept(counts, facts, contrast, mask)
