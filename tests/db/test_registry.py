import pytest

from cellcensus.errors import UsageError
from db import registry
from tests.db.rows import put_model


def test_there_is_one_champion_of_a_family(store):
    with store.unit_of_work() as session:
        first, second = put_model(session, "model-1-a"), put_model(session, "model-1-b")
        other = put_model(session, "model-1-c", classes=("x", "y"))
        registry.crown(session, first, action="first", reasons=["no other"])
        registry.crown(session, other, action="first", reasons=["no other"])
        replaced = registry.crown(session, second, action="promote", reasons=["better"])
        assert replaced is first
        assert (first.state, second.state, other.state) == ("retired", "champion", "champion")
        assert registry.champion(session, ("lobed", "round")) is second
        assert registry.before_champion(session, second) is first


def test_the_database_itself_refuses_two_champions(store):
    from cellcensus.errors import StoreError

    with pytest.raises(StoreError), store.unit_of_work() as session:
        for name in ("a", "b"):
            put_model(session, name).state = "champion"
        session.commit()


def test_a_refusal_keeps_its_reasons(store):
    with store.unit_of_work() as session:
        model = put_model(session, "model-1-a")
        registry.refuse(session, model, reasons=["lymphocyte is worse"], details={"x": 1})
        session.commit()
    with store.reading() as session:
        stored = registry.get_model(session, "model-1-a")
        assert stored.state == "refused"
        assert [d.reasons for d in stored.decisions] == [["lymphocyte is worse"]]


def test_a_model_may_be_named_by_the_beginning_of_its_id(store):
    with store.unit_of_work() as session:
        put_model(session, "model-1-abc")
        put_model(session, "model-1-abd")
        assert registry.get_model(session, "model-1-abc").model_id == "model-1-abc"
        assert registry.get_model(session, "model-1-abd").model_id == "model-1-abd"
        with pytest.raises(UsageError, match="more than one"):
            registry.get_model(session, "model-1-ab")
        with pytest.raises(UsageError, match="no model"):
            registry.get_model(session, "model-2")
