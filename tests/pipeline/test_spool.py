import numpy as np
import pytest

from pipeline.cells import Cells, read_cells, write_cells
from pipeline.quality import Quality
from pipeline.spool import Spool


def spooled(folder, number, order):
    pictures = np.random.default_rng(0).integers(0, 255, (number, 2, 16, 16)).astype(np.uint8)
    spool = Spool(folder, (2, 16, 16))
    for one in pictures:
        spool.add(one)
    found = spool.write(folder / "crops.npy", np.array(order, np.int64))
    spool.close()
    return pictures, found


@pytest.mark.parametrize("order", [[3, 0, 2], [], [0, 1, 2, 3]])
def test_pictures_come_back_in_the_order_asked_for_and_nothing_else_is_left(tmp_path, order):
    pictures, found = spooled(tmp_path, 4, order)
    assert np.array_equal(found, pictures[order])
    assert [path.name for path in tmp_path.iterdir()] == ["crops.npy"]


def test_pictures_that_lie_there_already_are_not_written_over(tmp_path):
    pictures, found = spooled(tmp_path, 4, [1, 2])
    table = {"cell_id": np.arange(2, dtype=np.int32)}
    write_cells(tmp_path, Cells(table, found, Quality(window_um=20, full_scale=1)))
    assert np.array_equal(read_cells(tmp_path).crops, pictures[[1, 2]])
