import http.server
import threading
from datetime import timedelta

import pytest

from cellcensus.settings import Settings
from db.schema import migrate, upgrade
from db.store import Store
from db.tables import Account, Job
from db.types import utc_now
from flows import doctor
from flows.doctor import CHECKS, Verdict, examine, examine_service


@pytest.fixture
def settings(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Settings(home=home)


def only(settings, name):
    return CHECKS[name](settings)


def test_a_sound_installation_passes(settings):
    upgrade(settings.database_address())
    checks = examine(settings)
    assert [check.verdict for check in checks] == [Verdict.OK] * len(CHECKS)


def test_what_is_wrong_comes_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 1e9)
    checks = {check.name: check for check in examine(Settings(home=tmp_path / "new"))}
    for name in ("home folder", "disk", "database"):
        assert checks[name].verdict is Verdict.WARNING
        assert checks[name].next_step


def test_nothing_is_made_by_looking(tmp_path):
    examine(Settings(home=tmp_path / "new"))
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_is_not_there(settings):
    check = doctor._imports("dance", "no_such_module", "dancing")(settings)
    assert check.verdict is Verdict.FAILED
    assert "make setup" in check.next_step


def test_a_home_that_cannot_be_written_to(settings, monkeypatch):
    def refused(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    check = only(settings, "home folder")
    assert check.verdict is Verdict.FAILED
    assert "CELLCENSUS_HOME" in check.next_step


def test_an_old_schema_is_named(settings):
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    store.close()
    check = only(settings, "database")
    assert check.verdict is Verdict.WARNING
    assert "db upgrade" in check.next_step


def test_a_home_of_an_earlier_release_can_do_its_work(settings):
    store = Store(settings.database_address())
    with store.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        migrate(connection, "0002")  # before there were jobs
    store.close()
    verdicts = {check.name: check.verdict for check in examine_service(settings)}
    assert verdicts["database"] is Verdict.WARNING
    assert Verdict.FAILED not in verdicts.values()


def test_a_database_that_does_not_answer_hides_its_password(tmp_path):
    lost = Settings(
        home=tmp_path, database_url="postgresql://u:secret@127.0.0.1:1/x?connect_timeout=2"
    )
    checks = {check.name: check for check in examine_service(lost)}
    assert checks["database"].verdict is Verdict.FAILED
    assert checks["database"].next_step
    assert "secret" not in str(checks)


def test_work_that_nobody_does_is_noticed(settings):
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    with store.unit_of_work() as session:
        account = Account(name="a", full_name="A", role="scientist", password_hash="!")
        session.add(account)
        session.flush()
        asked = utc_now() - timedelta(minutes=5)
        job = Job(kind="run", subject="study:x", account_key=account.key, asked_at=asked)
        session.add(job)
        session.commit()
    store.close()
    check = only(settings, "jobs")
    assert check.verdict is Verdict.WARNING
    assert "cellcensus work" in check.next_step


@pytest.fixture
def server():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    found = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found.server_address[1]
    found.shutdown()
    found.server_close()


def test_the_prefect_server_is_asked(settings, monkeypatch, server):
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{server}/api")
    assert only(settings, "Prefect server").verdict is Verdict.OK
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    check = only(settings, "Prefect server")
    assert check.verdict is Verdict.FAILED
    assert "prefect server start" in check.next_step
    monkeypatch.setenv("PREFECT_API_URL", "file:///etc/passwd")
    assert only(settings, "Prefect server").verdict is Verdict.FAILED
