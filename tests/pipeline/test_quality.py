from dataclasses import replace

import pytest

from cellcensus.settings import QualityLimits
from cellcensus.study import Mode
from pipeline.quality import Quality, judge

GOOD = Quality(
    window_um=20, full_scale=1, n_frames=200, n_cells=400, saturated_share=0.001, cell_contrast=0.4,
    noise=0.01, focus_drift=0.05, background_drift=0.02, gain_sd=0.004, dropped_frames=0,
    duplicated_frames=0, share_touching=0.05, rate_variation=2.0, window_share=0.8, polarity=-1,
    ceiling=255, background_level=160, stuck_share=0, bubble_share=0, dirt_share=0.001,
    text_lines=0, coincidence=0.005, diameter_px_50=20,
)  # fmt: skip


def codes(quality, *, mode=Mode.FLOW, expects_cells=True):
    found = judge(
        quality, mode=mode, limits=QualityLimits(), specimen_id="U01", expects_cells=expects_cells
    )
    assert all(finding.specimen_id == "U01" and finding.action for finding in found)
    return [finding.code for finding in found]


def test_a_good_recording_has_no_finding():
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"saturated_share": 0.2}, "saturated"),
        ({"cell_contrast": 0.02}, "low_contrast"),
        ({"focus_drift": -0.7}, "focus_drift"),
        ({"background_drift": 0.3}, "background_drift"),
        ({"gain_sd": 0.1}, "flicker"),
        ({"dropped_frames": 20}, "dropped_frames"),
        ({"duplicated_frames": 20}, "duplicated_frames"),
        ({"share_touching": 0.6}, "crowded"),
        ({"rate_variation": 60.0}, "uneven_rate"),
        ({"n_cells": 12}, "few_cells"),
        ({"window_share": 1.5}, "cells_larger_than_window"),
        ({"diameter_px_50": 4.0}, "few_pixels"),
        ({"background_level": 9}, "underexposed"),
        ({"bubble_share": 0.1}, "bubbles"),
        ({"dirt_share": 0.1}, "static_dirt"),
        ({"stuck_share": 0.2}, "stuck_cells"),
        ({"text_lines": 1}, "burnt_in_text"),
        ({"coincidence": 0.08}, "coincidence"),
    ],
)
def test_each_defect_has_its_finding(change, code):
    assert codes(replace(GOOD, **change)) == [code]


def test_neighbours_in_a_picture_of_one_cell_are_no_crowd():
    crowd = replace(GOOD, share_touching=0.6)
    assert codes(crowd, mode=Mode.FIELDS) == ["crowded"]
    assert codes(crowd, mode=Mode.EVENTS) == []


def test_nothing_about_cells_is_found_wanting_in_a_blank():
    blank = replace(GOOD, n_cells=0, share_touching=0.9, cell_contrast=float("nan"))
    assert codes(blank, expects_cells=False) == []


def test_cells_in_a_blank_speak_of_carry_over():
    assert codes(replace(GOOD, n_cells=7), expects_cells=False) == ["blank_has_cells"]
    assert codes(replace(GOOD, n_cells=1), expects_cells=False) == []


def test_dark_ground_is_no_lack_of_light():
    assert codes(replace(GOOD, background_level=9, polarity=1)) == []


def test_unlinked_frames_may_repeat_and_vary():
    still = replace(GOOD, duplicated_frames=100, rate_variation=90)
    assert codes(still, mode=Mode.FIELDS) == []


def test_figures_become_json_with_nothing_for_nan():
    assert Quality(window_um=20, full_scale=1).as_dict()["noise"] is None
