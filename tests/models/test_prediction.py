import math
from dataclasses import replace

import numpy as np

from cellcensus.settings import CompositionSettings
from models.bag import Known
from models.model import ARTEFACT
from models.prediction import predict
from tests.models.toys import crops, make_bag, make_study, mixed_bag


def test_counts_classes_and_cells_agree(model):
    bag = mixed_bag("U", np.random.default_rng(1), 200)
    found = predict(model, bag)
    assert len(found.cell_class) == len(found.probability) == len(bag)
    assert found.counts.sum() + (found.cell_class == -1).sum() == found.cells
    assert found.cells == (found.cell_class != ARTEFACT).sum()
    assert (found.fraction_low <= found.fraction).all()
    assert (found.fraction <= found.fraction_high).all()


def test_concentration_uses_dilution_volume_and_recovery(model):
    bag = mixed_bag("U", np.random.default_rng(1), 200)
    found = predict(model, bag)
    assert abs(found.total_per_ul / (200 * 20 / 0.9) - 1) < 0.08
    assert found.total_per_ul_low < 200 * 20 / 0.9 < found.total_per_ul_high
    assert np.allclose(found.per_ul, found.fraction * found.total_per_ul)


def test_without_volume_there_are_shares_but_no_concentrations(model):
    bag = replace(make_study()[-1], imaged_volume_ul=None)
    found = predict(model, bag)
    assert "no_concentration" in found.flags
    assert math.isnan(found.total_per_ul)
    assert np.isnan(found.per_ul).all()
    assert np.isfinite(found.fraction).all()


def test_no_cells_at_all(model):
    bag = make_bag("E", make_study()[-1].known, crops((0, 0, 0), np.random.default_rng(0)))
    found = predict(model, bag)
    assert found.cells == 0
    assert "no_cells" in found.flags
    assert found.fraction.sum() == 1.0 or abs(found.fraction.sum() - 1) < 1e-9
    assert found.total_per_ul == 0.0 < found.total_per_ul_high


def test_cells_never_seen_are_unclassified_and_hold_the_specimen(model):
    rng = np.random.default_rng(2)
    known = crops((40, 30, 20), rng)
    squares = np.full((60, 1, 48, 48), 128, np.uint8)
    squares[:, :, 2:46:4, 2:46] = rng.integers(20, 60, (60, 1, 1, 1))
    bag = make_bag("S", make_study()[-1].known, np.concatenate([known, squares]))
    flags = predict(model, bag).flags
    assert "unclassified_over_5_percent" in flags
    assert "hold_unclassified_over_15_percent" in flags


def test_what_is_news_does_not_depend_on_how_many_pictures_the_networks_are_shown(model):
    rng = np.random.default_rng(6)
    best = crops((30, 30, 30), rng)
    noisy = np.clip(best + rng.normal(0, 3, (2, *best.shape)), 0, 255).astype(np.uint8)
    bag = make_bag("X", Known("unknown"), np.concatenate([best, *noisy], axis=1))
    found = [
        predict(model, bag, settings=CompositionSettings(views=views)).details for views in (1, 3)
    ]
    assert found[0]["unclassified_unusual"] == found[1]["unclassified_unusual"]
