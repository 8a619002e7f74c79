import time

import pytest
from sqlalchemy import func, insert, select

from db.predictions import current_predictions, is_in_force
from db.review_states import review_state, review_states
from db.tables import Account, Prediction, Review, Specimen, SpecimenRevision, Study
from tests.db.rows import put_cells, put_model, put_prediction, put_study


def _review(session, specimen_key, state, prediction_key, on_hold=False):
    session.add(
        Review(
            specimen_key=specimen_key,
            signed_state=state,
            prediction_key=prediction_key,
            on_hold=on_hold,
        )
    )


@pytest.fixture
def rows(store, study):
    """A session with the study, and one specimen predicted by the champion."""
    with store.unit_of_work() as session:
        key, keys = put_study(session, study)
        model = put_model(session, "model-1-a")
        model.state = "champion"
        cells = put_cells(session, key, keys["U1"])
        prediction = put_prediction(session, cells, model, "predict-1")
        yield session, keys, prediction, model, cells, key


@pytest.mark.parametrize("state", ["open", "reviewed", "released", "corrected"])
def test_what_was_signed_is_said_while_its_prediction_is_in_force(rows, state):
    session, keys, prediction, *_ = rows
    _review(session, keys["U1"], state, prediction.key)
    session.flush()
    assert review_states(session, [keys["U1"], keys["P1"]]) == {
        keys["U1"]: state,
        keys["P1"]: "open",
    }


def test_a_hold_goes_before_all_else(rows):
    session, keys, prediction, *_ = rows
    _review(session, keys["U1"], "released", prediction.key, on_hold=True)
    session.flush()
    assert review_states(session, [keys["U1"]]) == {keys["U1"]: "on_hold"}


def _in_force(session):
    return session.scalar(select(Prediction.key).where(is_in_force(Prediction.key)))


def test_another_prediction_in_force_opens_it(rows):
    session, keys, prediction, model, cells, study_key = rows
    _review(session, keys["U1"], "released", prediction.key)
    newer = put_prediction(session, cells, model, "predict-2")
    assert review_states(session, [keys["U1"]]) == {keys["U1"]: "open"}
    other = put_model(session, "model-1-b")
    third = put_prediction(session, cells, other, "predict-3")  # by a candidate: never in force
    for champion, former, expected in (
        (None, None, newer),
        (other, model, third),
        (model, other, newer),
    ):
        if champion:
            former.state = "retired"
            session.flush()
            champion.state = "champion"
            session.flush()
        assert _in_force(session) == expected.key
        assert current_predictions(session, study_key)[0].prediction.key == expected.key
    model.state = "retired"
    session.flush()
    assert _in_force(session) == third.key
    assert current_predictions(session, study_key)[0].prediction.key == third.key


def test_states_can_be_counted(rows):
    session, keys, prediction, *_ = rows
    _review(session, keys["U1"], "released", prediction.key)
    _review(session, keys["P1"], "open", None, on_hold=True)
    _review(session, keys["M1"], "corrected", None)
    session.flush()
    state = review_state().label("state")
    counted = session.execute(select(state, func.count()).select_from(Specimen).group_by(state))
    assert dict(counted.tuples().all()) == {"released": 1, "on_hold": 1, "open": 1}


MANY = 10_000


@pytest.fixture
def crowd(store):
    """Ten thousand predicted specimens, half of them signed."""
    with store.unit_of_work() as session:
        study = Study(name="large")
        session.add(study)
        session.flush()
        numbers = range(1, MANY + 1)
        session.execute(
            insert(Specimen),
            [{"key": n, "study_key": study.key, "specimen_id": f"S{n:05}"} for n in numbers],
        )
        session.add(Account(key=1, name="a", full_name="A", role="reviewer", password_hash="x"))
        cells = put_cells(session, study.key, 1)
        model = put_model(session, "model-1-a")
        model.state = "champion"
        common = {
            "cell_file_key": cells.key,
            "model_key": model.key,
            "recipe_id": "predict",
            "recipe": {},
            "path": "x",
            "held_out": False,
            "current": True,
            "cells": 5,
            "flags": [],
            "method": "",
            "details": {},
        }
        session.execute(
            insert(Prediction), [{"key": n, "specimen_key": n, **common} for n in numbers]
        )
        session.execute(
            insert(Review),
            [
                {"specimen_key": n, "signed_state": "released", "prediction_key": n, "version": 1}
                for n in numbers[::2]
            ],
        )
        session.commit()
    return store


def _seconds(work, times=15):
    """What ``work`` takes by itself: the least of several, since the machine has more to do."""

    def once():
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return min(once() for _ in range(times))


def test_a_page_of_ten_thousand_is_quick(crowd):
    with crowd.reading() as session:

        def page():
            rows = session.execute(
                select(Specimen.key, review_state())
                .outerjoin(SpecimenRevision, SpecimenRevision.specimen_key == Specimen.key)
                .order_by(Specimen.key.desc())
                .limit(50)
                .offset(2000)
            ).all()
            assert len(rows) == 50
            assert {state for _, state in rows} == {"open", "released"}

        # The work list as a whole has 0.2 s.
        assert _seconds(page) < 0.1
