from sqlalchemy import update

from db.tables import Prediction
from flows.ingest import ingest_study
from tests.flows.review.conftest import STUDY


def test_studies(laboratory, machine):
    status, page = machine("/studies")
    assert status == 200
    assert [item["name"] for item in page["items"]] == [STUDY]
    status, study = machine(f"/studies/{STUDY}")
    assert study["classes"] == ["round", "lobed"]
    assert study["mode"] == "flow"
    assert study["specimens"] == sum(study["states"].values()) == len(laboratory.folder.rows)


def test_models(laboratory, machine):
    _, page = machine("/models")
    (model,) = page["items"]
    assert model["state"] == "champion"
    assert model["studies"] == [STUDY]
    assert machine(f"/models/{model['model_id']}") == (200, model)


def test_quarantine(laboratory, machine):
    assert machine("/quarantine") == (200, {"items": [], "next": None})
    laboratory.folder.film("M1", "")
    laboratory.folder.film("P1", "")
    ingest_study(laboratory.ctx, laboratory.folder.path)
    _, first = machine("/quarantine", limit=1)
    _, second = machine("/quarantine", limit=1, cursor=first["next"])
    assert [page["items"][0]["code"] for page in (first, second)] == ["no_cells"] * 2
    assert first["items"] != second["items"]
    assert second["next"] is None
    assert machine("/status")[1]["quarantined"] == 2


def test_status(released, machine):
    _, said = machine("/status")
    assert said["specimens"] == len(released.folder.rows)
    assert len(said["champions"]) == 1
    assert said["reports_to_send"] == {"waiting": 0, "acknowledged": 0, "refused": 0}


def test_what_cannot_be_said_is_null_and_never_zero(laboratory, machine):
    with laboratory.store.unit_of_work() as session:
        session.execute(update(Prediction).values(total_per_ul=None))
        session.commit()
    _, said = machine(f"/specimens/{STUDY}/U1")
    assert said["result"]["total_per_ul"]["value"] is None
