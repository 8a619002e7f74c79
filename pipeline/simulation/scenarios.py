"""Named presets: what makes a recording hard, one thing at a time."""

from __future__ import annotations

from typing import Any

from pipeline.simulation.settings import SimulationSettings

SCENARIOS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dense": {
        "width": 640,
        "height": 480,
        "pixel_size_um": 0.5,
        "cells": 600,
        "cells_per_frame": 60,
        "touching": 0.15,
    },
    "faint": {"contrast": 0.5},
    "fast": {"transit_frames": 2.4, "velocity_profile": 0.15, "cells_per_frame": 4},
    "slow": {"transit_frames": 40, "velocity_profile": 0.3, "halting_share": 0.15, "dirt": 15},
    "stuck": {
        "cells_per_frame": 0.8,
        "transit_frames": 5,
        "velocity_profile": 0.6,
        "halting_share": 0.1,
    },
    "profile": {"velocity_profile": 0.8, "transit_frames": 7},
    "flicker": {"flicker": 0.02, "drift": 0.25, "shading": 0.35},
    "defocus": {"defocus_um": 0.9, "focus_drift_um": 0.8},
    "noise": {"noise": 10.0},
    "bright": {"polarity": "bright"},
    "small": {"scale": 0.35, "pixel_size_um": 1.0, "defocus_um": 0.0, "noise": 0.8},
    "large": {
        "pixel_size_um": 0.2,
        "width": 480,
        "height": 360,
        "cells_per_frame": 4,
        "scale": 1.05,
    },
    "compressed": {"format": "mp4", "compression": 80},
    "fields": {"mode": "fields", "cells_per_frame": 8, "format": "png"},
    "lossless16": {"format": "tif", "bit_depth": 16},
    "events": {"mode": "events", "format": "rtdc", "width": 112, "height": 80},
    "cut": {"cut_ends": True},
    "vertical": {"direction_deg": 90.0},
    "debris": {"debris_per_frame": 15, "dirt": 25},
}


def scenario(name: str, /, **changes: Any) -> SimulationSettings:
    """The settings of a preset, with changes.

    Raises
    ------
    KeyError
        For an unknown name.
    """
    return SimulationSettings(**{"name": name, **SCENARIOS[name], **changes})
