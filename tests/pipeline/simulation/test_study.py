"""A simulated study: what is in its folder is what its truth says."""

import csv
import gzip
import hashlib

import cv2
import h5py
import numpy as np
import pytest
import tifffile

from cellcensus.errors import UsageError
from cellcensus.findings import Level
from cellcensus.study import Mode, Role
from cellcensus.studyfolder import read_study
from pipeline.simulation import SCENARIOS, SimulationSettings, scenario, simulate_study

SMALL = SimulationSettings(
    cells=25, width=160, height=120, purified_per_class=1, mixed=6, unknown=1, blanks=1
)
TINY = {"purified_per_class": 0, "mixed": 1, "unknown": 0, "blanks": 0, "cells": 12}


def rows(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def video(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., 0])
    return np.stack(frames)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "study"
    simulate_study(folder, settings=SMALL)
    return folder


def test_the_study_can_be_used_without_a_finding(small):
    study, findings = read_study(small)
    assert [found for found in findings if found.level is not Level.INFORMATION] == []
    roles = [specimen.role for specimen in study.specimens]
    assert [roles.count(role) for role in Role] == [5, 6, 1, 1, 0]


def test_nothing_in_the_study_points_to_its_truth(small):
    for name in ("study.yaml", "specimens.csv"):
        assert "truth" not in (small / name).read_text()


def test_events_agree_with_the_truth_of_each_specimen(small):
    events = rows(small / "truth" / "events.csv.gz")
    for truth in rows(small / "truth" / "truth.csv"):
        mine = [event for event in events if event["specimen_id"] == truth["specimen_id"]]
        for name in SMALL.classes:
            cells = {event["cell"] for event in mine if event["cell_class"] == name}
            assert len(cells) == int(truth[f"{name}_cells"])
        assert all(int(event["frame"]) < int(truth["frames"]) for event in mine)


def test_cells_are_dark_where_the_truth_says(small):
    frames = video(small / "recordings" / "P001.mp4").astype(float)
    background = np.median(frames, axis=0)
    contrast = [
        1 - frames[int(e["frame"]), y - 3 : y + 4, x - 3 : x + 4].mean() / background[y, x]
        for e in rows(small / "truth" / "events.csv.gz")
        if e["specimen_id"] == "P001"
        and 15 < (x := round(float(e["x"]))) < 145
        and 15 < (y := round(float(e["y"]))) < 105
    ]
    assert len(contrast) > 50
    assert np.quantile(contrast, 0.02) > 0.08
    assert frames.shape[0] == int(rows(small / "truth" / "truth.csv")[0]["frames"])


def test_cells_volume_dilution_and_recovery_give_the_concentration(tmp_path):
    settings = SMALL.model_copy(
        update={
            "cells": 1500, "mixed": 1, "unknown": 0, "blanks": 0, "purified_per_class": 0,
            "class_recovery_sd": 0.0, "mode": Mode.FIELDS, "cells_per_frame": 150.0,
        }
    )  # fmt: skip
    simulate_study(tmp_path / "s", settings=SimulationSettings(**settings.model_dump()))
    study, _ = read_study(tmp_path / "s")
    truth = rows(tmp_path / "s" / "truth" / "truth.csv")[0]
    specimen = study.specimens[0]
    cells = sum(int(truth[f"{name}_cells"]) for name in settings.classes)
    said = cells * specimen.dilution / specimen.imaged_volume_ul / float(truth["recovery"])
    total = sum(float(truth[f"{name}_per_ul"]) for name in settings.classes)
    assert said == pytest.approx(total, rel=4 / np.sqrt(cells))
    assert specimen.wbc_per_ul == pytest.approx(total, rel=0.1)


def test_the_same_seed_gives_the_same_files_and_another_does_not(tmp_path):
    def digest(name, seed):
        simulate_study(tmp_path / name, settings=SimulationSettings(**{**TINY, "seed": seed}))
        files = sorted((tmp_path / name).glob("*/*.[mc]*"))
        assert len(files) == 3
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

    first = digest("a", 3)
    assert digest("b", 3) == first
    assert not set(digest("c", 4)) & set(first)


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError):
        simulate_study(tmp_path, settings=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"format": "avi"}, video),
        ({"format": "mkv"}, video),
        ({"format": "tif"}, tifffile.imread),
        ({"format": "tif", "bit_depth": 16}, tifffile.imread),
        (
            {"format": "png"},
            lambda path: np.stack([cv2.imread(str(f), -1) for f in path.iterdir()]),
        ),
        (
            {"format": "rtdc", "mode": "events"},
            lambda path: h5py.File(path)["events/image"][:],
        ),
    ],
)
def test_every_format_holds_the_frames_of_the_truth(tmp_path, changes, read):
    settings = SimulationSettings(**TINY, **changes, width=96, height=80)
    simulate_study(tmp_path / "s", settings=settings)
    study, findings = read_study(tmp_path / "s")
    assert study is not None, findings
    frames = read(tmp_path / "s" / study.specimens[0].recording)
    truth = rows(tmp_path / "s" / "truth" / "truth.csv")[0]
    assert frames.shape == (int(truth["frames"]), 80, 96)
    assert frames.dtype == (np.uint16 if settings.bit_depth == 16 else np.uint8)
    assert (frames.max() > 255) == (settings.bit_depth == 16)


@pytest.mark.parametrize("mode", ["fields", "events"])
def test_each_cell_is_in_one_frame_where_cells_do_not_move(tmp_path, mode):
    simulate_study(tmp_path / "s", settings=SimulationSettings(**TINY, mode=mode))
    events = rows(tmp_path / "s" / "truth" / "events.csv.gz")
    cells = [event["cell"] for event in events]
    assert len(cells) == len(set(cells)) > 5


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_is_valid(name):
    assert scenario(name, cells=5).name == name


def test_cells_come_from_pictures_and_none_is_on_both_sides(tmp_path):
    rng = np.random.default_rng(0)
    for cell_class in ("a", "b"):
        (tmp_path / "crops" / cell_class).mkdir(parents=True)
        for number in range(12):
            picture = np.full((40, 40, 4), 200, np.uint8)
            picture[..., 3] = 0
            gray = int(rng.integers(60, 120))
            cv2.circle(picture, (15, 22), 12, (gray, gray, gray, 255), -1)
            cv2.imwrite(str(tmp_path / "crops" / cell_class / f"{number}.png"), picture)
    settings = SimulationSettings(classes=("a", "b"), cells=20, mixed=2, unknown=2, blanks=0)
    simulate_study(tmp_path / "s", settings=settings, crops=tmp_path / "crops")
    events = rows(tmp_path / "s" / "truth" / "events.csv.gz")
    used = {kind: {e["crop"] for e in events if e["specimen_id"][0] == kind} for kind in "PMU"}
    assert used["P"] | used["M"] <= {f"{number}.png" for number in range(12)}
    assert used["U"]
    assert not used["U"] & (used["P"] | used["M"])
