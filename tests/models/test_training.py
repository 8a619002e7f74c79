from dataclasses import replace

import numpy as np
import pytest

from cellcensus.errors import TrainingError
from cellcensus.progress import Silent
from models.bag import Known
from models.prediction import predict
from models.training import train
from tests.models.toys import CLASSES, crops, make_bag, make_study, mixed_bag


def test_learns_shares_without_one_labelled_cell(model):
    rng = np.random.default_rng(5)
    shares = np.array([0.2, 0.3, 0.5])
    bag = mixed_bag("U", rng, 300, shares)
    truth = np.array([bag.known.per_ul[c] for c in CLASSES])
    found = predict(model, bag).fraction
    assert found.sum() == pytest.approx(1)
    assert np.abs(found - truth / truth.sum()).max() < 0.1


def test_same_seed_gives_the_same_numbers(brief_model, brief):
    again = train(make_study(), CLASSES, settings=brief)
    bag = make_study(seed=3)[-1]
    assert np.array_equal(predict(brief_model, bag).fraction, predict(again, bag).fraction)


def test_no_network_sees_a_donor_of_its_own_fold(brief_model, brief):
    """A donor's cells and totals may change at will: its own held-out prediction may not learn."""
    bags = make_study()
    name, fold = next((i, f) for f, ids in enumerate(brief_model.card["folds"]) for i in ids)
    at = next(i for i, bag in enumerate(bags) if bag.specimen_id == name)
    shuffled = bags[at].crops[:, :, ::-1].copy()
    bags[at] = replace(bags[at], crops=shuffled)
    other = train(bags, CLASSES, settings=brief)
    assert other.card["folds"] == brief_model.card["folds"]
    ours, theirs = brief_model.members[fold].weights, other.members[fold].weights
    assert all(ours[n].equal(theirs[n]) for n in ours)
    changed = brief_model.members[1 - fold].weights["head.weight"]
    assert not changed.equal(other.members[1 - fold].weights["head.weight"])


def test_unknown_and_control_specimens_are_never_looked_at(brief_model, brief):
    rng = np.random.default_rng(9)
    extra = [
        make_bag(role, replace(mixed_bag("x", rng, 40).known, role=role), crops((0, 40, 0), rng))
        for role in ("control", "unknown")
    ]
    other = train([*make_study(), *extra], CLASSES, settings=brief)
    for mine, theirs in zip(brief_model.members, other.members, strict=True):
        assert all(mine.weights[n].equal(theirs.weights[n]) for n in mine.weights)


def test_purified_alone_trains_and_says_so(brief):
    model = train(make_study(mixed=0), CLASSES, settings=brief)
    assert "trained_without_mixed" in model.card["flags"]
    assert "trained_without_mixed" in predict(model, make_study()[-1]).flags


def test_two_mixed_donors_train_and_say_so(brief):
    model = train(make_study(mixed=2), CLASSES, settings=brief)
    assert "few_mixed_donors" in model.card["flags"]
    assert len(model.held_out) == 2


@pytest.mark.parametrize("keep", [0, 2])
def test_what_cannot_teach_is_refused(brief, keep):
    bags = [bag for bag in make_study(mixed=0) if bag.known.role == "purified"][:keep]
    with pytest.raises(TrainingError, match="film"):
        train(bags, CLASSES, settings=brief)


def test_a_missing_purified_class_is_said(brief):
    bags = [bag for bag in make_study() if bag.specimen_id != "P2"]
    assert "no_purified_bar" in train(bags, CLASSES, settings=brief).card["flags"]


def test_a_donor_with_purified_and_mixed_specimens_is_left_out_whole(brief):
    bags = make_study(mixed=4)
    bags[0] = replace(bags[0], donor_id="DM0")
    base = train(bags, CLASSES, settings=brief)
    fold = next(f for f, ids in enumerate(base.card["folds"]) if "M0" in ids)
    bags[0] = replace(bags[0], crops=bags[0].crops[:, :, ::-1].copy())
    other = train(bags, CLASSES, settings=brief)
    ours, theirs = base.members[fold].weights, other.members[fold].weights
    assert all(ours[n].equal(theirs[n]) for n in ours)


def test_one_mixed_donor_is_few_but_no_reason_to_fail(brief):
    model = train(make_study(mixed=1), CLASSES, settings=brief)
    assert "few_mixed_donors" in model.card["flags"]
    assert predict(model, make_study()[-1]).fraction.sum() == pytest.approx(1)


def test_partial_totals_teach_too(brief):
    bags = make_study()
    for i, bag in enumerate(bags):
        if bag.known.role == "mixed":
            only = {"disc": bag.known.per_ul["disc"]}
            bags[i] = replace(bag, known=replace(bag.known, per_ul=only))
    model = train(bags, CLASSES, settings=brief)
    assert np.isfinite(model.errors.between).all()
    assert any("No analyser told 2 of the 3 classes" in said for said in model.card["limits"])
    total_only = [
        replace(b, known=Known("mixed", wbc_per_ul=b.known.wbc_per_ul))
        if b.known.role == "mixed"
        else b
        for b in make_study()
    ]
    silent = train(total_only, CLASSES, settings=brief)
    assert silent.card["donors"]["mixed"] == 0


def test_progress_reaches_what_was_announced(brief):
    class Count(Silent):
        total = done = 0.0

        def start(self, label, total):
            self.total = total

        def advance(self, units=1.0):
            self.done += units

    count = Count()
    train(make_study(mixed=3), CLASSES, settings=brief, progress=count)
    assert count.done == count.total > 10


def test_held_out_predictions_look_at_every_cell(brief):
    bags = make_study(cells=80)
    few = brief.model_copy(update={"cells_per_specimen": 60})
    sizes = {bag.specimen_id: len(bag) for bag in bags if bag.known.role == "mixed"}
    model = train(bags, CLASSES, settings=few)
    assert {p.specimen_id: len(p.cell_class) for p in model.held_out} == sizes
    # The concentration is that of all cells too.
    stated = {bag.specimen_id: bag.known.wbc_per_ul for bag in bags}
    ratio = [p.total_per_ul / stated[p.specimen_id] for p in model.held_out]
    assert np.median(ratio) == pytest.approx(1, abs=0.15)


def test_the_card_tells_its_learning_curve_in_shares(model):
    curve = model.card["learning_curve"]
    assert curve
    # Points, or shares made shares of twice, would be a hundred times off.
    assert all(0.002 < point["error"] < 0.2 for point in curve)
