"""Released reports for tests, as rows: an account, versions, signatures."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from cellcensus.settings import Settings
from db.tables import Account, ReportSignature, ReportVersion
from flows.send import enqueue
from reports.identity import report_sha256
from reports.stored import as_values
from tests.db.rows import put_cells, put_model, put_prediction, put_study
from tests.reports import samples


def put_predicted(session, study, names=("U1",)):
    """A study with a champion's prediction of each named specimen; name → prediction."""
    key, keys = put_study(session, study)
    model = put_model(session, "model-1-a")
    model.state = "champion"
    return {
        name: put_prediction(
            session,
            put_cells(session, key, keys[name], f"ingest-{name}", f"{name}.avi"),
            model,
            f"predict-{name}",
        )
        for name in names
    }


def put_account(session, name="ada", role="reviewer", active=True):
    account = Account(
        name=name, full_name=f"{name.title()} R.", role=role, password_hash="x", active=active
    )
    session.add(account)
    session.flush()
    return account


def put_version(
    session,
    prediction,
    *,
    version=1,
    study="made-up",
    specimen_id="U1",
    state=None,
    meaning="released",
    signed=None,
    **changes,
):
    """One version of a report, signed by ada (made if need be)."""
    account = session.scalar(select(Account).where(Account.name == "ada")) or put_account(session)
    # Without pictures, which would have to be kept beside the row as well.
    plain = {"preview": None, "gallery": ()}
    content = samples.specimen(study=study, specimen_id=specimen_id, **plain | changes)
    digest = report_sha256(content)
    moment = samples.MOMENT + timedelta(hours=version)
    row = ReportVersion(
        specimen_key=prediction.specimen_key,
        prediction_key=prediction.key,
        version=version,
        state=state or ("final" if version == 1 else "corrected"),
        report_sha256=digest,
        content=as_values(content),
        path=f"reports/{specimen_id}-{version}.html",
        file_sha256="00",
        released_at=moment,
    )
    session.add(row)
    session.flush()
    session.add(
        ReportSignature(
            report_version_key=row.key,
            account_key=account.key,
            full_name=account.full_name,
            meaning=meaning,
            report_sha256=signed or digest,
            signed_at=moment,
        )
    )
    session.flush()
    return row


def settings_for(tmp_path, destinations, **interfaces):
    return Settings(
        home=tmp_path / "home",
        interfaces={"destinations": destinations, **interfaces},
    )


def release(store, settings, study, names=("U1",), versions=1):
    """Release reports of these specimens; how many messages were written."""
    with store.unit_of_work() as session:
        predictions = put_predicted(session, study, names)
        written = sum(
            enqueue(
                session,
                settings,
                put_version(session, predictions[name], version=number, specimen_id=name),
            )
            for name in names
            for number in range(1, versions + 1)
        )
        session.commit()
    return written
