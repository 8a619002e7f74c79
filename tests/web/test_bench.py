"""The bench without a browser: pictures, galleries, lists, refusals, and what is quick enough."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from db.store import Store
from db.tables import Review, ReviewNote
from tests.web.benchhome import make_home
from tests.web.conftest import signed_in
from web.app import create_app
from web.bench.shelves import PAGE

WARD = "/studies/ward/specimens/"
HX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("ward"), specimens=8, people={})


@pytest.fixture
def settings(ward):
    return ward.settings


@pytest.fixture
def store(settings):
    made = Store(settings.database_address())
    yield made
    made.close()


def seen_on(client, name):
    return re.search(r'name="seen" value="([^"]+)"', client.get(WARD + name).text).group(1)


def ids_of(text):
    return [int(number) for number in re.findall(r'name="cell" value="(\d+)"', text)]


def pictured(answer):
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_pictures_of_cells_are_those_that_are_stored(client, settings):
    crops = np.load(settings.home / "cells" / "ward" / "ingest-1-a" / "crops.npy")
    answer = client.get(WARD + "W000/cells/ingest-1-a/many.png?ids=3,0,7")
    assert np.array_equal(pictured(answer), np.hstack([crops[3, 0], crops[0, 0], crops[7, 0]]))
    assert "immutable" in answer.headers["cache-control"]
    views = pictured(client.get(WARD + "W000/cells/ingest-1-a/3.png"))
    assert np.array_equal(views[:, :48], crops[3, 0])


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("W000/cells/ingest-1-a/many.png?ids=9999", 404),
        ("W000/cells/ingest-1-a/many.png?ids=1;2", 422),
        ("W000/cells/ingest-1-a/many.png?ids=" + ",".join(["1"] * 101), 422),
        ("W000/cells/..%2F..%2Fetc/many.png?ids=1", 404),
        ("W000/cells/other/many.png?ids=1", 404),
        ("W000/cells/ingest-1-a/9999", 404),
        ("W000/film/ingest-1-a/100000.jpg", 404),
        ("W000/film/ingest-1-a/-1.jpg", 404),
        ("W000/versions/1", 404),
        ("none/gallery", 404),
        ("W000?frame=-1", 422),
        ("W000?at=-1", 422),
    ],
)
def test_what_is_not_there_is_refused(client, address, status):
    assert client.get(WARD + address, headers=HX).status_code == status


def test_a_shelf_shows_the_least_certain_first(client):
    text = client.get(WARD + "W000/gallery?class=neutrophil", headers=HX).text
    shown = [int(p) for p in re.findall(r"certainty </span>(\d+)<", text)]
    assert shown == sorted(shown)
    assert len(shown) == len(ids_of(text)) > 3


def test_what_it_means_to_have_no_class_is_said_where_such_cells_lie(client):
    means = "These cells look like none of the learned classes"
    strange = client.get(WARD + "W007/gallery?class=unclassified", headers=HX).text
    assert len(ids_of(strange)) == 2
    assert means in strange
    assert 'name="to" value="neutrophil"' in strange
    assert means not in client.get(WARD + "W007/gallery?class=neutrophil", headers=HX).text
    none = client.get(WARD + "W006/gallery?class=unclassified", headers=HX).text
    assert "Every cell has a class." in none
    assert means not in none


def test_without_a_script_a_shelf_is_a_page(client):
    answer = client.get(WARD + "W000/gallery?class=monocyte", follow_redirects=False)
    assert answer.status_code == 303
    assert "class=monocyte" in answer.headers["location"]
    assert 'aria-current="true">monocyte' in client.get(WARD + "W000?class=monocyte").text


def test_cells_go_into_another_class_and_back(client):
    seen = seen_on(client, "W002")
    cell = ids_of(client.get(WARD + "W002/gallery?class=neutrophil", headers=HX).text)[0]
    answer = client.post(
        WARD + "W002/corrections?class=neutrophil",
        data={"seen": seen, "cell": [cell], "to": "basophil"},
        headers=HX,
    )
    assert cell not in ids_of(answer.text)
    assert "moved to basophil" in answer.text
    newer = re.search(r'"value": "([^"]+)"', answer.headers["hx-trigger"]).group(1)
    assert newer != seen
    back = client.post(WARD + "W002/undo?class=neutrophil", data={"seen": newer}, headers=HX)
    assert cell in ids_of(back.text)


def test_a_change_of_what_was_not_seen_is_refused_with_a_name(client, client_as):
    seen = seen_on(client, "W003")
    other = client_as("reviewer", name="rosa")
    data = {"seen": seen, "text": "first"}
    assert other.post(WARD + "W003/comments", data=data, headers=HX).status_code == 200
    answer = client.post(WARD + "W003/comments", data=data, headers=HX)
    assert answer.status_code == 409
    assert answer.headers["hx-retarget"] == "#notice"
    assert "Rosa changed this result at" in answer.text
    page = client.post(WARD + "W003/comments", data=data)
    assert page.status_code == 409
    assert "Rosa changed this result at" in page.text
    assert "<html" in page.text


@pytest.mark.parametrize(
    ("action", "data", "words"),
    [
        ("comments", {"text": " "}, "reason is needed"),
        ("hold", {"reason": ""}, "reason is needed"),
        ("unhold", {"reason": "why not"}, "not on hold"),
        ("undo", {}, "nothing was corrected"),
        ("corrections", {"to": "blast", "cell": ["1"]}, "no class"),
        ("corrections", {"to": "monocyte", "cell": ["99999"]}, "no cell"),
        ("flags", {"code": "nothing", "reason": "x"}, "no flag"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(client, action, data, words):
    answer = client.post(
        f"{WARD}W004/{action}", data={"seen": seen_on(client, "W004"), **data}, headers=HX
    )
    assert answer.status_code == 422
    assert words in answer.text.lower()


def test_looking_at_the_bin_is_written_down_with_a_name(client, store):
    seen = seen_on(client, "W001")
    assert "unclassified cells were not" in client.get(WARD + "W001").text
    assert client.post(WARD + "W001/bin", data={"seen": seen}, headers=HX).status_code == 200
    with store.reading() as session:
        note = session.scalars(select(ReviewNote).where(ReviewNote.kind == "bin_seen")).one()
    assert note.account_key > 0
    assert "unclassified cells were not" not in client.get(WARD + "W001").text


def test_a_password_is_asked_again_before_anything_is_signed(client, store):
    for password in ("wrong", ""):
        data = {"seen": seen_on(client, "W006"), "password": password}
        answer = client.post(WARD + "W006/sign", data=data)
        assert answer.status_code == 403
        assert "not your password" in answer.text
    with store.reading() as session:
        assert session.scalars(select(Review).where(Review.signed_state != "open")).all() == []


def test_next_and_previous_go_through_the_list_it_was_opened_from(client):
    text = client.get("/?sort=specimen&words=W00").text
    link = re.findall(r'<th scope="row"><a href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert parse_qs(urlsplit(link).query)["list"] == ["words=W00&sort=specimen"]
    page = client.get(link).text
    before = re.search(r'rel="prev" href="([^"]+)"', page).group(1)
    after = re.search(r'rel="next" href="([^"]+)"', page).group(1)
    assert "W000?" in before
    assert "W002?" in after
    assert "sort%3Dspecimen" in after


def test_a_list_that_cannot_be_read_narrows_nothing(client):
    answer = client.get(WARD + "W001?list=state%3Dsold%26since%3Dnever%26x%3D1&at=3")
    assert answer.status_code == 200


def test_a_frame_is_shown_with_outlines_and_its_picture(client):
    text = client.get(WARD + "W000/film?frame=40", headers=HX).text
    assert "<polygon" in text
    assert "<polyline" in text
    picture = pictured(client.get(WARD + "W000/film/ingest-1-a/40.jpg"))
    assert picture.shape[:2] == (96, 160)


def test_a_recording_that_has_gone_is_said(client, ward, settings):
    film = settings.home.parent / "study" / "ward.avi"
    film.rename(film.with_suffix(".away"))
    try:
        client.app.state.films.close()
        text = client.get(WARD + "W000/film?frame=1", headers=HX).text
        assert "not there" in text
        assert client.get(WARD + "W000/film/ingest-1-a/1.jpg").status_code == 404
    finally:
        film.with_suffix(".away").rename(film)


def test_cells_stored_without_tracks_say_so(client, settings):
    tracks = settings.home / "cells" / "ward" / "ingest-1-a" / "tracks.parquet"
    tracks.rename(tracks.with_suffix(".away"))
    try:
        text = client.get(WARD + "W000/film?frame=1", headers=HX).text
        assert "No tracks are stored" in text
        assert ".jpg" in text
    finally:
        tracks.with_suffix(".away").rename(tracks)


@pytest.mark.integration
def test_five_thousand_cells_stay_quick(tmp_path):
    home = make_home(tmp_path, specimens=1, copies=120, people={})
    assert home.cells > 5000
    store = Store(home.settings.database_address())
    with TestClient(create_app(home.settings)) as client:
        signed_in(client, store, "technician")
        times = {}
        for address in ("", "/gallery?class=neutrophil&page=3", "/film?frame=40"):
            best = []
            for _ in range(3):
                begun = time.process_time()
                answer = client.get(f"{WARD}W000{address}", headers=HX)
                best.append(time.process_time() - begun)
                assert answer.status_code == 200
            times[address] = min(best)
        assert len(ids_of(client.get(f"{WARD}W000?class=neutrophil").text)) == PAGE
    store.close()
    # Processor time: a machine that others use must not fail it.
    assert max(times.values()) < 0.3, times


def test_what_people_did_names_the_cells_they_moved(client):
    seen = seen_on(client, "W007")
    shelf = client.get(WARD + "W007/gallery?class=neutrophil", headers=HX).text
    data = {"seen": seen, "cell": ids_of(shelf)[:2], "to": "basophil"}
    assert client.post(WARD + "W007/corrections", data=data, headers=HX).status_code == 200
    assert "Technician</b> moved 2 cells to basophil" in client.get(WARD + "W007").text
