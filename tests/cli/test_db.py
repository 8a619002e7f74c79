import json
import subprocess
import sys
from pathlib import Path

from db.store import Store
from db.tables import Study


def call(*arguments, home):
    words = [*map(str, arguments), "--json", "--home", str(home)]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    return done.returncode, json.loads(done.stdout)


def test_a_copy_is_put_back_into_an_empty_database_only(tmp_path):
    home, copy = tmp_path / "home", tmp_path / "copy.sqlite"
    assert call("db", "upgrade", home=home)[0] == 0
    store = Store(f"sqlite:///{home / 'cellcensus.sqlite'}")
    with store.unit_of_work() as session:
        session.add(Study(name="kept"))
        session.commit()
    store.close()
    assert call("db", "backup", copy, home=home)[0] == 0
    code, told = call("db", "restore", copy, home=home)
    assert code == 2
    assert "not empty" in told["error"]
    code, told = call("db", "restore", copy, home=tmp_path / "new")
    assert (code, told) == (0, {"rows": 1})
    code, told = call("db", "restore", tmp_path / "none", home=tmp_path / "other")
    assert code == 2
    assert told["next_step"]
