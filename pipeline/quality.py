"""How good a recording is: its figures, and what a person should know of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from cellcensus.findings import Finding, Level
from cellcensus.settings import QualityLimits
from cellcensus.study import Mode

_NAN = float("nan")


@dataclass(frozen=True)
class Quality:
    """Figures of one recording; NaN where nothing can be said.

    Lengths ``_um`` in micrometres, ``_px`` in pixels, shares from 0 to 1, ``background_level`` and
    ``noise`` in grey values and in shares of the background.
    """

    window_um: float
    full_scale: float
    n_frames: float = _NAN
    height: float = _NAN
    width: float = _NAN
    bit_depth: float = _NAN
    n_cells: float = _NAN
    cells_per_frame: float = _NAN
    cells_per_frame_max: float = _NAN
    rate_variation: float = _NAN  # variance over mean of new cells in tenths of the recording
    share_touching: float = _NAN
    focus_median: float = _NAN
    focus_drift: float = _NAN  # last third against the first, as a share of the median
    background_level: float = _NAN
    background_drift: float = _NAN  # end against start, as a share
    gain_sd: float = _NAN  # flicker of the lamp
    noise: float = _NAN
    cell_contrast: float = _NAN
    threshold: float = _NAN
    polarity: float = _NAN  # −1 dark cells, 1 bright cells, 0 both
    saturated_share: float = _NAN
    ceiling: float = _NAN  # highest grey value of the camera
    duplicated_frames: float = _NAN
    dropped_frames: float = _NAN
    diameter_px_min: float = _NAN
    diameter_px_max: float = _NAN
    diameter_px_50: float = _NAN
    diameter_um_5: float = _NAN
    diameter_um_50: float = _NAN
    diameter_um_95: float = _NAN
    stuck_share: float = _NAN  # cells that stayed several times as long as usual
    bubble_share: float = _NAN  # frames with a thing far larger than a cell
    dirt_share: float = _NAN  # of the picture, covered by what never moves
    text_lines: float = _NAN  # burnt into the picture
    coincidence: float = _NAN  # cells hidden by others all the way, as a share of those found
    n_cells_corrected: float = _NAN  # with them
    window_share: float = _NAN  # largest usual diameter over the window of a picture
    flow_known: float = _NAN
    flow_direction_deg: float = _NAN
    flow_speed_px: float = _NAN
    flow_speed_um_s: float = _NAN
    flow_speed_range: float = _NAN  # slowest over fastest lane
    static_dirt: float = _NAN
    fleeting: float = _NAN
    fragments: float = _NAN
    slight: float = _NAN  # left out because they block far less light than a usual cell

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Quality:
        """Take the figures that have a place here.

        Raises
        ------
        TypeError
            ``window_um`` or ``full_scale`` is missing.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: float(value) for name, value in figures.items() if name in known})

    def as_dict(self) -> dict[str, float | None]:
        """Plain values for JSON: ``None`` for NaN."""
        values: dict[str, Any] = asdict(self)
        return {name: value if math.isfinite(value) else None for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class _Rule:
    """A finding that is made when ``figure`` leaves its limit."""

    code: str
    level: Level
    figure: str
    limit: str
    below: bool
    message: str  # with {value} and {limit}
    action: str
    size_only: bool = False  # the figure's sign does not matter


_RULES = (
    _Rule(
        "saturated", Level.ALERT, "saturated_share", "saturated_share", False,
        "{value:.1%} of the picture is saturated (limit {limit:.1%})",
        "Lower exposure or lamp; detail of bright parts is lost.",
    ),
    _Rule(
        "low_contrast", Level.ALERT, "contrast_over_noise", "contrast_over_noise", True,
        "Cells stand out from the noise only {value:.1f} times (limit {limit:.0f})",
        "Check lamp and focus; faint cells may have been missed.",
    ),
    _Rule(
        "focus_drift", Level.ALERT, "focus_drift", "focus_drift", False,
        "The sharpness of cells changed by {value:.0%} over the recording (limit {limit:.0%})",
        "Check the focus drive; look at the pictures of the report before using the values.",
        size_only=True,
    ),
    _Rule(
        "background_drift", Level.INFORMATION, "background_drift", "background_drift", False,
        "The background changed by {value:.0%} over the recording (limit {limit:.0%})",
        "Let the lamp warm up; the drift was followed and divided out.",
        size_only=True,
    ),
    _Rule(
        "flicker", Level.INFORMATION, "gain_sd", "flicker", False,
        "The lamp flickers by {value:.1%} (limit {limit:.1%})",
        "Nothing to do if values look plausible: it was divided out.",
    ),
    _Rule(
        "dropped_frames", Level.ALERT, "dropped_share", "dropped_share", False,
        "{value:.1%} of the frames are missing by their times (limit {limit:.1%})",
        "Record to a faster disk; cells may have been counted twice or missed.",
    ),
    _Rule(
        "duplicated_frames", Level.ALERT, "duplicated_share", "duplicated_share", False,
        "{value:.1%} of the frames repeat the one before (limit {limit:.1%})",
        "Check the recorder's frame rate; repeated frames disturb the following of cells.",
    ),
    _Rule(
        "crowded", Level.ALERT, "share_touching", "share_touching", False,
        "{value:.0%} of the cells touch another (limit {limit:.0%})",
        "Dilute the specimen further; touching cells were split, but some may be counted as one.",
    ),
    _Rule(
        "uneven_rate", Level.ALERT, "rate_variation", "rate_variation", False,
        "Cells came unevenly: variance over mean {value:.1f} (limit {limit:.0f})",
        "Look for a clog, a bubble or settled cells; mix the specimen and record again.",
    ),
    _Rule(
        "few_cells", Level.ALERT, "n_cells", "fewest_cells", True,
        "Only {value:.0f} cells were found (limit {limit:.0f})",
        "Record longer or dilute less; rare classes cannot be quantified.",
    ),
    _Rule(
        "few_pixels", Level.ALERT, "diameter_px_50", "diameter_px", True,
        "The usual cell is only {value:.1f} pixels wide (limit {limit:.0f})",
        "Film at a larger magnification; the smallest cells may be missed, and debris be counted.",
    ),
    _Rule(
        "underexposed", Level.ALERT, "exposure", "exposure", True,
        "The background has {value:.0%} of the camera's range only (limit {limit:.0%})",
        "Raise exposure or lamp; faint cells drown in the steps of the grey values.",
    ),
    _Rule(
        "bubbles", Level.ALERT, "bubble_share", "bubble_share", False,
        "{value:.1%} of the frames show a thing far larger than a cell (limit {limit:.1%})",
        "Look for bubbles or fibres in the channel; they hide cells and disturb the flow.",
    ),
    _Rule(
        "static_dirt", Level.ALERT, "dirt_share", "dirt_share", False,
        "Dirt that never moves covers {value:.1%} of the picture (limit {limit:.1%})",
        "Clean the windows; cells are not seen where they pass over dirt.",
    ),
    _Rule(
        "stuck_cells", Level.ALERT, "stuck_share", "stuck_share", False,
        "{value:.1%} of the cells stayed several times as long as usual (limit {limit:.1%})",
        "Rinse the channel: cells stick to its walls.",
    ),
    _Rule(
        "burnt_in_text", Level.ALERT, "text_lines", "text_lines", False,
        "{value:.0f} lines of text are burnt into the picture (limit {limit:.0f})",
        "Switch the overlay of the recorder off: it hides cells, and may name the donor.",
    ),
    _Rule(
        "coincidence", Level.INFORMATION, "coincidence", "coincidence", False,
        "About {value:.1%} more cells were hidden by others (limit {limit:.1%})",
        "Dilute the specimen further; concentrations are that much too low.",
    ),
    _Rule(
        "blank_has_cells", Level.ALERT, "blank_cells", "blank_cells", False,
        "The blank holds {value:.0f} cells (limit {limit:.0f})",
        "Rinse the channel and renew the diluent; look for carry-over from the specimen before.",
    ),
    _Rule(
        "cells_larger_than_window", Level.ALERT, "window_share", "window_share", False,
        "The largest cells fill {value:.0%} of a stored picture (limit {limit:.0%})",
        "Give cells.diameter_um in study.yaml, or set the ingest window larger.",
    ),
)  # fmt: skip


def judge(
    quality: Quality, *, mode: Mode, limits: QualityLimits, specimen_id: str, expects_cells: bool
) -> tuple[Finding, ...]:
    """What a person should know of a recording.

    Parameters
    ----------
    quality
        Its figures.
    mode
        Of the study: some figures mean something only in ``flow``.
    limits
        From the settings.
    specimen_id
        For the findings.
    expects_cells
        False for blanks: then nothing about cells is found wanting.

    Returns
    -------
    tuple of Finding
        In the order of the rules; empty if all is well.
    """
    values = _derived(quality)
    values["blank_cells"] = _NAN if expects_cells else quality.n_cells
    if not expects_cells:
        for name in (
            "contrast_over_noise",
            "focus_drift",
            "duplicated_share",
            "n_cells",
            "stuck_share",
        ):
            values[name] = _NAN
        values["share_touching"] = values["rate_variation"] = _NAN
    if mode is Mode.EVENTS:
        # The cell of a picture is the one in its middle, whatever it touches.
        values["share_touching"] = _NAN
    if mode is not Mode.FLOW:
        values["duplicated_share"] = values["rate_variation"] = _NAN
    found = []
    for rule in _RULES:
        value, limit = values[rule.figure], float(getattr(limits, rule.limit))
        size = abs(value) if rule.size_only else value
        if size < limit if rule.below else size > limit:
            message = rule.message.format(value=value, limit=limit)
            found.append(Finding(rule.level, rule.code, message, rule.action, specimen_id))
    return tuple(found)


def _derived(quality: Quality) -> dict[str, float]:
    values = {name: _NAN if value is None else value for name, value in quality.as_dict().items()}
    frames = max(quality.n_frames, 1.0)
    values["dropped_share"] = quality.dropped_frames / frames
    values["duplicated_share"] = quality.duplicated_frames / frames
    values["contrast_over_noise"] = quality.cell_contrast / max(quality.noise, 1e-9)
    # Dark ground is no lack of light.
    dark_ground = quality.polarity == 1
    values["exposure"] = _NAN if dark_ground else quality.background_level / quality.ceiling
    return values
