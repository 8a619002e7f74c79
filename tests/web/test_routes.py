import re
import time

import pytest
from sqlalchemy import insert, select

from cellcensus.findings import Finding, Level
from db.findings import reconcile
from db.studies import add_specimen, record_study
from db.tables import CellFile, Prediction, Specimen, SpecimenRevision, Study
from reports.glossary import FLAGS
from reports.numbers import per_ul
from tests.web.conftest import make_study

PAGES = [
    "/",
    "/studies",
    "/studies/demo/",
    "/studies/demo/specimens/S000",
    "/studies/demo/specimens/S001",
    "/studies/demo/specimens/S002",
    "/studies/demo/specimens/S003",
    "/studies/demo/specimens/S000/report",
    "/studies/demo/report",
    "/models",
    "/models/model-1-abc",
    "/quarantine",
    "/flags",
]


def listed(answer):
    return re.findall(r'<th scope="row"><a href="[^"]*">(\w+)</a>', answer.text)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_with_strict_headers(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    # No inline style or script would be allowed by that policy, so none may be written.
    if "/report" not in address:
        assert "<style" not in answer.text
    assert not re.search(r"<script(?! src=\"/static/)", answer.text)
    assert not re.search(r"\son\w+=", answer.text)
    assert not re.search(r"\sstyle=", answer.text)
    assert answer.text.count("<h1") == 1
    assert len(re.findall(r'<main|role="main"', answer.text)) <= 1


@pytest.mark.usefixtures("home")
def test_the_work_list_is_paged_with_what_needs_a_person_first(client):
    # Set aside, flagged, and what only waits for the service.
    assert listed(client.get("/")) == ["S002", "S000"]
    assert listed(client.get("/?page=2")) == ["S003", "S001"]
    assert listed(client.get("/?page=99")) == ["S003", "S001"]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["S003", "S002"]),
        ("oldest", ["S000", "S001"]),
        ("specimen", ["S000", "S001"]),
        ("donor", ["S000", "S001"]),
    ],
)
def test_the_work_list_can_be_ordered(client, sort, expected):
    assert listed(client.get(f"/?sort={sort}")) == expected


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("review=open", ["S000"]),
        ("review=released", []),
        ("state=quarantined", ["S002"]),
        ("state=predicted", ["S000"]),
        ("state=ingested", ["S001"]),
        ("state=waiting", ["S003"]),
        ("flag=few_cells", ["S000"]),
        ("flag=few", []),
        ("words=d00&role=unknown", ["S002", "S000"]),
        ("words=d00&role=unknown&sort=oldest", ["S000", "S002"]),
        ("words=_", []),
        ("instrument=bench-1", ["S003", "S001"]),
        ("since=2026-03-03&until=2026-03-03", ["S002"]),
        ("study=other", []),
    ],
)
def test_filters_narrow_the_work_list(client, query, expected):
    assert listed(client.get(f"/?{query}")) == expected


@pytest.mark.usefixtures("home")
def test_a_specimen_whose_row_could_not_be_read_is_not_lost(client, store):
    with store.unit_of_work() as session:
        key = session.scalars(select(Study)).one().key
        found = Finding(Level.VIOLATION, "recording_missing", "It is not there", "Copy it", "S900")
        reconcile(
            session,
            [found],
            study_key=key,
            specimen_key=add_specimen(session, key, "S900"),
            source="sheet",
            quarantines=True,
        )
        session.commit()
    assert listed(client.get("/?state=quarantined")) == ["S002", "S900"]
    assert "It is not there" in client.get("/studies/demo/specimens/S900").text
    assert 'state=quarantined">2</a>' in client.get("/studies").text


@pytest.mark.usefixtures("home")
def test_paging_keeps_the_filter(client):
    links = re.findall(r'href="(/\?[^"]*page=2[^"]*)"', client.get("/?study=demo&words=S").text)
    assert listed(client.get(links[0].replace("&amp;", "&"))) == ["S003", "S001"]


