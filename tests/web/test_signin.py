import re
import time
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from cellcensus.settings import AccessSettings
from db import accounts
from db.tables import Account, AuditEntry, LoginSession
from tests.hashes import quick_hashes
from web import signin
from web.app import create_app
from web.signin import safe_next

__all__ = ["quick_hashes"]

PASSWORD = "a long password"
COOKIE = "cellcensus_session"


@pytest.fixture(autouse=True)
def _quick(quick_hashes, monkeypatch):
    monkeypatch.setattr(signin, "FAILURE_TAKES_S", 0.0)


@pytest.fixture
def ada(store):
    with store.unit_of_work() as session:
        account = accounts.add_account(
            session, name="ada", full_name="Ada L", role="technician", password=PASSWORD
        )
        session.commit()
    return account


def asked(client, address="/login"):
    return re.search(r'name="csrf" value="([^"]+)"', client.get(address).text)[1]


def sign_in(client, name="ada", password=PASSWORD, back="/", **more):
    form = {"csrf": asked(client), "name": name, "password": password, "next": back}
    return client.post("/login", data=form, **more)


def test_without_accounts_the_page_says_how_to_make_the_first(stranger):
    text = stranger.get("/login").text
    assert "cellcensus users add" in text
    assert sign_in(stranger, "", "").status_code == 401


@pytest.mark.usefixtures("ada")
def test_the_right_password_leads_to_where_one_wanted_to_be(stranger):
    assert "cellcensus users add" not in stranger.get("/login").text
    answer = sign_in(stranger, " ADA ", back="/studies?x=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/studies?x=1"
    page = stranger.get("/studies").text
    assert "Ada L" in page
    assert stranger.get("/login?next=/models").headers["location"] == "/models"


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("name", "password"), [("ada", "incorrect"), ("eve", PASSWORD), ("eve", ""), ("'--", "<b>")]
)
def test_a_wrong_one_is_told_in_the_same_words_for_everybody(stranger, name, password):
    answer = sign_in(stranger, name, password)
    assert answer.status_code == 401
    assert signin.WRONG.replace("'", "&#39;") in answer.text
    assert password not in answer.text or not password
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert stranger.get("/").status_code == 303


@pytest.mark.usefixtures("ada")
def test_a_failure_takes_its_time_whatever_the_name(stranger, monkeypatch):
    monkeypatch.setattr(signin, "FAILURE_TAKES_S", 0.3)
    for name in ("ada", "nobody"):
        began = time.monotonic()
        assert sign_in(stranger, name, "wrong").status_code == 401
        assert time.monotonic() - began >= 0.3


def flags_of(answer, name):
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{name}=")]
    return {part.strip().lower() for part in cookie.split(";")[1:]}


@pytest.mark.usefixtures("ada")
def test_the_cookies_are_for_this_site_and_no_script(stranger):
    page = stranger.get("/login")
    assert flags_of(page, "cellcensus_asked") == {"httponly", "path=/", "samesite=strict"}
    answer = sign_in(stranger)
    assert flags_of(answer, COOKIE) == {"httponly", "path=/", "samesite=lax"}


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("how", ["https", "setting"])
def test_cookies_are_secure_over_https_and_by_setting(settings, how):
    base = "https://testserver" if how == "https" else "http://testserver"
    if how == "setting":
        settings = settings.model_copy(update={"access": AccessSettings(secure_cookies=True)})
    with TestClient(create_app(settings), base_url=base, follow_redirects=False) as client:
        page = client.get("/login")
        assert "secure" in flags_of(page, "__Host-cellcensus_asked")
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)[1]
        form = {"csrf": token, "name": "ada", "password": PASSWORD}
        answer = client.post(
            "/login", data=form, headers={"cookie": f"__Host-cellcensus_asked={token}"}
        )
        assert "secure" in flags_of(answer, f"__Host-{COOKIE}")


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("form", [{}, {"csrf": ""}, {"csrf": "planted"}])
def test_signing_in_needs_the_pages_own_token(stranger, form):
    stranger.get("/login")
    answer = stranger.post("/login", data={"name": "ada", "password": PASSWORD, **form})
    assert answer.status_code == 403
    assert "out of date" in answer.text


@pytest.mark.usefixtures("ada")
def test_a_token_without_its_cookie_is_none(stranger):
    token = asked(stranger)
    stranger.cookies.clear()
    form = {"csrf": token, "name": "ada", "password": PASSWORD}
    assert stranger.post("/login", data=form).status_code == 403


