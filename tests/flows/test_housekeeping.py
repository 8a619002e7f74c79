from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from cellcensus.retained import PICTURES
from db.schema import restore
from db.sessions import begin_session
from db.store import Store
from db.tables import Account, CellFile, LoginSession, Prediction
from flows.housekeeping import keep_house
from flows.run import run_study

NOW = datetime(2126, 1, 1, tzinfo=UTC)  # long after anything a test makes


def test_the_newest_copies_are_kept_and_can_be_put_back(opened, calls, study, tmp_path):
    ctx = opened(housekeeping={"backups": 2})
    run_study(ctx, study.path)
    for day in range(3):
        keep_house(ctx, now=NOW + timedelta(days=day))
    copies = sorted((ctx.home / "backups").iterdir())
    assert [copy.name[11:19] for copy in copies] == ["21260102", "21260103"]
    address = f"sqlite:///{tmp_path / 'again' / 'cellcensus.sqlite'}"
    assert restore(copies[-1], address) > 0
    store = Store(address)
    with store.reading() as session, ctx.store.reading() as before:
        assert len(session.scalars(select(Prediction)).all()) == len(
            before.scalars(select(Prediction)).all()
        )
    store.close()


def test_no_copies_where_none_are_wanted(opened, calls):
    ctx = opened(housekeeping={"backups": 0})
    assert keep_house(ctx).done == 0
    assert not (ctx.home / "backups").exists()


def test_sessions_past_their_limit_are_deleted(opened, calls, address):
    ctx = opened(housekeeping={"backups": 0}, database_url=address)
    with ctx.store.unit_of_work() as session:
        account = Account(name="ada", full_name="Ada", role="viewer", password_hash="!")
        session.add(account)
        session.flush()
        begin_session(session, account, ctx.settings.access)
        session.commit()
    assert keep_house(ctx).notes == []
    assert "ended were deleted: 1" in " ".join(keep_house(ctx, now=NOW).notes)
    with ctx.store.reading() as session:
        assert session.scalars(select(LoginSession)).all() == []


def test_only_pictures_of_superseded_results_go(opened, calls, study):
    ctx = opened(housekeeping={"superseded_days": 30, "backups": 0})
    run_study(ctx, study.path)
    study.film("U1", "round lobed lobed")
    run_study(ctx, study.path)
    with ctx.store.reading() as session:
        files = session.scalars(select(CellFile)).all()
    for row in files:
        for name in (*PICTURES, "cells.parquet"):
            (ctx.home / row.path / name).write_bytes(b"x" * 1000)
    keep_house(ctx, now=datetime.now(UTC))
    assert all((ctx.home / row.path / "crops.npy").exists() for row in files)
    outcome = keep_house(ctx, now=NOW)
    gone = [row for row in files if not (ctx.home / row.path / "crops.npy").exists()]
    assert [row.current for row in gone] == [False]
    assert all((ctx.home / row.path / "cells.parquet").exists() for row in files)
    assert "deleted" in " ".join(outcome.notes)
