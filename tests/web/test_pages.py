"""Studies, models, control charts, quarantine, the service and the tour."""

import re

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from cellcensus.settings import Settings, WebSettings
from db import registry
from db.tables import AuditEntry, Finding, Job
from tests.web import lab
from web.app import create_app

PAGES = [
    *("/studies/lab/", "/studies/lab/?unit=per_ul", "/models", "/models/model-1-lab", "/controls"),
    *("/controls?instrument=bench-1&since=2026-01-10", "/quarantine", "/jobs", "/service", "/tour"),
]


@pytest.fixture
def filled(store):
    with store.unit_of_work() as session:
        lab.fill_lab(session, drift_from=25)
        session.commit()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("address", PAGES)
def test_every_page_can_be_read_by_a_viewer(client_as, address):
    answer = client_as("viewer").get(address)
    assert answer.status_code == 200
    assert "<style" not in answer.text
    assert "<script" not in answer.text
    assert not re.search(r"\sstyle=", answer.text)
    assert answer.text.count("<h1") == 1
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))
    # A viewer decides nothing: no form but the sign-out and the filters.
    assert re.findall(r'method="post" action="([^"]+)"', answer.text) == ["/logout"]


@pytest.mark.parametrize("address", ["/studies", "/models", "/controls", "/quarantine", "/jobs"])
def test_an_empty_home_says_what_to_do_next(client, address):
    assert "empty-state" in client.get(address).text


@pytest.mark.parametrize("address", ["/tour", "/service"])
def test_the_tour_and_the_service_begin_with_a_command(client, address):
    assert "cellcensus demo --serve" in client.get(address).text


@pytest.mark.usefixtures("filled")
def test_a_study_is_compared_with_the_analyser(client):
    page = client.get("/studies/lab/").text
    assert page.count('class="compared"') == 3
    assert "30 of 30 donors" in page
    assert "Passing–Bablok slope" in page
    assert "learning wide" in page  # the card's learning curve
    in_cells = client.get("/studies/lab/?unit=per_ul").text
    assert "predicted − reference, cells/µL" in in_cells
    assert client.get("/studies/lab/?unit=bushels").status_code == 422
    assert client.get("/studies/nobody/").status_code == 404


@pytest.mark.usefixtures("filled")
def test_a_card_is_told_in_words(client):
    page = client.get("/models/model-1-lab").text
    for words in (
        "learned from 4 specimens of 24 donors, 12 of them with mixed blood",
        "1 purified, 2 mixed, 1 blank",
        "91 % of the analyser's cells are found",
        "Counts only the classes named here",
        "9.0 % monocyte found, 31.0 % stated. It would fit M011",
        "the first of its classes",
    ):
        assert words in page
    assert client.get("/models/none").status_code == 404


@pytest.fixture
def candidate(store, filled):
    with store.unit_of_work() as session:
        lab.add_candidate(session, "model-2-new")
        session.commit()


def states(store):
    with store.reading() as session:
        return {model.model_id: model.state for model in registry.list_models(session)}


@pytest.mark.usefixtures("candidate")
def test_a_model_is_promoted_with_a_reason_only(client_as, store):
    client = client_as("scientist")
    for reason in ("", "   "):
        answer = client.post("/models/model-2-new/promote", data={"reason": reason})
        assert answer.status_code == 422
        assert "No reason was given" in answer.text
    assert states(store)["model-2-new"] == "candidate"
    answer = client.post("/models/model-2-new/promote", data={"reason": "better on <b> donors"})
    assert answer.status_code == 200
    assert "better on &lt;b&gt; donors (Scientist)" in answer.text
    assert states(store) == {"model-1-lab": "retired", "model-2-new": "champion"}
    with store.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()[-1]
    assert (entry.actor, entry.action) == ("scientist", "model.promoted")
    assert "better on" in entry.reason


@pytest.mark.usefixtures("candidate")
def test_a_promotion_is_rolled_back_with_a_reason_only(client_as, store):
    client = client_as("scientist")
    client.post("/models/model-2-new/promote", data={"reason": "try"})
    assert client.post("/models/model-2-new/rollback", data={"reason": ""}).status_code == 422
    answer = client.post("/models/model-2-new/rollback", data={"reason": "worse on Monday"})
    assert answer.url.path == "/models/model-1-lab"
    assert states(store) == {"model-1-lab": "champion", "model-2-new": "retired"}
    again = client.post("/models/model-2-new/rollback", data={"reason": "again"})
    assert again.status_code == 409
    assert "not the champion any more" in again.text


@pytest.mark.usefixtures("candidate")
def test_the_first_champion_cannot_be_rolled_back(client_as, store):
    client = client_as("scientist")
    answer = client.post("/models/model-1-lab/rollback", data={"reason": "x"})
    assert answer.status_code == 409
    assert states(store)["model-1-lab"] == "champion"


@pytest.mark.usefixtures("candidate")
@pytest.mark.parametrize("role", ["viewer", "technician", "reviewer", "administrator"])
@pytest.mark.parametrize("what", ["promote", "rollback"])
def test_only_who_may_decides_about_models(client_as, store, role, what):
    answer = client_as(role).post(f"/models/model-2-new/{what}", data={"reason": "x"})
    assert answer.status_code == 403
    assert states(store)["model-2-new"] == "candidate"


