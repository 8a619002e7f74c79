from types import SimpleNamespace

import numpy as np
import pytest

from cellcensus.retained import delete_pictures
from cellcensus.settings import StorageSettings
from flows.classified import Classified
from flows.gallery import gallery, spread
from flows.keptcells import KeptCells
from pipeline.cells import CROPS, Cells, write_cells

# Twenty round, ten lobed, thirty unclassified cells and five artefacts.
CALLED = np.repeat([0, 1, -1, -2], [20, 10, 30, 5]).astype(np.int8)
N = len(CALLED)
SURE = np.random.default_rng(5).permutation(np.linspace(0.3, 0.99, N)).astype(np.float32)


def classified(called=CALLED, probability=SURE):
    return Classified(("round", "lobed"), np.arange(100, 100 + N), called, probability)


@pytest.fixture
def kept(tmp_path):
    """Cells whose pictures are as grey as their places."""
    crops = np.broadcast_to(np.arange(N, dtype=np.uint8)[:, None, None, None], (N, 2, 6, 6))
    table = {"cell_id": np.arange(100, 100 + N)}
    (tmp_path / "cells").mkdir()
    cells = Cells(table, crops, SimpleNamespace(as_dict=dict))
    write_cells(tmp_path / "cells", cells)
    assert (tmp_path / "cells" / CROPS).is_file()
    return KeptCells(tmp_path, StorageSettings(), "cells")


@pytest.fixture
def read(monkeypatch):
    """Only pictures are read; these cells have no quality."""
    monkeypatch.setattr(
        "pipeline.cells.read_cells",
        lambda folder: SimpleNamespace(crops=np.load(folder / CROPS)),
    )


def test_the_unclassified_come_after_the_classes_with_their_own_pictures(kept, read):
    *classes, last = gallery(classified(), kept, 8)
    assert [shelf.cell_class for shelf in classes] == ["round", "lobed"]
    assert last.cell_class == "unclassified"
    assert last.typical == ()
    assert len(last.uncertain) == 16
    for cell in last.uncertain:
        place = cell.cell_id - 100
        assert CALLED[place] == -1
        assert cell.probability == SURE[place]
        assert (cell.pixels == place).all()


def test_without_any_and_without_pictures_there_is_no_shelf(kept, read):
    none_left = np.where(CALLED == -1, 0, CALLED)
    found = gallery(classified(none_left), kept, 8)
    assert [shelf.cell_class for shelf in found] == ["round", "lobed"]
    assert gallery(classified(), kept, 0) == ()


def test_where_pictures_were_deleted_there_is_none(kept):
    delete_pictures(kept.local, "their time was over")
    assert gallery(classified(), kept, 8) == ()


@pytest.mark.parametrize("most", [1, 2, 7, 16, 29, 30, 31, 96])
def test_they_are_spread_from_the_surest_to_the_least_sure(most):
    places = spread(classified(), most)
    sure = SURE[places]
    all_of_them = np.sort(SURE[CALLED == -1])[::-1]
    assert len(set(places)) == len(places) == min(most, 30)
    assert (CALLED[places] == -1).all()
    assert (np.diff(sure) < 0).all()
    assert sure[0] == all_of_them[0]
    if most > 1:
        assert sure[-1] == all_of_them[-1]
        ranks = np.searchsorted(-all_of_them, -sure)
        assert np.ptp(np.diff(ranks)) <= 1


def test_those_that_a_person_put_there_are_never_left_out():
    probability = SURE.copy()
    put = np.flatnonzero(CALLED == -1)[[4, 11, 25]]
    probability[put] = np.nan
    places = spread(classified(probability=probability), 8)
    assert places[:3].tolist() == put.tolist()
    assert len(set(places)) == 8
    assert not np.isnan(probability[places[3:]]).any()
    assert spread(classified(probability=probability), 2).tolist() == put[:2].tolist()
    everyone = np.full(N, np.nan, np.float32)
    assert len(spread(classified(probability=everyone), 8)) == 8


def test_of_equal_cells_the_same_are_shown_again():
    even = np.full(N, 0.5, np.float32)
    places = spread(classified(probability=even), 8)
    assert places.tolist() == [30, 34, 38, 42, 46, 50, 54, 59]
