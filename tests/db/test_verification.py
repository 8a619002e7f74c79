import pytest
from sqlalchemy import text

from cellcensus.errors import StoreError
from db.verification import keep_apart, verification_donors

DONORS = frozenset({("a", "D1"), ("b", "D1")})


@pytest.fixture
def kept(store):
    with store.unit_of_work() as session:
        keep_apart(session, "x|y", DONORS)
        session.commit()
    return store


def test_donors_are_kept_by_study_and_family(kept):
    with kept.reading() as session:
        assert verification_donors(session, "x|y") == DONORS
        assert verification_donors(session, "x|z") == frozenset()


def test_an_altered_row_is_noticed(kept):
    with kept.unit_of_work() as session:
        session.execute(text("UPDATE verification_donor SET donor_id = 'D9' WHERE study = 'b'"))
        session.commit()
    with pytest.raises(StoreError, match="D9"), kept.reading() as session:
        verification_donors(session, "x|y")
