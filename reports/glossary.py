"""What every flag and quality figure means, in words a technician can act on.

A code that is not here is still shown, as it stands: silence would be worse than an odd word.
"""

from __future__ import annotations

from dataclasses import dataclass

from cellcensus.findings import Level


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag in words.

    Parameters
    ----------
    code
        As stored and exported.
    title
        What it says, a few words.
    meaning
        Why it was raised.
    action
        What to do.
    level
        ``violation`` holds the report back; ``alert`` must be looked at.
    """

    code: str
    title: str
    meaning: str
    action: str
    level: Level = Level.ALERT


@dataclass(frozen=True, slots=True)
class QualityName:
    """A quality figure in words; ``share`` figures (0–1) are shown in percent.

    ``main`` figures are shown at once, the others on demand.
    """

    title: str
    unit: str = ""
    share: bool = False
    note: str = ""
    main: bool = False


_HOLD = Level.VIOLATION
_NOTE = Level.INFORMATION

_FLAGS = (
    Flag(
        "no_cells",
        "No cells",
        "Not one white cell was found in the recording.",
        "Check the specimen, the focus and the flow, and record it again.",
        _HOLD,
    ),
    Flag(
        "few_cells",
        "Few cells",
        "So few cells were counted that chance alone makes the fractions uncertain.",
        "Read the intervals, not the values; record more of the specimen if it is at hand.",
    ),
    Flag(
        "unclassified_over_5_percent",
        "Many unclassified cells",
        "More cells than usual look like none of the learned classes.",
        "Look at them under the microscope; a smear is advised.",
    ),
    Flag(
        "hold_unclassified_over_15_percent",
        "Too many unclassified cells",
        "So many cells look like none of the learned classes that the fractions cannot be trusted.",
        "Do not release. Review a smear: blasts, immature cells, or a bad recording are likely.",
        _HOLD,
    ),
    Flag(
        "methods_disagree",
        "Methods disagree",
        "Independent ways of computing the composition give clearly different results.",
        "Compare with a smear or the analyser before using the fractions.",
    ),
    Flag(
        "no_concentration",
        "No concentration",
        "Cells per µL cannot be computed: imaged volume, dilution or recovery is not known.",
        "Fill in imaged_volume_ul and dilution in specimens.csv and run again.",
        _NOTE,
    ),
    Flag(
        "instrument_not_in_training",
        "Unknown instrument",
        "The model has not learned from this instrument; its optics and recovery may differ.",
        "Record mixed specimens with known totals on this instrument, and retrain.",
    ),
    Flag(
        "trained_without_mixed",
        "Never checked on blood",
        "The model learned from purified cells alone; such models fail on ordinary blood.",
        "Do not release. Add mixed specimens with analyser totals, and retrain.",
        _HOLD,
    ),
    Flag(
        "intervals_from_few_donors",
        "Intervals rest on few donors",
        "Fewer than 19 mixed donors were held out, so the intervals assume the errors' shape.",
        "Add mixed specimens of more donors; until then read the intervals as approximate.",
        _NOTE,
    ),
    Flag(
        "specimen_in_training",
        "Learned from",
        "The model that made these values learned from this very specimen.",
        "Do not use the values to judge the model.",
        _NOTE,
    ),
    Flag(
        "donor_in_training",
        "Donor known",
        "The model that made these values learned from another specimen of this donor.",
        "Do not use the values to judge the model.",
        _NOTE,
    ),
    Flag(
        "held_out",
        "Held out",
        "Predicted by models that had not seen this donor.",
        "Nothing to do: these values are fit to judge the model.",
        _NOTE,
    ),
    Flag(
        "few_mixed_donors",
        "Few mixed donors",
        "The model learned from few donors of ordinary blood.",
        "Add mixed specimens of more donors; abnormal ones teach most.",
    ),
    Flag(
        "trained_without_purified",
        "No purified specimens",
        "The model saw no purified specimen, so rare classes are hardly told apart.",
        "Add purified specimens of every class, and retrain.",
    ),
    Flag(
        "trained_without_blank",
        "No blank specimens",
        "The model saw no recording without cells, so debris may be counted as cells.",
        "Add a blank specimen, and retrain.",
        _NOTE,
    ),
    Flag(
        "purity_assumed",
        "Purity assumed",
        "A purified specimen came without its purity; 95 ± 3 % was assumed.",
        "Measure the purity and fill it in.",
        _NOTE,
    ),
)
FLAGS: dict[str, Flag] = {flag.code: flag for flag in _FLAGS}
_NO_PURIFIED = "no_purified_"


def flag_in_words(code: str) -> Flag:
    """The flag of a code; an unknown code is its own title, with the advice to ask."""
    known = FLAGS.get(code)
    if known is not None:
        return known
    if code.startswith(_NO_PURIFIED):
        name = code.removeprefix(_NO_PURIFIED)
        return Flag(
            code,
            f"No purified {name}",
            f"The model saw no purified specimen of the class {name}.",
            f"Read its fraction with care; add a purified specimen of {name}, and retrain.",
        )
    return Flag(
        code,
        code.replace("_", " ").capitalize(),
        "This code is not in the glossary of this version.",
        "Ask whoever runs the service before using the values.",
    )


METHODS = {
    "mean": "mean of the cells' probabilities",
    "recalibrated": "mean of the cells' probabilities, recalibrated on held-out donors",
    "counting": "counting of classified cells",
    "emq": "expectation–maximisation on calibrated probabilities",
}


def method_in_words(code: str) -> str:
    """How the composition was computed; an unknown code stays as it is."""
    return METHODS.get(code, code)


QUALITY: dict[str, QualityName] = {
    "n_cells": QualityName("Unique cells found", main=True),
    "n_frames": QualityName("Frames read", main=True),
    "frames_dropped": QualityName("Frames dropped", main=True),
    "cells_per_frame": QualityName("Cells in a frame, mean", main=True),
    "share_touching": QualityName(
        "Touching cells", share=True, note="of all cells seen; they are split", main=True
    ),
    "share_saturated": QualityName("Saturated pixels", share=True, main=True),
    "focus_median": QualityName("Focus", note="median sharpness of the cells", main=True),
    "focus_drift": QualityName(
        "Drift of focus", share=True, note="last against first third", main=True
    ),
    "background_drift": QualityName("Drift of the light", share=True, main=True),
    "noise": QualityName("Noise of the background", share=True, main=True),
    "cell_contrast": QualityName("Contrast of the cells", share=True, main=True),
    "diameter_um_50": QualityName("Diameter, median", "µm", main=True),
    "flow_speed_um_s": QualityName("Speed of the flow", "µm/s", main=True),
    "static_dirt": QualityName("Stuck objects left out", main=True),
    "height": QualityName("Height of a frame", "px"),
    "width": QualityName("Width of a frame", "px"),
    "cells_per_frame_max": QualityName("Cells in a frame, most"),
    "rate_variation": QualityName("Evenness of the flow of cells", note="1: they come at random"),
    "background_level": QualityName("Level of the background"),
    "gain_sd": QualityName("Flicker of the light", share=True),
    "threshold": QualityName("Threshold of contrast", share=True),
    "polarity": QualityName("Cells are", note="−1 darker, +1 brighter than the background, 0 both"),
    "diameter_px_min": QualityName("Smallest diameter accepted", "px"),
    "diameter_px_max": QualityName("Largest diameter accepted", "px"),
    "diameter_um_5": QualityName("Diameter, 5th percentile", "µm"),
    "diameter_um_95": QualityName("Diameter, 95th percentile", "µm"),
    "flow_known": QualityName("Flow was measured", note="1: yes"),
    "flow_direction_deg": QualityName("Direction of the flow", "°"),
    "flow_speed_px": QualityName("Speed of the flow", "px per frame"),
    "flow_speed_range": QualityName("Slowest over fastest lane"),
    "fleeting": QualityName("Fleeting objects left out"),
    "fragments": QualityName("Fragments left out"),
    "slight": QualityName("Slight objects left out"),
    "ceiling": QualityName("Highest grey value of the camera"),
    "stuck_share": QualityName("Cells that got stuck", share=True),
    "bubble_share": QualityName("Frames with a bubble", share=True),
    "dirt_share": QualityName("Picture covered by still dirt", share=True),
    "text_lines": QualityName("Lines of text in the picture"),
    "coincidence": QualityName("Cells hidden by others", share=True, note="estimated"),
    "n_cells_corrected": QualityName("Unique cells with those hidden", note="estimated"),
    "window_um": QualityName("Width of a cell's picture", "µm"),
    "window_share": QualityName("Largest cells fill of their picture", share=True),
    "full_scale": QualityName("Contrast shown as black or white"),
}


def quality_in_words(code: str) -> QualityName:
    """The name of a quality figure; an unknown code is its own title."""
    return QUALITY.get(code) or QualityName(code.replace("_", " ").capitalize())
