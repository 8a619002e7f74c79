"""A recording goes in; a folder of cells comes out, whole, the same every time, or a reason."""

import cv2
import numpy as np
import pytest

from cellcensus.errors import RecordingError, StoreError
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.cells import read_cells
from pipeline.ingest import ingest
from tests.pipeline import rendering

FLOW = Acquisition(Mode.FLOW, pixel_size_um=0.6, frame_rate_hz=50)
FIELDS = Acquisition(Mode.FIELDS, pixel_size_um=0.6)


def run(folder, name, acquisition=FLOW, **keywords):
    return ingest(
        name, folder=folder, acquisition=acquisition, hints=CellHints(), settings=IngestSettings(),
        out=folder / "home" / "cells", specimen_id="U01", **keywords,
    )  # fmt: skip


def test_flowing_cells_are_each_counted_once(tmp_path):
    pictures, seen = rendering.flowing_discs()
    rendering.write_video(tmp_path / "a.avi", pictures)
    summary = run(tmp_path, "a.avi")
    cells = read_cells(tmp_path / "home" / "cells")
    assert summary.n_cells == len(cells) == seen
    assert cells.crops.shape == (seen, 3, 48, 48)
    assert cells.table["diameter_um"] == pytest.approx(np.full(seen, 2 * 8 * 0.6), rel=0.05)
    assert np.all(np.diff(cells.table["cell_id"]) == 1)
    assert (tmp_path / "home" / "cells" / "preview.jpg").stat().st_size > 1000


def test_the_same_recording_gives_the_same_cells(tmp_path):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs()[0])
    contents = []
    for _ in range(2):
        run(tmp_path, "a.avi")
        folder = tmp_path / "home" / "cells"
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


def test_fields_are_not_linked(tmp_path):
    pictures = rendering.flowing_discs(frames=6, speed=100, n_cells=30)[0]
    rendering.write_pictures(tmp_path / "U01", pictures)
    run(tmp_path, "U01", FIELDS)
    table = read_cells(tmp_path / "home" / "cells").table
    assert np.array_equal(table["first_frame"], table["last_frame"])


@pytest.mark.parametrize(
    ("pictures", "code"),
    [
        (np.zeros((30, 96, 160), np.uint8), "all_black"),
        (rendering.flowing_discs(n_cells=0)[0], "no_cells"),
        (rendering.flowing_discs(frames=1)[0], "too_few_frames"),
    ],
)
def test_useless_recordings_are_refused_with_a_reason(tmp_path, pictures, code):
    rendering.write_video(tmp_path / "a.avi", pictures, "FFV1")
    with pytest.raises(RecordingError) as caught:
        run(tmp_path, "a.avi")
    assert caught.value.code == code
    assert "U01" in str(caught.value)
    assert caught.value.next_step
    assert not list((tmp_path / "home").iterdir())


def test_the_damaged_picture_of_a_series_is_named(tmp_path):
    (tmp_path / "series").mkdir()
    for number, picture in enumerate(rendering.flowing_discs(frames=12)[0]):
        cv2.imwrite(str(tmp_path / "series" / f"{number:03}.png"), picture)
    (tmp_path / "series" / "007.png").write_bytes(b"no picture")
    with pytest.raises(RecordingError, match=r"007\.png") as caught:
        run(tmp_path, "series")
    assert (caught.value.specimen_id, caught.value.file) == ("U01", "series")


def test_a_blank_may_be_empty(tmp_path):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs(n_cells=0)[0], "FFV1")
    assert run(tmp_path, "a.avi", expects_cells=False).n_cells == 0
    assert len(read_cells(tmp_path / "home" / "cells")) == 0


def test_the_recording_is_only_read(tmp_path):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs()[0])
    before = (tmp_path / "a.avi").read_bytes()
    run(tmp_path, "a.avi")
    assert (tmp_path / "a.avi").read_bytes() == before


def test_damaged_cells_are_named(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "quality.json").write_text("{}")
    with pytest.raises(StoreError, match="cells"):
        read_cells(tmp_path / "cells")


def test_a_preview_shows_every_panel(tmp_path):
    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs()[0])
    run(tmp_path, "a.avi")
    picture = cv2.imread(str(tmp_path / "home" / "cells" / "preview.jpg"))
    assert picture.shape == (96, 3 * 160 + 2 * 6, 3)


def test_cells_whose_pictures_were_deleted_keep_their_numbers(tmp_path):
    from cellcensus.errors import PicturesGoneError
    from cellcensus.retained import delete_pictures
    from pipeline.cells import read_columns

    rendering.write_video(tmp_path / "a.avi", rendering.flowing_discs()[0])
    summary, folder = run(tmp_path, "a.avi"), tmp_path / "home" / "cells"
    assert delete_pictures(folder, "a test") > 0
    with pytest.raises(PicturesGoneError) as told:
        read_cells(folder)
    assert "ingest" in told.value.next_step
    assert len(read_columns(folder)["cell_id"]) == summary.n_cells
