"""What a study's life leaves in the audit trail."""

import pytest
from sqlalchemy import select

from db.audit import broken_entries
from db.tables import AuditEntry
from flows.context import open_context
from flows.registry import promote, rollback
from flows.retrain import retrain
from flows.run import run_study


def trail(ctx):
    with ctx.store.reading() as session:
        assert list(broken_entries(session)) == []
        return session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()


def told(ctx, after=0):
    return [(entry.action, entry.subject) for entry in trail(ctx)[after:]]


@pytest.fixture
def ctx(opened, calls, address):
    """Both databases."""
    return opened(database_url=address)


def test_a_first_run_notes_settings_and_the_model_and_a_second_nothing(ctx, study):
    run_study(ctx, study.path)
    model = trail(ctx)[2].model_id
    assert told(ctx) == [
        ("setting.noted", "setting:ingest"),
        ("setting.noted", "setting:train"),
        ("model.trained", f"model:{model}"),
        ("model.promoted", f"model:{model}"),
        ("setting.noted", "setting:predict"),
        ("setting.noted", "setting:report"),
    ]
    assert {entry.actor for entry in trail(ctx)} == {"system"}
    run_study(ctx, study.path)
    assert len(trail(ctx)) == 6


def test_a_changed_setting_tells_old_and_new_and_the_results_it_replaced(ctx, opened, study):
    run_study(ctx, study.path)
    address = ctx.settings.database_url
    changed = opened(database_url=address, composition={"disagreement": 0.2})
    run_study(changed, study.path)
    entries = trail(ctx)[6:]
    (setting,) = [entry for entry in entries if entry.action == "setting.changed"]
    assert setting.subject == "setting:predict"
    assert (setting.before["disagreement"], setting.after["disagreement"]) == (0.1, 0.2)
    replaced = {e.subject: e for e in entries if e.action == "result.replaced"}
    assert [*replaced] == [f"specimen:made-up/{name}" for name in ("P1", "P2", "U1")]
    replaced = replaced["specimen:made-up/U1"]
    assert replaced.before["recipe_id"] != replaced.after["recipe_id"]
    assert replaced.after["fractions"] == {"round": 0.5, "lobed": 0.5}
    assert replaced.model_id is not None
    number = len(trail(ctx))
    run_study(changed, study.path)
    assert len(trail(ctx)) == number


def test_quarantine_and_its_end_are_told_with_the_result_that_went_and_came(ctx, study):
    run_study(ctx, study.path)
    film = study.path / "recordings" / "U1.avi"
    content = film.read_text()
    before = len(trail(ctx))
    study.film("U1", "")
    run_study(ctx, study.path)
    subject = "specimen:made-up/U1"
    assert told(ctx, before) == [("quarantine.set", subject), ("result.withdrawn", subject)]
    assert trail(ctx)[before].after["reasons"][0]["code"] == "no_cells"
    run_study(ctx, study.path)
    assert len(trail(ctx)) == before + 2
    study.film("U1", content)
    run_study(ctx, study.path)
    assert told(ctx, before + 2) == [
        ("quarantine.cleared", subject),
        ("result.restored", subject),
    ]


def test_decisions_about_models_name_who_took_them_and_why(ctx, calls, study):
    run_study(ctx, study.path)
    first = trail(ctx)[2].model_id
    settings = ctx.settings.model_copy(
        update={"training": ctx.settings.training.model_copy(update={"seed": 2})}
    )
    before = len(trail(ctx))
    with open_context(settings, actor="os:ada") as hers:
        second = retrain(hers, [study.path]).model_id
        promote(hers, second, reason="looked at by hand")
        promote(hers, second, reason="again")
        rollback(hers, reason="it was not")
    entries = [entry for entry in trail(ctx)[before:] if entry.subject.startswith("model:")]
    assert [(entry.action, entry.model_id) for entry in entries] == [
        ("model.trained", second),
        ("model.refused", second),
        ("model.promoted", second),
        ("model.rolled_back", first),
    ]
    assert {entry.actor for entry in trail(ctx)[before:]} == {"os:ada"}
    assert "only 2 donors" in entries[1].reason
    assert (entries[2].before, entries[2].reason) == ({"champion": first}, "looked at by hand")
    assert ("setting.noted", "setting:gate") in told(ctx, before)
