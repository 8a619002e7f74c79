import json
import sys

import pytest
from sqlalchemy import text

from cli.main import main
from db.audit import record
from db.schema import upgrade
from db.store import Store


@pytest.fixture
def store(tmp_path):
    address = f"sqlite:///{tmp_path / 'cellcensus.sqlite'}"
    upgrade(address)
    made = Store(address)
    with made.unit_of_work() as session:
        for number in range(3):
            record(
                session,
                actor="ada" if number else "system",
                action="result.corrected",
                subject=f"specimen:demo/S{number}",
                before={"class": "round"},
                after={"class": "lobed"},
                reason="looked again",
            )
        session.commit()
    yield made
    made.close()


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    def run(*arguments, plain=False):
        argv = ["audit", *arguments, "--home", str(tmp_path), *([] if plain else ["--json"])]
        monkeypatch.setattr(sys, "argv", ["cellcensus", *argv])
        with pytest.raises(SystemExit) as left:
            main(argv)
        out = capsys.readouterr().out
        return left.value.code, out if plain else json.loads(out)

    return run


def tamper(store, statement):
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entry_no_update"))
        connection.execute(text("DROP TRIGGER audit_entry_no_delete"))
        connection.execute(text(statement))


@pytest.mark.usefixtures("store")
def test_a_whole_trail_ends_with_0_and_its_head(call):
    code, said = call("verify")
    assert (code, said["defects"], said["head"]["number"]) == (0, [], 3)
    noted = f"3:{said['head']['entry_hash']}"
    assert call("verify", "--expect", noted)[0] == 0
    code, words = call("verify", plain=True)
    assert "whole: 3 entries" in words
    assert f"head: {noted}" in words


def test_an_altered_trail_ends_with_1_and_the_place(call, store):
    tamper(store, "UPDATE audit_entry SET reason = 'nothing' WHERE number = 2")
    code, said = call("verify")
    assert code == 1
    assert said["defects"] == [{"number": 2, "defect": "it was altered"}]
    assert "entry 2: it was altered" in call("verify", plain=True)[1]


def test_a_cut_off_end_is_found_only_by_a_noted_head(call, store):
    _, said = call("verify")
    tamper(store, "DELETE FROM audit_entry WHERE number = 3")
    assert call("verify")[0] == 0
    code, found = call("verify", "--expect", f"3:{said['head']['entry_hash']}")
    assert code == 1
    assert found["defects"][0]["number"] == 3


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("noted", ["3", "3:abc", "x:" + "0" * 64])
def test_what_is_no_head_is_refused(call, noted):
    code, said = call("verify", "--expect", noted)
    assert code == 2
    assert "NUMBER:HASH" in said["next_step"]


@pytest.mark.usefixtures("store")
def test_the_list_is_narrowed_newest_first(call):
    assert [entry["number"] for entry in call("list")[1]] == [3, 2, 1]
    assert [entry["number"] for entry in call("list", "--limit", "1")[1]] == [3]
    assert [e["number"] for e in call("list", "--actor", "system")[1]] == [1]
    assert [e["number"] for e in call("list", "--subject", "specimen:demo/S1")[1]] == [2]
    assert call("list", "--since", "2999-01-01")[1] == []
    assert call("list", "--action", "model")[1] == []
    words = call("list", plain=True)[1]
    assert "class: round → lobed" in words
    assert "why: looked again" in words