@pytest.mark.usefixtures("home")
def test_a_specimen_shows_its_result_and_its_neighbours(client):
    text = client.get("/studies/demo/specimens/S000").text
    assert per_ul(6120.0) in text
    assert "/studies/demo/specimens/S001?" in text
    assert "0 bytes" in client.get("/studies/demo/specimens/S002").text
    assert "cellcensus predict" in client.get("/studies/demo/specimens/S001").text


def test_a_specimen_whose_classes_are_lost_says_so_and_what_to_do(client, home):
    (home / "p.parquet").unlink()
    answer = client.get("/studies/demo/specimens/S000")
    assert answer.status_code == 200
    assert "cannot be read" in answer.text
    assert "cellcensus predict" in answer.text


def test_an_altered_report_is_not_shown(client, home):
    file = home / "reports" / "demo" / "S000.html"
    assert client.get("/studies/demo/specimens/S000/report").status_code == 200
    file.write_text(file.read_text().replace("58.1", "99.9"))
    assert client.get("/studies/demo/specimens/S000/report").status_code == 404


@pytest.mark.usefixtures("home")
def test_links_of_a_stored_study_report_lead_to_specimens(client):
    answer = client.get("/studies/demo/S000.html", follow_redirects=False)
    assert answer.headers["location"] == "/studies/demo/specimens/S000"
    assert client.get("/studies/demo/S999.html").status_code == 404


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nothing", 404),
        ("/studies/none/", 404),
        ("/studies/demo/specimens/none", 404),
        ("/studies/demo/specimens/..%2F..%2Fetc%2Fpasswd", 404),
        ("/static/..%2Fapp.py", 404),
        ("/static/app.py", 404),
        ("/models/none", 404),
        ("/?state=sold", 422),
        ("/?since=yesterday", 422),
        ("/?page=0", 422),
    ],
)
def test_what_is_not_there_is_said_on_a_page(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    assert "Back to the work list" in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("address", ["/", "/studies", "/models", "/quarantine"])
def test_an_empty_home_says_what_to_do_next(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    assert "cellcensus" in answer.text


def test_a_hostile_name_is_only_text(client, store):
    name = '<img src=x onerror="alert(1)">'
    with store.unit_of_work() as session:
        record_study(session, make_study(name, 1))
        session.commit()
    for address in ("/", "/studies"):
        assert "<img" not in client.get(address).text
    link = re.search(r'href="(/studies/[^"]+/)"', client.get("/studies").text)
    assert client.get(link.group(1)).status_code == 200


def add_many(session, number):
    """Copies of S000, each with its cells and its prediction."""
    study = session.scalars(select(Study)).one()
    pattern = session.scalars(select(Specimen).where(Specimen.specimen_id == "S000")).one()
    copied = {}
    for table in (SpecimenRevision, CellFile, Prediction):
        row = session.scalars(select(table).where(table.specimen_key == pattern.key)).one()
        names = [
            c.key for c in table.__mapper__.column_attrs if c.key not in ("key", "specimen_key")
        ]
        copied[table] = {name: getattr(row, name) for name in names}
    keys = range(1000, 1000 + number)
    rows = [{"key": k, "study_key": study.key, "specimen_id": f"L{k:05}"} for k in keys]
    session.execute(insert(Specimen), rows)
    for table, values in copied.items():
        session.execute(insert(table), [{**values, "specimen_key": k} for k in keys])


@pytest.mark.integration
def test_ten_thousand_specimens_page_quickly(client, store, home):
    with store.unit_of_work() as session:
        add_many(session, 10_000)
        session.commit()
    times = {}
    for query in ("", "?page=3000", "?state=predicted", "?words=L005", "?flag=few_cells"):
        best = []
        for _ in range(3):
            begun = time.perf_counter()
            assert client.get(f"/{query}").status_code == 200
            best.append(time.perf_counter() - begun)
        times[query] = min(best)
    # 0.2 s on a quiet machine; a shared one gets some grace.
    assert max(times.values()) < 0.5, times


def test_every_flag_is_explained_on_one_page(client):
    text = client.get("/flags").text
    assert all(code in text for code in FLAGS)


@pytest.mark.usefixtures("home")
def test_health(client):
    assert client.get("/healthz").json()["status"] == "ok"
