"""Commands for who looks after the service: doctor, work, and the account of the demo."""

import json

import pytest
from click import BadParameter
from click.testing import CliRunner

from cellcensus.errors import UsageError
from cellcensus.settings import Settings
from cli.main import cellcensus
from cli.touring import demo_password
from db.accounts import add_account, find_account
from db.passwords import verify_password
from db.schema import upgrade
from db.store import Store
from db.studies import record_study
from flows import doctor
from flows.jobs import ask_for
from tests.web.conftest import make_study


@pytest.fixture
def home(tmp_path):
    upgrade(Settings(home=tmp_path).database_address())
    return tmp_path


@pytest.fixture
def store(home):
    made = Store(Settings(home=home).database_address())
    yield made
    made.close()


def run(*arguments):
    return CliRunner().invoke(cellcensus, [str(a) for a in arguments], standalone_mode=False)


def test_doctor_says_what_is_well_and_what_to_do(home, monkeypatch):
    told = run("doctor", "--home", home)
    assert told.return_value == 0
    assert "The installation can do its work" in told.output
    monkeypatch.setitem(doctor.CHECKS, "torch", doctor._imports("torch", "no_torch", "training"))
    wrong = run("doctor", "--home", home)
    assert wrong.return_value == 1
    assert "make setup" in wrong.output


def test_doctor_speaks_to_machines(home):
    told = json.loads(run("doctor", "--home", home, "--json").output)
    assert told["ok"]
    assert {check["name"] for check in told["checks"]} == set(doctor.CHECKS)


def test_work_once_does_what_waits_and_says_what_came_of_it(home, store):
    assert run("work", "--once", "--home", home).return_value == 0
    with store.unit_of_work() as session:
        record_study(session, make_study())
        ada = add_account(
            session, name="ada", full_name="Ada", role="scientist", password="a long password"
        )
        ask_for(session, "report", study="demo", account=ada)
        session.commit()
    assert run("work", "--once", "--home", home).return_value == 1  # its folder is not there
    told = json.loads(run("status", "--home", home, "--json").output)
    assert (told["jobs_waiting"], told["jobs_failed"]) == (0, 1)


def test_a_lost_database_is_put_back_from_its_copy(home, store, tmp_path):
    with store.unit_of_work() as session:
        record_study(session, make_study())
        session.commit()
    copy, new = str(tmp_path / "copy.sqlite"), str(tmp_path / "new")
    assert run("db", "backup", copy, "--home", home).return_value == 0
    assert run("db", "restore", copy, "--home", new).return_value == 0
    told = json.loads(run("status", "--home", new, "--json").output)
    assert (told["studies"], told["specimens"]) == (["demo"], 4)
    again = run("db", "restore", copy, "--home", new)
    assert isinstance(again.exception, UsageError)


def test_the_demo_gets_an_account_with_a_new_password_each_time(home, store):
    first, second = (demo_password(Settings(home=home)) for _ in range(2))
    assert first != second
    with store.reading() as session:
        account = find_account(session, "demo")
    assert verify_password(account.password_hash, second)
    assert not verify_password(account.password_hash, first)
    assert account.role == "reviewer"


def test_a_home_where_people_have_accounts_gets_none(home, store):
    with store.unit_of_work() as session:
        add_account(session, name="ada", full_name="A", role="viewer", password="a long password")
        session.commit()
    assert demo_password(Settings(home=home)) is None
    with store.reading() as session:
        assert find_account(session, "demo") is None


@pytest.mark.parametrize(("form", "error"), [("json", UsageError), ("csv", BadParameter)])
def test_fhir_takes_the_format_that_it_has(home, tmp_path, form, error):
    options = ("--study", "nowhere", "--format", form, "--out", tmp_path / "x", "--home", home)
    assert isinstance(run("export", "fhir", *options).exception, error)
