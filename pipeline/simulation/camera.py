"""Light, dirt, focus and noise: from what cells take away to what a camera writes."""

from __future__ import annotations

import cv2
import numpy as np

from cellcensus.study import Polarity
from pipeline.simulation.settings import SimulationSettings
from pipeline.simulation.sprites import Sprite, draw_particle

NOISE_POOL = 1_500_000
USUAL_PIXELS = 320 * 240  # the frame in which the settings count dirt
SIXTEEN_BIT_GAIN = 16.0  # a 12-bit camera in 16-bit files
BRIGHT_GAIN = 2.2  # fluorescence-like: contrast above a dark ground


class Camera:
    """Takes the frames of one specimen.

    Parameters
    ----------
    settings
        Of the study.
    rng
        Source of chance; the specimen's own, so that specimens do not depend on each other.
    """

    def __init__(self, settings: SimulationSettings, rng: np.random.Generator) -> None:
        self.settings, self.rng = settings, rng
        self.bright = settings.polarity is Polarity.BRIGHT
        self.level = rng.uniform(55, 75) if self.bright else rng.uniform(150, 195)
        self.ground = self._ground()
        self.pool = rng.standard_normal(
            max(NOISE_POOL, 2 * self.ground.size), dtype=np.float32
        ) * np.float32(settings.noise)
        self.phase = rng.uniform(0, 2 * np.pi, 2)
        self.tilt = rng.uniform(0, 2 * np.pi)

    def _ground(self) -> np.ndarray:
        """Light over the frame without cells, (H, W) float32: a slope, a vignette and dirt."""
        settings, rng = self.settings, self.rng
        y, x = np.mgrid[: settings.height, : settings.width].astype(np.float32)
        u, v = x / settings.width - 0.5, y / settings.height - 0.5
        angle = rng.uniform(0, 2 * np.pi)
        slope = u * np.cos(angle) + v * np.sin(angle)
        light = 1 + settings.shading * (slope - 0.5 * (u * u + v * v))
        area = light.size / USUAL_PIXELS
        for _ in range(rng.poisson(settings.dirt * area)):
            dirt = draw_particle(
                rng.uniform(1.5, 9.0),
                rng.uniform(0.04, 0.3),
                rng,
                pixel_size_um=settings.pixel_size_um,
            )
            taken = np.zeros_like(light)
            place = rng.uniform(0, settings.width), rng.uniform(0, settings.height)
            paste(taken, dirt.absorption, *place)
            light *= 1 - taken
        return (self.level * light).astype(np.float32)

    def take(self, cells: list[tuple[Sprite, float, float]], time: float) -> np.ndarray:
        """One frame.

        Parameters
        ----------
        cells
            Sprites with the place (x, y) of their centres, in pixels.
        time
            Share of the recording that has passed, for what changes slowly.

        Returns
        -------
        ndarray
            (H, W) uint8, or uint16 where the settings ask for 16 bits.
        """
        settings = self.settings
        through = np.ones_like(self.ground)
        for sprite, x, y in cells:
            _multiply(through, sprite.absorption * np.float32(settings.contrast), x, y)
        if self.bright:
            through = 1 + BRIGHT_GAIN * (1 - through)
        if settings.focus_drift_um > 0:
            sigma = settings.focus_drift_um * abs(np.sin(np.pi * time + self.phase[1]))
            if sigma / settings.pixel_size_um > 0.2:
                through = cv2.GaussianBlur(through, (0, 0), sigma / settings.pixel_size_um)
        frame = through * self.ground * np.float32(self._light(time))
        return self._digitise(frame + self._noise())

    def _light(self, time: float) -> float:
        settings = self.settings
        slow = settings.drift * np.sin(2 * np.pi * 0.7 * time + self.phase[0])
        return float((1 + slow) * (1 + self.rng.normal(0, settings.flicker)))

    def _noise(self) -> np.ndarray:
        # Cut at random out of a pool: drawing afresh would take most of the time of rendering.
        start = int(self.rng.integers(self.pool.size - self.ground.size))
        return self.pool[start : start + self.ground.size].reshape(self.ground.shape)

    def _digitise(self, frame: np.ndarray) -> np.ndarray:
        if self.settings.bit_depth == 16:
            return np.clip(frame * SIXTEEN_BIT_GAIN + 0.5, 0, 4095).astype(np.uint16)
        eight: np.ndarray = np.clip(frame + 0.5, 0, 255).astype(np.uint8)
        if self.settings.compression:
            quality = [cv2.IMWRITE_JPEG_QUALITY, 100 - self.settings.compression]
            coarse = cv2.imencode(".jpg", eight, quality)[1]
            eight = np.asarray(cv2.imdecode(coarse, cv2.IMREAD_GRAYSCALE))
        return eight


def paste(canvas: np.ndarray, picture: np.ndarray, x: float, y: float) -> None:
    """Put a picture centred at (x, y), between pixels where need be, cut at the border."""
    where, piece = _placed(canvas.shape, picture, x, y)
    if piece is not None:
        canvas[where] = np.maximum(canvas[where], piece)


def _multiply(through: np.ndarray, absorption: np.ndarray, x: float, y: float) -> None:
    where, piece = _placed(through.shape, absorption, x, y)
    if piece is not None:
        # Cells in contact do not take away the same light twice: they lie side by side.
        through[where] = np.minimum(through[where], 1 - np.clip(piece, 0, 0.97))


def _placed(
    shape: tuple[int, ...], picture: np.ndarray, x: float, y: float
) -> tuple[tuple[slice, slice], np.ndarray | None]:
    height, width = picture.shape
    left, top = x - (width - 1) / 2, y - (height - 1) / 2
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    a, b, c, d = (
        max(x0, 0),
        max(y0, 0),
        min(x0 + width + 1, shape[1]),
        min(y0 + height + 1, shape[0]),
    )
    where = (slice(b, d), slice(a, c))
    if a >= c or b >= d:
        return where, None
    shift = np.array([[1, 0, left - x0], [0, 1, top - y0]], np.float32)
    moved = cv2.warpAffine(picture, shift, (width + 1, height + 1))
    return where, moved[b - y0 : d - y0, a - x0 : c - x0]


def smear(sprite: Sprite, pixels: float) -> Sprite:
    """A cell that moves by ``pixels`` along x while the shutter is open."""
    width = round(pixels)
    if width < 2:
        return sprite
    grown = cv2.copyMakeBorder(sprite.absorption, 0, 0, width, width, cv2.BORDER_CONSTANT, value=0)
    return Sprite(cv2.blur(grown, (width, 1)), sprite.radius, sprite.source)
