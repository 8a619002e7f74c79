import pytest
from sqlalchemy import select, update

from cellcensus.errors import UsageError
from db.tables import ReportSignature, ReportVersion
from flows.review import see_bin, sign, verify
from tests.flows.review.conftest import STUDY


@pytest.fixture
def signed(laboratory):
    seen = see_bin(*laboratory.at(), seen=laboratory.bench().seen)
    sign(*laboratory.signing(), meaning="released", seen=seen)
    return laboratory


def _defects(lab, **values):
    if values:
        with lab.store.unit_of_work() as session:
            session.execute(update(ReportVersion).values(**values))
            session.commit()
    return verify(lab.store, lab.settings, STUDY, "U1", 1)[1]


def _version(lab):
    with lab.store.reading() as session:
        version = session.scalars(select(ReportVersion)).one()
        _ = version.pictures
    return version


def test_what_was_signed_is_found_as_it_was(signed):
    assert verify(signed.store, signed.settings, STUDY, "U1") == {1: ()}


def test_altered_values_are_noticed(signed):
    content = _version(signed).content
    content["rows"][0]["fraction"]["value"] = 0.9
    assert _defects(signed, content=content) == (
        "What the report says is not what its hash was made of.",
    )


def test_altered_values_with_a_hash_that_fits_are_noticed_by_the_trail(signed):
    from flows.versions import unsigned_content
    from reports.identity import report_sha256

    version = _version(signed)
    version.content["rows"][0]["fraction"]["value"] = 0.9
    digest = report_sha256(unsigned_content(version))
    with signed.store.unit_of_work() as session:
        session.execute(update(ReportSignature).values(report_sha256=digest))
        session.commit()
    found = _defects(signed, content=version.content, report_sha256=digest)
    assert found == ("The audit trail tells otherwise of its signature as released.",)


def test_altered_pictures_are_noticed(signed):
    pictures = _version(signed).pictures
    pictures["gallery"][0]["typical"][0]["cell_id"] = 77
    assert "not what its hash" in _defects(signed, pictures=pictures)[0]
    assert "not what its hash" in _defects(signed, pictures={"gallery": [{}]})[0]


def test_an_altered_or_missing_file_is_noticed(signed):
    file = signed.settings.home.resolve() / _version(signed).path
    file.write_text(file.read_text() + " ")
    assert _defects(signed) == ("Its file was altered.",)
    file.unlink()
    assert _defects(signed) == ("Its file is missing.",)
    assert "Its file is missing." in _defects(signed, path="../../etc/hostname")


def test_another_state_or_signer_is_noticed(signed):
    found = _defects(signed, state="preliminary")
    assert "Its state is not what its signatures say." in found
    assert "The audit trail tells of another state." in found
    with signed.store.unit_of_work() as session:
        session.execute(update(ReportSignature).values(full_name="Eve R."))
        session.commit()
    assert "otherwise of its signature as released" in _defects(signed, state="final")[0]


def test_a_signature_that_is_gone_is_missed(signed):
    from sqlalchemy import delete

    with signed.store.unit_of_work() as session:
        session.execute(delete(ReportSignature))
        session.commit()
    found = _defects(signed)
    assert "It has no signature." in found
    assert "The signature as released that the audit trail tells of is gone." in found


def test_a_version_that_is_not_there_is_named(signed):
    with pytest.raises(UsageError, match="no signed version 3"):
        verify(signed.store, signed.settings, STUDY, "U1", 3)
