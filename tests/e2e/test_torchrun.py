"""`cellcensus train` begun by torchrun: two processes make the model that one makes."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e

SMALL = ("classes=[lymphoid, large-granular]", "cells=40", "mixed=4", "unknown=0", "blanks=1")
QUICK = {
    "CELLCENSUS_TRAINING__WARMUP_STEPS": "5",
    "CELLCENSUS_TRAINING__BAG_STEPS": "5",
    "CELLCENSUS_TRAINING__FOLDS": "2",
    "OMP_NUM_THREADS": "1",
}
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def call(*arguments, cwd, home, begin=()):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CELLCENSUS_")}
    return subprocess.run(
        [sys.executable, *begin, "-m", "cli.main", *map(str, arguments), "--home", str(home)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        check=False,
        env={**environment, **QUICK, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )


def rows(home, query):
    with sqlite3.connect(home / "cellcensus.sqlite") as database:
        return database.execute(query).fetchall()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    place = tmp_path_factory.mktemp("lab")
    changes = [part for change in SMALL for part in ("--set", change)]
    made = call("simulate", "study", *changes, cwd=place, home=place / "one")
    assert made.returncode == 0, made.stderr
    found = call("ingest", "study", cwd=place, home=place / "one")
    assert found.returncode == 0, found.stderr
    shutil.copytree(place / "one", place / "two")
    return place


def test_two_processes_make_the_model_that_one_makes(lab):
    alone = call("train", "study", "--json", cwd=lab, home=lab / "one")
    assert alone.returncode == 0, alone.stderr
    many = call("train", "study", "--json", cwd=lab, home=lab / "two", begin=TORCHRUN)
    assert many.returncode == 0, many.stderr
    # One process speaks and writes: one document, one run, one model.
    assert json.loads(many.stdout) == json.loads(alone.stdout)
    assert rows(lab / "two", "SELECT stage, state FROM run WHERE stage = 'train'") == [
        ("train", "done")
    ]
    assert len(rows(lab / "two", "SELECT model_id FROM model_version")) == 1
    found = "SELECT fraction FROM prediction_class ORDER BY prediction_key, cell_class"
    ours, theirs = ([row[0] for row in rows(lab / home, found)] for home in ("one", "two"))
    assert theirs == pytest.approx(ours, abs=0.01)
    assert len(ours) == 8


def test_what_cannot_teach_is_said_once_and_ends_both(lab):
    (lab / "nothing").mkdir()
    shutil.copy(lab / "study" / "study.yaml", lab / "nothing")
    (lab / "nothing" / "specimens.csv").write_text("specimen_id,donor_id,role,recording\n")
    done = call("train", "nothing", "--json", cwd=lab, home=lab / "two", begin=TORCHRUN)
    assert done.returncode != 0
    assert "no specimens" in json.loads(done.stdout)["error"]