def test_what_the_gate_found_is_shown(client, store):
    overall = {"candidate": 2.4, "champion": 1.9, "change": 0.5, "low": 0.1, "high": 1.4}
    figures = {"donors": 14, "overall": overall, "classes": {"monocyte": overall}}
    with store.unit_of_work() as session:
        lab.add_champion(session, "model-1-lab")
        model = lab.add_candidate(session, "model-2-new")
        registry.refuse(session, model, reasons=["monocyte: worse"], details=figures)
        session.commit()
    page = client.get("/models/model-2-new").text
    assert "Compared on 14 donors" in page
    assert "+0.1 to +1.4" in page
    assert "monocyte: worse" in page


@pytest.mark.usefixtures("filled")
def test_drift_is_seen_on_the_charts(client):
    page = client.get("/controls").text
    assert "Controls: the latest value is out of control in" in page
    assert "Recordings: the latest value is out of control in" in page
    assert '<b class="out">1-3s</b>' in page
    assert "the known composition; SD of the first 20 values in control" in page
    before = client.get("/controls?instrument=bench-1&since=2026-01-30").text
    # Recordings are judged by those since then; controls still by what is known of them.
    assert "Recordings: the latest value is out of control" not in before
    assert "Controls: the latest value is out of control" in before
    assert client.get("/controls?instrument=nobody").status_code == 404


def test_charts_without_drift_are_quiet(client, store):
    with store.unit_of_work() as session:
        lab.fill_lab(session, seed=1)
        session.commit()
    assert "latest value is out of control" not in client.get("/controls").text


@pytest.mark.usefixtures("home")
def test_a_specimen_is_released_with_a_reason_and_run_again(client_as, store):
    client = client_as("reviewer")
    form = {"study": "demo", "specimen": "S002"}
    refused = client.post("/quarantine/release", data=form)
    assert refused.status_code == 409
    answer = client.post("/quarantine/release", data={**form, "reason": "copied again"})
    assert answer.url.path == "/quarantine"
    assert "No specimen waits in quarantine" in answer.text
    assert "The file has 0 bytes" in answer.text  # in the history
    with store.reading() as session:
        assert session.scalars(select(Job.subject)).all() == ["specimen:demo/S002"]
        assert session.scalars(select(Finding).where(Finding.cleared_at.is_(None))).all() == []
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "quarantine.released" in actions


@pytest.mark.usefixtures("home")
def test_a_specimen_is_discarded_with_a_reason_and_may_come_back(client_as, store):
    client = client_as("scientist")
    form = {"study": "demo", "specimen": "S002", "reason": "the tube broke"}
    page = client.post("/quarantine/discard", data=form).text
    assert "discarded: the tube broke" in page
    assert client.post("/quarantine/discard", data=form).status_code == 409
    assert "No specimen waits" in client.post("/quarantine/release", data=form).text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("what", ["release", "discard"])
def test_quarantine_is_decided_by_who_may_and_about_what_is_there(client_as, what):
    form = {"study": "demo", "specimen": "S002", "reason": "x"}
    assert client_as("technician").post(f"/quarantine/{what}", data=form).status_code == 403
    reviewer = client_as("reviewer")
    assert reviewer.post(f"/quarantine/{what}", data={**form, "specimen": "?"}).status_code == 404
    assert reviewer.post(f"/quarantine/{what}", data={**form, "study": "?"}).status_code == 404
    in_order = {**form, "specimen": "S000"}
    assert reviewer.post(f"/quarantine/{what}", data=in_order).status_code == 409
    assert "Decide about" not in client_as("viewer").get("/quarantine").text


def figures(text):
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.usefixtures("home")
def test_the_figures_are_those_of_the_home(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = figures(answer.text)
    assert found["cellcensus_specimens",] == 4
    assert found["cellcensus_quarantined",] == 1
    assert found["cellcensus_jobs", "waiting"] == 0
    assert found["cellcensus_disk_free_bytes",] > 0
    assert "S00" not in answer.text


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("opened", "host", "headers", "status"),
    [
        (False, "127.0.0.1", {}, 303),
        (True, "127.0.0.1", {}, 200),
        (True, "192.0.2.7", {}, 303),
        (True, "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 303),
        (True, "127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 303),
    ],
)
def test_programs_on_this_machine_read_the_figures_only_if_told(
    tmp_path, opened, host, headers, status
):
    app = create_app(Settings(home=tmp_path, web=WebSettings(open_metrics=opened)))
    with TestClient(app, client=(host, 50000), follow_redirects=False) as stranger:
        assert stranger.get("/metrics", headers=headers).status_code == status
        assert stranger.get("/jobs", headers=headers).status_code == 303


@pytest.mark.usefixtures("home")
def test_the_service_page_names_what_is_wrong(client, monkeypatch):
    from flows import doctor

    assert "Everything that was looked at is well" in client.get("/service").text
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 1e9)
    page = client.get("/service").text
    assert "Make room" in page


@pytest.mark.usefixtures("filled")
def test_the_tour_leads_to_pages_that_are_there(client, store):
    page = client.get("/tour").text
    links = set(re.findall(r'<h2><a href="([^"#]+)', page))
    assert len(links) == 7
    for link in links:
        assert client.get(link).status_code == 200, link


def test_every_flag_says_what_to_do(client):
    from reports.glossary import FLAGS

    page = client.get("/flags").text
    actions = re.findall(r'data-label="what to do"><span>([^<]*)</span>', page)
    assert len(actions) == len(FLAGS)
    assert all(len(action) > 15 for action in actions)
