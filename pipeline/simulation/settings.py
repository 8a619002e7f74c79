"""What a simulated study is like."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from cellcensus.settings import Section
from cellcensus.study import Mode, Polarity

Format = Literal["avi", "mp4", "mkv", "tif", "png", "rtdc"]
CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")


class SimulationSettings(Section):
    """Specimens, donors, flow, optics and camera of a simulated study."""

    seed: int = Field(1, ge=0, description="Seed of every random draw.")
    name: str = Field(
        "simulated",
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?$",
        description="Name of the study.",
    )
    classes: tuple[str, ...] = Field(CLASSES, min_length=2, max_length=6)
    # Specimens
    purified_per_class: int = Field(2, ge=0, description="Purified specimens of each class.")
    mixed: int = Field(8, ge=0, description="Specimens with analyser totals.")
    unknown: int = Field(4, ge=0, description="Specimens to be predicted.")
    blanks: int = Field(1, ge=0, description="Specimens without cells.")
    controls: int = Field(
        0, ge=0, description="Specimens of known composition, never learned from."
    )
    cells: int = Field(150, ge=1, description="Cells of a specimen, on average.")
    abnormal_share: float = Field(0.4, ge=0, le=1, description="Donors whose blood is abnormal.")
    purity: tuple[float, float] = Field((0.85, 0.99), description="Range of true purities.")
    purity_error: float = Field(0.015, ge=0, description="SD of the stated purity.")
    analyser: float = Field(1.0, ge=0, description="Times the usual noise of an analyser.")
    recovery: float = Field(0.92, gt=0, le=1, description="Share of the cells that are filmed.")
    recovery_sd: float = Field(0.03, ge=0, description="Its spread between specimens.")
    class_recovery_sd: float = Field(0.03, ge=0, description="Its spread between classes (log).")
    intruder_share: float = Field(0.0, ge=0, le=0.5, description="Cells of no class, in unknown.")
    # How cells look
    donor: float = Field(1.0, ge=0, description="Times the usual difference between donors.")
    chemistry: float = Field(1.0, ge=0, description="Times what purification does to cells.")
    scale: float = Field(1.0, gt=0, description="Times the usual diameter of cells.")
    contrast: float = Field(1.0, gt=0, description="Times the usual contrast of cells.")
    defocus_um: float = Field(0.25, ge=0, description="Spread of blur between cells.")
    # Flow
    mode: Mode = Mode.FLOW
    cells_per_frame: float = Field(6.0, gt=0, description="Cells in a frame, on average.")
    touching: float = Field(0.03, ge=0, le=0.5, description="Cells that touch another.")
    transit_frames: float = Field(8.0, ge=1, description="Frames in which a cell is seen.")
    velocity_profile: float = Field(0.35, ge=0, lt=1, description="1: still at the walls.")
    direction_deg: float = Field(0.0, description="Direction of flow; 90 is downwards.")
    halting_share: float = Field(0.0, ge=0, le=1, description="Cells that stop for a while.")
    debris_per_frame: float = Field(4.0, ge=0, description="Moving particles in a frame.")
    dirt: int = Field(6, ge=0, description="Particles that stay put, in 320 × 240 pixels.")
    cut_ends: bool = Field(False, description="Filming starts and ends amid the flow of cells.")
    # Camera
    format: Format = "mp4"
    bit_depth: Literal[8, 16] = 8
    width: int = Field(320, ge=16)
    height: int = Field(240, ge=16)
    pixel_size_um: float = Field(0.4, gt=0)
    frame_rate_hz: float = Field(50.0, gt=0)
    polarity: Polarity = Polarity.DARK
    noise: float = Field(1.6, ge=0, description="SD of noise, levels of 255.")
    shading: float = Field(0.12, ge=0, description="Fall of light over the frame.")
    drift: float = Field(0.03, ge=0, description="Slow change of light over the recording.")
    flicker: float = Field(0.002, ge=0, description="SD of light from frame to frame.")
    focus_drift_um: float = Field(0.0, ge=0, description="Blur that comes and goes.")
    compression: int = Field(0, ge=0, le=95, description="0: the codec's own; more: coarser.")

    @model_validator(mode="after")
    def _fit(self) -> SimulationSettings:
        if self.format == "rtdc" and self.mode is not Mode.EVENTS:
            raise ValueError("rtdc holds one cell a frame: set mode to events")
        if self.bit_depth == 16 and self.format not in ("tif", "png"):
            raise ValueError("16 bit can be written as tif or png only")
        if self.polarity is Polarity.BOTH:
            raise ValueError("simulated cells are dark or bright")
        if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,39}", name) for name in self.classes):
            raise ValueError("a class is named by letters, digits, _ and -")
        if len({name.casefold() for name in self.classes}) < len(self.classes):
            raise ValueError("a class is named twice")
        return self
