import json
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("cv2")
from benchmarks.learning import Score, _keep, _merged, _reach, table


def score(error, half):
    rows = np.asarray(error, float)
    return Score(
        error=rows.tolist(),
        low=np.full(rows.shape, half).tolist(),
        high=np.full(rows.shape, half).tolist(),
        total=[1.0] * len(rows),
        abnormal=[True] + [False] * (len(rows) - 1),
        seconds=7.0,
    )


def test_reach_is_one_at_the_limit_of_the_side_the_error_is_on():
    lopsided = Score(error=[[2.0, -2.0]], low=[[2.0, 1.0]], high=[[1.0, 4.0]])
    assert _reach(lopsided) == pytest.approx(np.array([[1.0, 0.5]]))


def test_worst_class_is_that_of_all_studies_together():
    a, b = score([[3.0, 1.0]] * 4, 5.0), score([[1.0, 2.0]] * 4, 5.0)
    row = table("middle", [{"ours": a}, {"ours": b}]).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["ours", "1.75", "2.00 ± 1.41"]


def test_intervals_twice_as_wide_as_needed_are_said_to_be():
    rng = np.random.default_rng(0)
    error = rng.uniform(-1, 1, (400, 2))
    row = table("middle", [{"ours": score(error, 2.0)}]).splitlines()[-1]
    covered, _width, ratio = (cell.strip() for cell in row.strip("|").split("|")[5:8])
    assert covered == "1.00 1.00"
    assert [float(v) for v in ratio.split()] == pytest.approx([2.1, 2.1], abs=0.1)


def test_kept_seeds_make_the_same_table(tmp_path):
    studies = [{"ours": score([[3.0, 1.0]] * 4, 5.0)}, {"ours": score([[1.0, 2.0]] * 4, 5.0)}]
    file = tmp_path / "errors.jsonl"
    for seed, study in enumerate(studies):
        _keep(file, "middle", seed, study)
    assert json.loads(file.read_text().splitlines()[0])["scores"]["ours"] == asdict(
        studies[0]["ours"]
    )
    assert _merged([file]) == table("middle", studies)


def test_several_regimes_are_told_together_as_well(tmp_path):
    file = tmp_path / "errors.jsonl"
    wide, narrow = {"ours": score([[1.0, 1.0]] * 30, 2.0)}, {"ours": score([[1.0, 1.0]] * 10, 0.5)}
    _keep(file, "middle", 1, wide)
    _keep(file, "strong", 1, narrow)
    tables = _merged([file]).split("\n\n**")
    assert [text.strip("*").split("**")[0] for text in tables] == [
        "middle",
        "strong",
        "all regimes together",
    ]
    assert "| 0.75 0.75 |" in tables[-1]
    assert "ours, 2 abnormal donors: covered 0.50 0.50" in tables[-1]
    assert "ours, 38 others: covered 0.76 0.76" in tables[-1]
