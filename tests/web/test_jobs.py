import re

import pytest
from sqlalchemy import select

from db import jobs
from db.tables import Account, AuditEntry, Job


def ask(client, **form):
    return client.post("/jobs", data={"study": "demo", "kind": "run", **form})


def rows(store):
    with store.reading() as session:
        return session.scalars(select(Job).order_by(Job.key)).all()


def take(store, process="worker"):
    with store.unit_of_work() as session:
        job = jobs.take(session, process=process, lease_seconds=60)
        session.commit()
    return job.key


def put(store, key, **values):
    with store.unit_of_work() as session:
        for name, value in values.items():
            setattr(session.get_one(Job, key), name, value)
        session.commit()


@pytest.mark.usefixtures("home")
def test_two_clicks_are_one_job_and_the_trail_names_who_asked(client_as, store):
    client = client_as("reviewer")
    for _ in range(2):
        answer = ask(client)
        assert answer.status_code == 200
        assert answer.url.path == "/studies/demo/"
    assert [(job.kind, job.subject) for job in rows(store)] == [("run", "study:demo")]
    with store.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "job.asked")).one()
        assert entry.actor == "reviewer"
        assert session.get(Account, rows(store)[0].account_key).name == "reviewer"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("role", ["viewer", "technician", "administrator"])
def test_who_may_not_run_queues_nothing_and_sees_no_button(client_as, store, role):
    client = client_as(role)
    assert ask(client).status_code == 403
    assert rows(store) == []
    assert 'action="/jobs"' not in client.get("/studies/demo/").text


@pytest.mark.usefixtures("home")
def test_training_asks_for_the_right_to_decide_about_models(client_as, store):
    assert ask(client_as("reviewer"), kind="retrain").status_code == 403
    assert rows(store) == []
    assert ask(client_as("scientist"), kind="retrain").status_code == 200
    assert rows(store)[0].subject == "models:lymphocyte|neutrophil"
    assert 'value="retrain"' in client_as("scientist").get("/studies/demo/").text
    assert 'value="retrain"' not in client_as("reviewer").get("/studies/demo/").text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "form",
    [
        {"study": "nobody"},
        {"kind": "dance"},
        {"kind": "rerun"},
        {"kind": "rerun", "specimen": "nobody"},
        {"kind": "run", "specimen": "S000"},
    ],
)
def test_what_does_not_exist_is_not_queued(client_as, store, form):
    assert ask(client_as("reviewer"), **form).status_code == 404
    assert rows(store) == []


@pytest.mark.usefixtures("home")
def test_a_specimen_is_run_again(client_as, store):
    answer = ask(client_as("reviewer"), kind="rerun", specimen="S002")
    assert answer.url.path == "/jobs"
    assert rows(store)[0].subject == "specimen:demo/S002"


@pytest.mark.usefixtures("home")
def test_a_page_follows_a_job_until_it_ends(client_as, store):
    client = client_as("reviewer")
    ask(client)
    key = take(store)
    put(store, key, progress=0.4, label="finding cells: 4 of 10", seconds_left=130.0)
    page = client.get("/studies/demo/").text
    assert f'hx-get="/jobs/{key}/state"' in page
    assert "htmx.min.js" in page
    part = client.get(f"/jobs/{key}/state").text
    assert "Finding cells: 4 of 10, about 2 min left" in part
    assert 'value="0.400"' in part
    assert "<html" not in part
    with store.unit_of_work() as session:
        jobs.end(session, key, process="worker", state="failed", message="<b>disk</b> full")
        session.commit()
    ended = client.get(f"/jobs/{key}/state").text
    assert "hx-get" not in ended  # nothing is asked for any more
    assert "&lt;b&gt;disk&lt;/b&gt; full" in ended
    assert "htmx.min.js" not in client.get("/studies/demo/").text
    assert "&lt;b&gt;disk" in client.get("/jobs").text
    assert "&lt;b&gt;disk" in client.get(f"/jobs/{key}").text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("address", ["/jobs/1", "/jobs/1/state", "/jobs/0", f"/jobs/{2**70}"])
def test_a_job_that_is_not_there(client, address):
    assert client.get(address).status_code == 404


def test_without_jobs_the_page_says_how_to_begin(client_as):
    assert "Process what is new" in client_as("reviewer").get("/jobs").text
    assert "A reviewer or a scientist" in client_as("viewer").get("/jobs").text


@pytest.mark.usefixtures("home")
def test_a_rerun_asked_for_at_the_bench_is_queued(client_as, store):
    client = client_as("technician")
    address = "/studies/demo/specimens/S000"
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(address).text).group(1)
    answer = client.post(f"{address}/rerun", data={"seen": seen, "reason": "out of focus"})
    assert answer.status_code == 200
    assert [job.subject for job in rows(store)] == ["specimen:demo/S000"]
    refused = client.post(f"{address}/rerun", data={"seen": "0", "reason": ""})
    assert refused.status_code >= 400
    assert len(rows(store)) == 1
