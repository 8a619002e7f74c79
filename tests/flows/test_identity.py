import os
import subprocess
import sys
from dataclasses import replace

import pytest

from cellcensus.errors import RecordingError
from cellcensus.settings import Settings
from cellcensus.study import Acquisition, CellHints, Mode, Role, Specimen, Study
from flows.identity import find_recording, ingest_recipe, predict_recipe

SPECIMEN = Specimen("U1", "D1", Role.UNKNOWN, "a.avi", dilution=20.0)


def test_a_recording_may_be_a_file_a_folder_or_a_glob(tmp_path):
    for name in ("b.tif", "a.tif", ".hidden", "c.png"):
        (tmp_path / name).write_text(name)
    names = {
        recording: [file.name for file in find_recording(tmp_path, recording).files]
        for recording in ("a.tif", ".", "*.tif")
    }
    assert names == {
        "a.tif": ["a.tif"],
        ".": ["a.tif", "b.tif", "c.png"],
        "*.tif": ["a.tif", "b.tif"],
    }


def test_the_identity_is_the_content_and_the_stamp_tells_of_touching(tmp_path):
    file = tmp_path / "a.avi"
    file.write_text("film")
    before = find_recording(tmp_path, "a.avi")
    content = before.sha256()
    os.utime(file, (1, 1))
    touched = find_recording(tmp_path, "a.avi")
    assert touched.stamp != before.stamp
    assert touched.sha256() == content
    file.write_text("filn")
    assert find_recording(tmp_path, "a.avi").sha256() != content


@pytest.mark.parametrize("recording", ["none.avi", "none/*.tif", "[", ""])
def test_a_missing_recording_says_so(tmp_path, recording):
    with pytest.raises(RecordingError, match="recording") as caught:
        find_recording(tmp_path, recording)
    assert caught.value.code == "missing_recording"


def test_recipes_depend_on_what_matters(calls, tmp_path):
    study = Study(tmp_path, "s", ("a", "b"), Acquisition(Mode.FLOW, 0.3, 50.0), CellHints(), ())
    settings = Settings()
    ids = {
        ingest_recipe(study, SPECIMEN, "1", settings).id,
        ingest_recipe(study, SPECIMEN, "2", settings).id,
        ingest_recipe(study, replace(SPECIMEN, role=Role.BLANK), "1", settings).id,
        ingest_recipe(
            replace(study, acquisition=Acquisition(Mode.FIELDS, 0.3)), SPECIMEN, "1", settings
        ).id,
    }
    assert len(ids) == 4
    renamed = replace(SPECIMEN, specimen_id="other", donor_id="other")
    assert ingest_recipe(study, renamed, "1", settings).id in ids
    held_out = {
        predict_recipe(SPECIMEN, "c", "m", settings, held_out=flag).id for flag in (True, False)
    }
    assert len(held_out) == 2


def test_what_is_up_to_date_is_decided_without_torch_and_opencv():
    code = (
        "import sys, flows.run, flows.identity as i;"
        "i.train_recipe([], ['a', 'b'], __import__('cellcensus.settings').settings.Settings());"
        "print(sorted({'torch', 'cv2', 'scipy', 'prefect'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
