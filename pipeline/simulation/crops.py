"""Sprites made of pictures of real cells: ``DIR/<class>/*.png``, gray with or without alpha."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np

from cellcensus.errors import UsageError
from pipeline.simulation.looks import Preparation
from pipeline.simulation.sprites import Sprite, soften

BORDER = 2
PART_OF_CELL = 0.05  # share of light taken away


class CropLibrary:
    """Pictures of each class, in two halves by file name.

    Specimens to be predicted are made of pictures that no other specimen shows; otherwise a model
    could know its cells by heart.

    Parameters
    ----------
    folder
        Holds one folder a class.
    classes
        Needed classes.
    crop_pixel_um
        Width of a pixel of these pictures in µm.

    Raises
    ------
    UsageError
        If a class has fewer than two pictures.
    """

    def __init__(self, folder: Path, classes: tuple[str, ...], crop_pixel_um: float = 0.36) -> None:
        self.crop_pixel_um = crop_pixel_um
        self.files: dict[tuple[str, bool], list[Path]] = {}
        for name in classes:
            files = sorted((folder / name).glob("*.png"))
            for held_out in (False, True):
                half = [f for f in files if (zlib.crc32(f.name.encode()) % 2 == 1) == held_out]
                if not half:
                    raise UsageError(
                        f"There are too few pictures of {name}",
                        file=folder / name,
                        next_step="Put at least a few PNG pictures of single cells there.",
                    )
                self.files[name, held_out] = half

    def draw(
        self,
        cell_class: str,
        preparation: Preparation,
        rng: np.random.Generator,
        *,
        held_out: bool,
        pixel_size_um: float,
        scale: float,
        blur_um: float,
    ) -> Sprite:
        """A randomly chosen, turned and mirrored cell of a class."""
        files = self.files[cell_class, held_out]
        file = files[int(rng.integers(len(files)))]
        absorption = read_absorption(file)
        factor = self.crop_pixel_um / pixel_size_um * preparation.size * scale
        absorption = _turned(absorption, rng.uniform(0, 360), factor)
        if rng.random() < 0.5:
            absorption = absorption[:, ::-1]
        # A nucleus is what is dark; stains change dark and pale parts by their own factors.
        share = np.clip((absorption - 0.3) / 0.3, 0, 1)
        stain = preparation.cytoplasm * (1 - share) + preparation.nucleus * share
        radius = float(np.sqrt((absorption > PART_OF_CELL).sum() / np.pi))
        blur = float(np.hypot(preparation.blur_um, blur_um)) / pixel_size_um
        absorption = soften(absorption * stain * preparation.contrast, blur)
        return Sprite(np.clip(absorption, 0, 0.95).astype(np.float32), max(radius, 1.0), file.name)


def read_absorption(file: Path) -> np.ndarray:
    """A picture as share of light taken away, (h, w) float32, 0 outside the cell.

    Without alpha, the background is the median of the border, and the cell the largest part that
    differs from it.

    Raises
    ------
    UsageError
        If the file is no picture.
    """
    picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise UsageError("A picture of a cell cannot be read", file=file, next_step="Remove it.")
    largest = 65535.0 if picture.dtype == np.uint16 else 255.0
    gray = picture if picture.ndim == 2 else picture[..., : min(3, picture.shape[2])].mean(axis=2)
    gray = gray.astype(np.float32) / largest
    if picture.ndim == 3 and picture.shape[2] == 4:
        alpha = picture[..., 3].astype(np.float32) / largest
        outside = gray[alpha < 0.1]  # darker neighbours may lie there too
        level = float(np.quantile(outside, 0.7)) if outside.size > 20 else 200 / 255
        # A neighbour that was cut out with the cell would count as a second one.
        alpha = alpha * _largest_part((alpha > 0.1).astype(np.uint8))
    else:
        border = np.concatenate([gray[:BORDER].ravel(), gray[-BORDER:].ravel()])
        level = float(np.median(border))
        alpha = _cell_mask(np.abs(gray - level))
    return (np.clip(1 - gray / max(level, 0.05), 0, 1) * alpha).astype(np.float32)


def _cell_mask(difference: np.ndarray) -> np.ndarray:
    scaled = cv2.normalize(difference, np.zeros_like(difference), 0, 255, cv2.NORM_MINMAX)
    smooth = cv2.GaussianBlur(scaled, (0, 0), 1).astype(np.uint8)
    _, mask = cv2.threshold(smooth, 0, 255, cv2.THRESH_OTSU)
    return cv2.GaussianBlur(_largest_part(mask), (0, 0), 0.7)


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask, its holes filled, (h, w) float32 of 0 and 1."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.float32)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1.0, cv2.FILLED)
    return filled


def _turned(picture: np.ndarray, angle: float, factor: float) -> np.ndarray:
    """Turn and scale, with the cell's centroid in the middle of the result."""
    y, x = np.nonzero(picture > PART_OF_CELL)
    if x.size == 0:
        return picture
    middle = (float(x.mean()), float(y.mean()))
    reach = float(np.hypot(x - middle[0], y - middle[1]).max()) * factor
    side = 2 * int(np.ceil(reach + 2)) + 1
    matrix = cv2.getRotationMatrix2D(middle, angle, factor)
    matrix[0, 2] += (side - 1) / 2 - middle[0]
    matrix[1, 2] += (side - 1) / 2 - middle[1]
    smooth = picture
    if factor < 1:  # otherwise fine grains would turn into noise
        smooth = cv2.GaussianBlur(picture, (0, 0), 0.4 / factor)
    return cv2.warpAffine(smooth, matrix, (side, side), flags=cv2.INTER_LINEAR)
