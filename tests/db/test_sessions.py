from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cellcensus.settings import AccessSettings
from db import sessions
from db.tables import Account, LoginSession
from db.types import utc_now

ACCESS = AccessSettings(idle_minutes=30, session_hours=12)


@pytest.fixture
def account(store):
    with store.unit_of_work() as session:
        made = Account(name="ada", full_name="Ada", role="viewer", password_hash="!")
        session.add(made)
        session.commit()
    return made


def begin(store, account):
    with store.unit_of_work() as session:
        begun = sessions.begin_session(session, account, ACCESS)
        session.commit()
    return begun


def found(store, token, *, after=timedelta()):
    with store.reading() as session:
        return sessions.find_session(session, token, ACCESS, utc_now() + after)


def test_a_token_is_long_and_only_its_digest_is_stored(store, account):
    one, other = begin(store, account), begin(store, account)
    assert len(one.token) >= 43  # 256 bits in base 64
    assert one.token != other.token
    assert one.csrf not in (one.token, other.csrf)
    with store.reading() as session:
        rows = session.scalars(select(LoginSession)).all()
    values = {getattr(row, column.key) for row in rows for column in row.__table__.columns}
    assert one.token not in values
    assert sessions.digest_of(one.token) in values


def test_a_token_leads_to_its_account(store, account):
    begun = begin(store, account)
    who, login = found(store, begun.token)
    assert (who.name, login.csrf) == ("ada", begun.csrf)
    assert found(store, begun.token + "x") is None
    assert found(store, sessions.digest_of(begun.token)) is None


def test_an_idle_session_ends(store, account):
    token = begin(store, account).token
    assert found(store, token, after=timedelta(minutes=29)) is not None
    assert found(store, token, after=timedelta(minutes=31)) is None


def test_use_prolongs_a_session_only_to_its_absolute_end(store, account):
    token = begin(store, account).token
    late = utc_now() + timedelta(hours=11, minutes=50)
    with store.unit_of_work() as session:
        session.execute(update(LoginSession).values(seen_at=late))
        session.commit()
    assert found(store, token, after=timedelta(hours=11, minutes=55)) is not None
    assert found(store, token, after=timedelta(hours=12, minutes=1)) is None


def test_a_closed_accounts_session_is_none_at_once(store, account):
    token = begin(store, account).token
    with store.unit_of_work() as session:
        session.execute(update(Account).values(active=False))
        session.commit()
    assert found(store, token) is None


def test_being_there_is_not_written_down_with_every_request(store, account):
    token = begin(store, account).token
    _, login = found(store, token)
    assert not sessions.is_touch_due(login, ACCESS)
    login.seen_at -= timedelta(minutes=2)
    assert sessions.is_touch_due(login, ACCESS)
    assert sessions.is_touch_due(found(store, token)[1], AccessSettings(idle_minutes=1e-6))


def test_nobody_ends_the_session_of_another(store, account):
    token = begin(store, account).token
    _, login = found(store, token)
    with store.unit_of_work() as session:
        sessions.end_session_of(session, account.key + 1, login.key)
        session.commit()
    assert found(store, token) is not None
    with store.unit_of_work() as session:
        sessions.end_session_of(session, account.key, login.key)
        session.commit()
    assert found(store, token) is None
    with store.reading() as session:
        assert sessions.open_sessions(session, account.key, ACCESS) == []


def test_what_has_ended_is_deleted_and_what_lives_stays(store, account):
    ended, expired, alive = (begin(store, account) for _ in range(3))
    past = utc_now() - timedelta(seconds=1)
    of = LoginSession.token_sha256
    with store.unit_of_work() as session:
        sessions.end_session(session, ended.token)
        session.execute(
            update(LoginSession)
            .where(of == sessions.digest_of(expired.token))
            .values(expires_at=past)
        )
        assert sessions.delete_dead(session) == 2
        assert sessions.delete_dead(session) == 0
        session.commit()
    with store.reading() as session:
        assert session.scalars(select(of)).all() == [sessions.digest_of(alive.token)]
    assert found(store, alive.token) is not None
