import pytest

from flows.export import prediction_rows
from flows.review import correct, hold
from tests.flows.review.conftest import STUDY, cells_of


def all_pages(machine, path, **parameters):
    items, cursor = [], None
    while True:
        status, page = machine(path, **parameters, **({"cursor": cursor} if cursor else {}))
        assert status == 200
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_pages_hold_every_specimen_once(laboratory, machine):
    whole = all_pages(machine, "/specimens", limit=500)
    names = [item["specimen_id"] for item in whole]
    assert names == list(laboratory.folder.rows)
    assert all_pages(machine, "/specimens", limit=1) == whole
    assert all_pages(machine, "/specimens", limit=2) == whole


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({"role": "unknown"}, {"U1"}),
        ({"study": "other"}, set()),
        ({"words": "u1", "state": "predicted"}, {"U1"}),
        ({"state": "waiting"}, set()),
        ({"until": "9999-12-31", "role": "unknown"}, {"U1"}),
    ],
)
def test_the_list_is_narrowed(laboratory, machine, chosen, wanted):
    items = all_pages(machine, "/specimens", **chosen)
    assert {item["specimen_id"] for item in items} & {"U1"} == wanted


def test_a_specimen_says_what_the_export_says(laboratory, machine):
    status, said = machine(f"/specimens/{STUDY}/U1")
    assert status == 200
    rows = [row for row in prediction_rows(laboratory.ctx, STUDY) if row["specimen_id"] == "U1"]
    shares = said["result"]["classes"]
    assert [one["cell_class"] for one in shares] == [row["cell_class"] for row in rows]
    for one, row in zip(shares, rows, strict=True):
        assert one["fraction"] == {
            "value": row["fraction"],
            "low": row["fraction_low"],
            "high": row["fraction_high"],
        }
        assert one["per_ul"]["value"] == row["per_ul"]
    assert said["result"]["status"] == "preliminary"
    assert said["review"]["state"] == "open"
    assert said["prediction"]["model_sha256"]


def test_a_released_report_is_what_the_laboratory_says(released, machine):
    _, said = machine(f"/specimens/{STUDY}/U1")
    assert said["result"]["status"] == "final"
    assert said["prediction"]["status"] == "preliminary"
    review = said["review"]
    assert (review["state"], review["version"]) == ("released", 1)
    (signature,) = review["signatures"]
    assert (signature["name"], signature["meaning"]) == ("Ada R.", "released")
    assert signature["report_sha256"] == review["report_sha256"]


def test_a_held_specimen_says_so(laboratory, machine):
    hold(*laboratory.at(), reason="look again", seen=laboratory.bench().seen)
    assert machine(f"/specimens/{STUDY}/U1")[1]["review"]["state"] == "on_hold"


def test_cells_come_in_pages_with_class_and_correction(laboratory, machine):
    bench = laboratory.bench()
    cell_id = cells_of(bench, "round")[0]
    correct(*laboratory.signing(), cell_ids=[cell_id], after="lobed", seen=bench.seen)
    cells = all_pages(machine, f"/specimens/{STUDY}/U1/cells", limit=5)
    assert [cell["cell_id"] for cell in cells] == list(range(13))
    called = [cell["cell_class"] for cell in cells]
    assert (called.count("round"), called.count("unclassified"), called.count("artefact")) == (
        5,
        2,
        1,
    )
    (moved,) = (cell for cell in cells if cell["corrected_class"])
    assert (moved["cell_id"], moved["cell_class"], moved["corrected_class"]) == (
        cell_id,
        "round",
        "lobed",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/specimens/made-up/NONE",
        "/specimens/other/U1",
        "/specimens/other/U1/cells",
        "/specimens/made-up/NONE/report",
        "/studies/other",
        "/models/none",
        "/nothing",
    ],
)
def test_what_is_not_there_is_a_problem_with_an_id(laboratory, machine, path):
    status, said = machine(path)
    assert status == said["status"] == 404
    assert len(said["id"]) == 12
    answer = machine.client.get(f"/api/v1{path}")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "after--1"},
        {"cursor": "after-9999999999"},
        {"state": "x"},
        {"since": "yesterday"},
        {"words": "a\x00b"},
    ],
)
def test_a_request_that_cannot_be_read_is_told_where(laboratory, machine, asked):
    status, said = machine("/specimens", **asked)
    assert status == 422
    (name,) = asked
    assert [one["where"] for one in said["errors"]] == [f"query.{name}"]
