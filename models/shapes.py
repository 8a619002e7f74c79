"""What a cell looks like in a few plain numbers that no network had a hand in.

A network keeps only what tells its classes apart, and news may lie in all the rest. These numbers
are measured on the picture itself.
"""

from __future__ import annotations

import numpy as np

SHAPES = (
    "log_area",
    "log_contrast",
    "log_contrast_sd",
    "log_elongation",
    "log_concentration",
    "log_gradient",
    "log_curvature",
    "skewness",
    "log_compactness",
)
_CHUNK, _BRIGHT, _EDGE, _LEAST, _FEWEST_PIXELS = 1024, 20, 0.3, 6 / 127, 4


def measure_shapes(crops: np.ndarray) -> np.ndarray:
    """Plain features of each cell's best view.

    Parameters
    ----------
    crops
        (n, V, S, S) uint8, 128 the background; read in pieces.

    Returns
    -------
    (n, 9) float32, columns as in ``SHAPES``, all without a unit.
    """
    out = np.zeros((len(crops), len(SHAPES)), np.float32)
    for start in range(0, len(crops), _CHUNK):
        part = np.array(crops[start : start + _CHUNK, 0], np.float32)
        out[start : start + len(part)] = _measure((part - 128) / 127)
    return out


def _measure(picture: np.ndarray) -> np.ndarray:
    inside = _inside(picture)
    area = np.maximum(inside.sum((1, 2)), _FEWEST_PIXELS)

    def mean(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.einsum("nyx,nyx->n", values, inside) / area
        return found

    level = mean(picture)
    rest = picture - level[:, None, None]
    sd = np.sqrt(mean(np.square(rest)))
    skewness = mean(rest**3) / np.maximum(sd, 1e-3) ** 3
    spread, elongation, compact, inward = _moments(np.abs(picture), inside, area)
    columns = (
        np.log(area),
        np.log(np.abs(level) + 0.02),
        np.log(sd + 0.01),
        np.log(elongation + 0.02),
        np.log(inward / spread),
        np.log(mean(_gradient(picture)) + 0.005),
        np.log(mean(_curvature(picture)) + 0.005),
        np.clip(skewness, -5, 5),
        compact,
    )
    return np.stack(columns, axis=1)


def _inside(picture: np.ndarray) -> np.ndarray:
    """Pixels of the cell: all above a share of its darkest ones, as floats."""
    depth = np.abs(picture)
    flat = depth.reshape(len(depth), -1)
    peak = np.partition(flat, -_BRIGHT, axis=1)[:, -_BRIGHT]
    found: np.ndarray = depth > np.maximum(_LEAST, _EDGE * peak)[:, None, None]
    return found.astype(np.float32)


def _moments(
    depth: np.ndarray, inside: np.ndarray, area: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Second moment, elongation, compactness, and second moment weighted by contrast."""
    side = depth.shape[-1]
    at = np.arange(side, dtype=np.float32) - (side - 1) / 2
    rows, columns = inside.sum(2), inside.sum(1)
    y, x = rows @ at / area, columns @ at / area
    yy = np.maximum(rows @ at**2 / area - y**2, 0.05)
    xx = np.maximum(columns @ at**2 / area - x**2, 0.05)
    xy = np.einsum("nyx,y,x->n", inside, at, at) / area - x * y
    spread = xx + yy
    elongation = np.hypot(xx - yy, 2 * xy) / spread
    ellipse = 4 * np.pi * np.sqrt(np.maximum(xx * yy - xy**2, 1e-3))
    compact = np.log(area / ellipse)
    weight = depth * inside
    whole = np.maximum(weight.sum((1, 2)), 1e-3)
    down, along = weight.sum(2), weight.sum(1)
    about = ((at - y[:, None]) ** 2 * down).sum(1) + ((at - x[:, None]) ** 2 * along).sum(1)
    return spread, elongation, compact, np.maximum(about / whole, 1e-3)


def _gradient(picture: np.ndarray) -> np.ndarray:
    """Steepness at each pixel."""
    out = np.zeros_like(picture)
    down = np.diff(picture, axis=1)[:, :, :-1]
    along = np.diff(picture, axis=2)[:, :-1]
    out[:, :-1, :-1] = np.hypot(down, along)
    return out


def _curvature(picture: np.ndarray) -> np.ndarray:
    """Size of the Laplacian at each pixel."""
    out = np.zeros_like(picture)
    middle = picture[:, 1:-1, 1:-1]
    around = picture[:, :-2, 1:-1] + picture[:, 2:, 1:-1]
    around = around + picture[:, 1:-1, :-2] + picture[:, 1:-1, 2:]
    out[:, 1:-1, 1:-1] = np.abs(around - 4 * middle)
    return out
