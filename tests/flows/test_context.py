import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from cellcensus.errors import StoreError
from cellcensus.settings import Settings
from db.runs import start_run
from db.tables import Run
from flows.context import Outcome, open_context, process_name
from flows.status import status


def test_leftovers_of_interrupted_runs_are_swept_when_alone(home):
    home.mkdir()
    (home / "cells" / ".partial-abc").mkdir(parents=True)
    first = open_context(Settings(home=home))
    assert not (home / "cells" / ".partial-abc").exists()
    (home / ".partial-of-first").write_text("at work")
    second = open_context(Settings(home=home))
    assert (home / ".partial-of-first").exists()
    first.close()
    second.close()
    open_context(Settings(home=home)).close()
    assert not (home / ".partial-of-first").exists()


def _start(ctx):
    with ctx.store.unit_of_work() as session:
        run = start_run(
            session,
            command="c",
            stage="s",
            study_key=None,
            recipe={},
            software="0",
            process=process_name(ctx),
        )
        session.commit()
    return run.key


def test_runs_of_dead_processes_are_marked(home):
    ctx = open_context(Settings(home=home))
    _start(ctx)
    ctx.close()
    with open_context(Settings(home=home)) as ctx, ctx.store.reading() as session:
        assert session.scalars(select(Run.state)).all() == ["abandoned"]


def test_runs_of_living_processes_and_other_homes_are_not(home, tmp_path):
    shared = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    one = open_context(Settings(home=home, database_url=shared))
    _start(one)
    for place in (home, tmp_path / "elsewhere"):
        open_context(Settings(home=place, database_url=shared)).close()
    with one.store.reading() as session:
        assert session.scalars(select(Run.state)).all() == ["running"]
    one.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="home"):
        open_context(Settings(home=tmp_path / "home"))


def test_a_home_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="home folder"):
        open_context(Settings(home=tmp_path / "home"))


def test_status_of_an_empty_home(home):
    with open_context(Settings(home=home)) as ctx:
        found = status(ctx)
    assert found["studies"] == []
    assert found["specimens"] == 0
    assert found["cells"] == 0


def test_status_does_not_show_the_password(home, monkeypatch):
    from types import SimpleNamespace

    with open_context(Settings(home=home)) as ctx:
        store = ctx.store
        fake = SimpleNamespace(reading=store.reading, address="postgresql://u:secret@h/d")
        ctx.store = fake
        assert "secret" not in str(status(ctx))
        ctx.store = store


@pytest.mark.parametrize(
    ("outcome", "text", "code"),
    [
        (Outcome("ingest", done=3), "ingest: 3 done", 0),
        (Outcome("ingest", done=1, skipped=2), "ingest: 1 done, 2 were up to date", 0),
        (Outcome("ingest", skipped=2), "ingest: nothing to do: 2 of 2 up to date", 0),
        (Outcome("ingest", done=1, quarantined=[("U", "x")]), "ingest: 1 done, 1 quarantined", 3),
        (Outcome("train", failed=[("train", "no cells")]), "train: failed: no cells", 1),
    ],
)
def test_outcomes_in_words(outcome, text, code):
    assert outcome.summary() == text
    assert outcome.exit_code == code
    assert outcome.as_dict()["exit_code"] == code


def test_running_needs_no_prefect_and_no_torch():
    code = (
        "import sys, flows.run, flows.retrain, flows.export, flows.status, flows.registry\n"
        "heavy = {'prefect', 'torch', 'cv2', 'alembic', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
