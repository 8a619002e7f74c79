import json

import pytest

from cellcensus.settings import Settings
from cli.main import main
from db.schema import upgrade
from db.store import Store
from tests.releases import put_account


@pytest.fixture
def home(tmp_path):
    address = Settings(home=tmp_path).database_address()
    upgrade(address)
    store = Store(address)
    with store.unit_of_work() as session:
        put_account(session)
        session.commit()
    store.close()
    return tmp_path


@pytest.fixture
def run(home, capsys, monkeypatch):
    """Run a command with ``--json``: its exit code, and what it said."""

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["cellcensus", "--json", *arguments])
        with pytest.raises(SystemExit) as left:
            main(["--home", str(home), "--json", *arguments])
        return left.value.code, json.loads(capsys.readouterr().out)

    return command


def test_a_token_is_made_listed_and_revoked(run):
    code, made = run("tokens", "add", "--account", "ada", "--label", "LIS", "--days", "9")
    assert code == 0
    assert made["token"].startswith("cct_")
    _, listed = run("tokens", "list")
    assert [(row["account"], row["label"], row["state"]) for row in listed] == [
        ("ada", "LIS", "live")
    ]
    assert made["token"] not in json.dumps(listed)
    assert run("tokens", "revoke", str(made["number"]))[0] == 0
    assert run("tokens", "list")[1][0]["state"] == "revoked"


def test_an_account_that_is_none_is_refused(run):
    code, said = run("tokens", "add", "--account", "nobody", "--label", "x")
    assert code == 2
    assert "nobody" in said["error"]


def test_sending_without_a_destination_is_told(run):
    code, said = run("send")
    assert code == 2
    assert "CELLCENSUS_INTERFACES__DESTINATIONS" in said["next_step"]
