"""Recordings at random conditions: corners that nobody thought of when naming scenarios."""

from __future__ import annotations

import random
from typing import Any

_AREA_UM2 = 2500.0  # in which a frame shows 0.1 to 1.2 cells


def draw_conditions(seed: int) -> dict[str, Any]:
    """Settings of a simulation; each but the picture's size is drawn by itself.

    Parameters
    ----------
    seed
        Same seed, same settings.
    """
    draw = random.Random(seed)
    mode = draw.choices(["flow", "fields", "events"], [0.75, 0.15, 0.1])[0]
    conditions = {"mode": mode, "polarity": draw.choice(["dark", "dark", "bright"])}
    conditions |= _camera(draw, mode)
    return conditions | {
        "touching": draw.choice([0, 0.03, 0.1]),
        "transit_frames": draw.choice([3, 5, 8, 15, 30]),
        "velocity_profile": draw.choice([0, 0.35, 0.6]),
        "direction_deg": draw.choice([0, 0, 180, 90, 270, 30]),
        "halting_share": draw.choice([0, 0, 0.1]),
        "cut_ends": draw.choice([False, True]),
        "noise": draw.choice([0.5, 1.6, 4]),
        "contrast": draw.choice([0.6, 1, 1.2]),
        "shading": draw.choice([0, 0.12, 0.4]),
        "drift": draw.choice([0, 0.03, 0.2]),
        "flicker": draw.choice([0, 0.002, 0.02]),
        "defocus_um": draw.choice([0, 0.25, 0.6]),
        "debris_per_frame": draw.choice([0, 4, 10]),
        "dirt": draw.choice([0, 6, 20]),
    }


def _camera(draw: random.Random, mode: str) -> dict[str, Any]:
    if mode == "events":
        size = {"width": 112, "height": 80, "pixel_size_um": draw.choice([0.3, 0.4, 0.5])}
        return {**size, "format": "rtdc"}
    width = draw.choice([320, 480, 640])
    pixel = draw.choice([0.2, 0.3, 0.4, 0.5, 0.7, 1.0])
    kinds = ["png", "tif"] if mode == "fields" else ["mp4", "avi", "mkv", "tif"]
    camera = {"width": width, "height": width * 3 // 4, "pixel_size_um": pixel}
    camera["format"] = draw.choice(kinds)
    if camera["format"] in ("tif", "png"):
        camera["bit_depth"] = draw.choice([8, 16])
    if camera["format"] == "mp4":
        camera["compression"] = draw.choice([0, 50])
    shown = camera["width"] * camera["height"] * pixel**2 / _AREA_UM2
    camera["cells_per_frame"] = max(0.5, round(draw.choice([0.1, 0.4, 0.8, 1.2]) * shown, 1))
    return camera
