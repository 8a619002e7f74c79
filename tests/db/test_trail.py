from datetime import timedelta

import pytest

from db.audit import record
from db.settings_trail import changes, note_settings
from db.trail import Wanted, as_dict, count, entries
from db.types import utc_now


def write(store, *rows):
    with store.unit_of_work() as session:
        for actor, action, subject in rows:
            record(session, actor=actor, action=action, subject=subject)
        session.commit()


@pytest.fixture
def filled(store):
    write(
        store,
        ("ada", "result.corrected", "specimen:demo/S1"),
        ("system", "quarantine.set", "specimen:demo/S10"),
        ("os:root", "model.promoted", "model:m1"),
        ("ada", "result.signed", "specimen:demo_2/S1"),
    )
    return store


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), [4, 3, 2, 1]),
        (Wanted(actor="ada"), [4, 1]),
        (Wanted(action="result"), [4, 1]),
        (Wanted(subject="specimen:demo/S1"), [2, 1]),
        (Wanted(subject="specimen:demo_"), [4]),
        (Wanted(subject="%"), []),
        (Wanted(since=utc_now() + timedelta(days=1)), []),
        (Wanted(since=utc_now() - timedelta(days=1), actor="system"), [2]),
    ],
)
def test_the_trail_is_narrowed_newest_first(filled, wanted, expected):
    with filled.reading() as session:
        assert [entry.number for entry in entries(session, wanted, limit=9)] == expected
        assert count(session, wanted) == len(expected)


def test_it_comes_in_pages_and_in_plain_values(filled):
    with filled.reading() as session:
        (entry,) = entries(session, Wanted(), limit=1, offset=2)
    plain = as_dict(entry)
    assert (plain["number"], plain["actor"]) == (2, "system")
    assert len(plain["entry_hash"]) == 64


def test_a_setting_is_noted_once_and_again_when_it_changes(store):
    values = {"seed": 1, "limits": {"focus": 0.5}}
    for given, expected in (
        (values, True),
        (dict(reversed(values.items())), False),
        ({**values, "seed": 2}, True),
        ({**values, "seed": 2}, False),
    ):
        with store.unit_of_work() as session:
            assert note_settings(session, "train", given) is expected
            session.commit()
    with store.reading() as session:
        last, first = entries(session, Wanted(subject="setting:train"), limit=9)
    assert (first.action, first.before) == ("setting.noted", None)
    assert (last.action, last.before["seed"], last.after["seed"]) == ("setting.changed", 1, 2)


def test_what_differs_is_told_by_name():
    before = {"seed": 1, "limits": {"focus": 0.5, "flicker": 1}, "gone": True}
    after = {"seed": 1, "limits": {"focus": 0.4, "flicker": 1}, "new": None}
    assert changes(before, after) == {"limits.focus": [0.5, 0.4], "gone": [True, None]}
    assert changes(None, {"role": "viewer"}) == {"role": [None, "viewer"]}