@pytest.mark.usefixtures("ada")
def test_a_planted_session_is_never_taken_over(stranger, app, store):
    stranger.cookies.set(COOKIE, "planted-by-somebody-else")
    answer = sign_in(stranger)
    given = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])[1]
    assert given != "planted-by-somebody-else"
    with TestClient(app, follow_redirects=False) as other:
        other.cookies.set(COOKIE, "planted-by-somebody-else")
        assert other.get("/").status_code == 303


@pytest.mark.usefixtures("ada")
def test_signing_out_ends_the_session_on_the_server_too(stranger, app):
    sign_in(stranger)
    token = stranger.cookies[COOKIE]
    answer = stranger.post("/logout", data={"csrf": asked(stranger, "/flags")})
    assert answer.headers["location"] == "/login"
    assert COOKIE not in stranger.cookies
    with TestClient(app, follow_redirects=False) as other:
        other.cookies.set(COOKIE, token)
        assert other.get("/").status_code == 303


def age(store, **columns):
    with store.unit_of_work() as session:
        row = session.scalars(select(LoginSession)).one()
        for name, by in columns.items():
            setattr(row, name, getattr(row, name) - by)
        session.commit()


def test_a_session_ends_when_it_is_idle(client, store):
    age(store, seen_at=timedelta(minutes=29))
    assert client.get("/flags").status_code == 200
    assert "Sign in" not in client.get("/flags").text  # being there was written down
    age(store, seen_at=timedelta(minutes=31))
    assert client.get("/flags").url.path == "/login"


def test_a_session_ends_after_its_day_however_busy(client, store):
    age(store, expires_at=timedelta(hours=12))
    assert client.get("/flags").url.path == "/login"


@pytest.mark.parametrize("how", ["close_account", "set_role", "set_password"])
def test_a_change_of_the_account_ends_its_sessions_at_once(client, store, how):
    assert client.get("/flags").url.path == "/flags"
    more = {"set_role": ["viewer"], "set_password": ["another password"]}.get(how, [])
    with store.unit_of_work() as session:
        account = accounts.get_account(session, "technician")
        getattr(accounts, how)(session, account, *more)
        session.commit()
    assert client.get("/flags").url.path == "/login"


def test_a_role_taken_away_in_the_database_counts_at_once(client_as, store):
    client = client_as("administrator")
    assert client.get("/people").status_code == 200
    with store.unit_of_work() as session:
        session.execute(update(Account).values(role="viewer"))
        session.commit()
    assert client.get("/people").status_code == 403


@pytest.mark.usefixtures("ada")
def test_failures_lock_the_account_and_the_lock_ends(stranger, store):
    for _ in range(5):
        assert sign_in(stranger, password="wrong").status_code == 401
    assert sign_in(stranger).status_code == 401
    with store.unit_of_work() as session:
        session.scalars(select(Account)).one().locked_until -= timedelta(seconds=61)
        session.commit()
    assert sign_in(stranger).status_code == 303
    with store.reading() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("account.sign_in_failed") == 4
    assert actions.count("account.locked") == 1


@pytest.mark.usefixtures("ada")
def test_an_address_that_fails_too_often_waits_whatever_the_names(settings):
    settings = settings.model_copy(update={"access": AccessSettings(address_attempts=3)})
    with TestClient(create_app(settings), follow_redirects=False) as client:
        for _ in range(5):  # successes do not count
            assert sign_in(client).status_code == 303
            client.cookies.clear()
        for number in range(3):
            assert sign_in(client, f"nobody-{number}").status_code == 401
        answer = sign_in(client)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "900"
        assert "quarter of an hour" in answer.text


@pytest.mark.parametrize(
    "given",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example"),
        *("javascript:alert(1)", "evil.example", "", "/\t/evil.example", "/\n/evil.example"),
        *("/login?next=/", "/logout", "/\u2028x"),
    ],
)
def test_the_way_back_leads_nowhere_else(given):
    assert safe_next(given) == "/"


@pytest.mark.usefixtures("ada")
def test_signing_in_never_leads_elsewhere(stranger):
    assert 'name="next" value="/"' in stranger.get("/login?next=https://evil.example").text
    answer = sign_in(stranger, back="//evil.example/")
    assert answer.headers["location"] == "/"


def test_a_way_back_within_is_kept():
    assert safe_next("/studies/d%C3%A9mo/?a=b&c=//d") == "/studies/d%C3%A9mo/?a=b&c=//d"
