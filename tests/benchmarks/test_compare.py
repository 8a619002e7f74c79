"""The comparison of exports with truth, on numbers that can be checked by hand."""

import csv
import json

import pytest

from benchmarks.compare import main
from benchmarks.truth import read_truth

CLASSES = ("neutrophil", "lymphocyte")
TRUTH = [
    # id, role, group, cells, per µL
    ("U1", "unknown", "normal", (60, 40), (6000.0, 4000.0)),
    ("U2", "unknown", "abnormal", (20, 80), (1000.0, 3000.0)),
    ("M1", "mixed", "normal", (50, 50), (5000.0, 5000.0)),
    ("B1", "blank", "normal", (0, 0), (0.0, 0.0)),
]
SAID = {"U1": (0.62, 0.38), "U2": (0.35, 0.65), "M1": (0.1, 0.9)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "truth").mkdir()
    with (tmp_path / "truth" / "truth.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        head = ["specimen_id", "role", "group", "recovery", "frames", "intruders"]
        writer.writerow(
            [*head, *(f"{c}_cells" for c in CLASSES), *(f"{c}_per_ul" for c in CLASSES)]
        )
        for name, role, group, cells, per_ul in TRUTH:
            writer.writerow([name, role, group, 0.9, 10, 0, *cells, *per_ul])
    return tmp_path


def predictions(folder, said=SAID, classes=CLASSES):
    path = folder / "predictions.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [
            "fraction",
            "fraction_low",
            "fraction_high",
            "per_ul",
            "per_ul_low",
            "per_ul_high",
            "cells",
        ]
        writer.writerow(["study", "specimen_id", "cell_class", *names])
        for name, fractions in said.items():
            for cell_class, f in zip(classes, fractions, strict=True):
                row = [f, f - 0.05, f + 0.05, 10000 * f, "", "", round(100 * f)]
                writer.writerow(["s", name, cell_class, *row])
    return path


def measured(folder, capsys, *arguments):
    assert main([*map(str, arguments), "--truth", str(folder), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_errors_are_those_of_unknown_specimens_against_blood_and_cells(folder, capsys):
    fractions = measured(folder, capsys, "--predictions", predictions(folder))["fractions"]
    # U1 is 2 points off, U2 is 10 off blood (25 %) and 15 off its filmed cells (20 %).
    assert fractions["blood"] == {"neutrophil": 6.0, "lymphocyte": 6.0}
    assert fractions["cells"]["neutrophil"] == 8.5
    assert fractions["worst_class_error"] == 6.0
    assert fractions["sampling_floor"]["neutrophil"] == 2.5
    assert fractions["groups"]["abnormal"]["neutrophil"] == 10.0
    assert fractions["groups"]["normal"]["neutrophil"] == 2.0
    assert fractions["coverage"] == {"neutrophil": 0.5, "lymphocyte": 0.5}
    assert fractions["width"]["neutrophil"] == 10.0


def test_concentrations_are_compared_in_all_and_by_class(folder, capsys):
    result = measured(folder, capsys, "--predictions", predictions(folder))["concentrations"]
    assert result["total_percent"] == 75.0  # U1 exact, U2 10,000 instead of 4,000
    assert result["per_ul"]["neutrophil"] == 1350.0  # 200 and 2,500


def test_counts_are_of_unique_cells_and_artefacts_are_none(folder, capsys):
    path = folder / "cells.csv"
    rows = [("U1", "neutrophil")] * 94 + [("U2", "")] * 102 + [("B1", "lymphocyte")]
    rows += [("U2", "artefact")] * 50
    text = "specimen_id,cell_class\n" + "".join(f"{name},{kind}\n" for name, kind in rows)
    path.write_text(text)
    counts = measured(folder, capsys, "--cells", path)["counts"]
    assert counts["over_limit"] == {"U1": -6.0}
    assert (counts["worst_percent"], counts["mean_percent"]) == (6.0, 4.0)
    assert (counts["blanks"], counts["missing"]) == ({"B1": 1}, ["M1"])


def test_a_specimen_that_was_not_predicted_is_named(folder, capsys):
    path = predictions(folder, {"U1": SAID["U1"]})
    assert measured(folder, capsys, "--predictions", path)["missing"] == ["U2"]


def test_a_class_that_the_truth_does_not_know_is_refused(folder):
    path = predictions(folder, classes=("neutrophil", "blast"))
    with pytest.raises(ValueError, match="blast"):
        main(["--predictions", str(path), "--truth", str(folder)])


def test_people_get_a_table(folder, capsys):
    assert main(["--predictions", str(predictions(folder)), "--truth", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "worst class: neutrophil 6.00 points" in printed
    assert "over 5 %" in printed


def test_truth_is_read_from_the_study_or_its_truth_folder(folder):
    assert read_truth(folder).specimens.keys() == read_truth(folder / "truth").specimens.keys()
