import pytest

from cellcensus.changeplan import read_plan
from cellcensus.errors import UsageError
from cellcensus.settings import GateSettings, Settings


def plan_of(tmp_path, text, **settings):
    (tmp_path / "change_plan.yaml").write_text(text, encoding="utf-8")
    return read_plan(Settings(home=tmp_path, **settings))


def test_without_a_plan_the_settings_hold(tmp_path):
    plan = read_plan(Settings(home=tmp_path, gate={"margin_points": 0.3}))
    assert plan.acceptance == GateSettings(margin_points=0.3)
    assert plan.verification.share == 0
    assert plan.approval == ()
    assert not plan.may_change.classes


def test_a_plan_names_what_differs(tmp_path):
    text = (
        "may_change: {instruments: false}\nacceptance: {margin_points: 0.7}\n"
        "verification: {share: 0.25, fewest: 3}\napproval: [ada]\n"
    )
    plan = plan_of(tmp_path, text, gate={"fewest_donors": 9})
    assert not plan.may_change.instruments
    assert (plan.acceptance.margin_points, plan.acceptance.fewest_donors) == (0.7, 9)
    assert (plan.verification.share, plan.approval) == (0.25, ("ada",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("may_change: {colour: true}", "may_change.colour"),
        ("verification: {share: 2}", "verification.share"),
        ("- a list", "key: value"),
        ("a: [", "YAML"),
        ("acceptance: 3", "acceptance"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(tmp_path, text, words):
    with pytest.raises(UsageError, match=words) as caught:
        plan_of(tmp_path, text)
    assert "change_plan.yaml" in str(caught.value)
    assert caught.value.next_step


def test_an_empty_plan_is_the_default(tmp_path):
    assert plan_of(tmp_path, "") == read_plan(Settings(home=tmp_path / "nothing"))


def test_a_named_plan_must_be_there(tmp_path):
    with pytest.raises(UsageError, match="missing"):
        read_plan(Settings(home=tmp_path, change_plan=tmp_path / "none.yaml"))
