"""The main job as a laboratory does it: real processes on a simulated study with a damaged film."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

CELLCENSUS = Path(sys.executable).with_name("cellcensus")
QUICK = {
    "CELLCENSUS_TRAINING__WARMUP_STEPS": "5",
    "CELLCENSUS_TRAINING__BAG_STEPS": "5",
    "CELLCENSUS_TRAINING__FOLDS": "2",
    "OMP_NUM_THREADS": "1",
}
SMALL = ("classes=[lymphoid, large-granular]", "cells=40", "mixed=4", "unknown=3", "controls=1")
STAGES = ("ingest", "train", "predict", "report")
DAMAGED, NAME = "U012", "small study"
PREDICTIONS = [
    "study",
    "specimen_id",
    "donor_id",
    "role",
    "model_id",
    "cell_class",
    "cells",
    "fraction",
    "fraction_low",
    "fraction_high",
    "per_ul",
    "per_ul_low",
    "per_ul_high",
    "flags",
]
CELLS = [
    "study",
    "specimen_id",
    "cell_id",
    "first_frame",
    "last_frame",
    "best_frame",
    "x",
    "y",
    "width",
    "height",
    "area_um2",
    "cell_class",
    "probability",
    "flags",
]


def call(*arguments, cwd):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CELLCENSUS_")}
    done = subprocess.run(
        [str(CELLCENSUS), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
        env={**environment, **QUICK},
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert "Warning" not in done.stderr
    return done


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(place, what):
    file = place / f"{what}.csv"
    done = call("export", what, "--study", NAME, "--out", file, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert json.loads(done.stdout)["rows"] == len(rows)
    return rows


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with a study of which one film is cut off, and what the first run said of it."""
    place = tmp_path_factory.mktemp("lab with ü")
    changes = [part for change in SMALL for part in ("--set", change)]
    made = call("simulate", NAME, "--set", f"name={NAME}", *changes, cwd=place)
    assert made.returncode == 0, made.stderr
    film = place / NAME / "recordings" / f"{DAMAGED}.mp4"
    film.write_bytes(film.read_bytes()[:3000])
    before = tree(place / NAME)
    first = call("run", NAME, "--json", cwd=place)
    return place, before, first


def test_a_damaged_film_is_told_and_the_others_go_on(lab):
    place, before, first = lab
    assert first.returncode == 3, first.stderr
    stages = json.loads(first.stdout)["stages"]
    assert [stage["stage"] for stage in stages] == ["ingest", "train", "predict", "report"]
    (aside,) = stages[0]["quarantined"]
    assert aside["specimen_id"] == DAMAGED
    assert f"recordings/{DAMAGED}.mp4" in aside["reason"]
    assert aside["next_step"]
    assert DAMAGED in Path(stages[-1]["report"]).read_text(encoding="utf-8")
    told = json.loads(call("status", "--json", cwd=place).stdout)
    assert [entry.split(":")[0] for entry in told["quarantined"]] == [f"{NAME}/{DAMAGED}"]
    assert tree(place / NAME) == before


def test_exported_fractions_add_up_within_their_intervals(lab):
    place, *_ = lab
    rows = table(place, "predictions")
    assert list(rows[0])[: len(PREDICTIONS)] == PREDICTIONS
    sums = defaultdict(float)
    for row in rows:
        low, middle, high = (float(row[f"fraction{end}"]) for end in ("_low", "", "_high"))
        assert 0 <= low <= middle <= high <= 1
        sums[row["specimen_id"]] += middle
    assert len({(row["specimen_id"], row["cell_class"]) for row in rows}) == len(rows)
    assert len(rows) == 2 * len(sums)
    assert DAMAGED not in sums
    assert {row["role"] for row in rows} == {"purified", "mixed", "unknown", "control"}
    assert all(abs(total - 1) < 1e-6 for total in sums.values())


def test_exported_cells_are_those_counted(lab):
    place, *_ = lab
    rows = table(place, "cells")
    assert list(rows[0])[: len(CELLS)] == CELLS
    assert len({(row["specimen_id"], row["cell_id"]) for row in rows}) == len(rows)
    assert all(0 <= int(row["first_frame"]) <= int(row["last_frame"]) for row in rows)
    counted = defaultdict(int)
    for row in rows:
        counted[row["specimen_id"]] += row["cell_class"] in ("lymphoid", "large-granular")
    for row in table(place, "predictions"):
        assert counted[row["specimen_id"]] <= int(row["cells"])


def test_the_same_command_again_finds_nothing_to_do(lab):
    place, before, _ = lab
    predictions = table(place, "predictions")
    again = call("run", NAME, cwd=place)
    assert again.returncode == 3
    told = [line for line in again.stdout.splitlines() if line.split(":")[0] in STAGES]
    assert len(told) == len(STAGES)
    assert all("nothing to do" in line for line in told)
    assert table(place, "predictions") == predictions
    assert tree(place / NAME) == before


def test_what_a_control_is_known_to_hold_teaches_nothing(lab):
    place, *_ = lab
    sheet = place / NAME / "specimens.csv"
    original = sheet.read_text(encoding="utf-8")
    (model,) = json.loads(call("models", "list", "--json", cwd=place).stdout)
    rows = list(csv.DictReader(original.splitlines()))
    (control,) = (row for row in rows if row["role"] == "control")
    for name in control:
        if name.endswith("_per_ul"):
            control[name] = str(2 * float(control[name]))
    try:
        with sheet.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(control))
            writer.writeheader()
            writer.writerows(rows)
        # In a home of its own: where the model stands already, nothing would be learned at all.
        done = call("run", NAME, "--home", "other", cwd=place)
        assert done.returncode == 3, done.stderr
    finally:
        sheet.write_text(original, encoding="utf-8", newline="")
    (other,) = json.loads(call("models", "list", "--json", "--home", "other", cwd=place).stdout)
    assert weights(place / "other") == weights(place / "cellcensus-home")
    assert other["id"] == model["id"]


def weights(home):
    (file,) = home.glob("models/*/model.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_wrong_use_is_answered_in_json_too(lab):
    place, *_ = lab
    for arguments in (["run"], ["no-such"], ["run", f"{NAME}/study.yaml"], ["run", "nowhere"]):
        done = call(*arguments, "--json", cwd=place)
        assert done.returncode == 2
        told = json.loads(done.stdout)
        assert told["error"]
        assert told["next_step"]
