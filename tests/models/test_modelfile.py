import json

import numpy as np
import pytest

from cellcensus.errors import ModelFileError
from models import modelfile
from models.prediction import predict
from tests.models.toys import make_study


def test_a_stored_model_predicts_the_same(model, tmp_path):
    sha = modelfile.save(model, tmp_path / "m")
    again = modelfile.load(tmp_path / "m", sha)
    bag = make_study(seed=4)[-1]
    before, after = predict(model, bag), predict(again, bag)
    assert np.array_equal(before.fraction, after.fraction)
    assert np.array_equal(before.cell_class, after.cell_class)
    assert before.flags == after.flags
    assert before.total_per_ul_high == after.total_per_ul_high


def test_the_card_tells_what_it_was_trained_on(model, tmp_path):
    modelfile.save(model, tmp_path / "m")
    card = json.loads((tmp_path / "m" / "card.json").read_text())["card"]
    assert card["trained_on"]["studies"]["toy"]["blank"] == ["B0"]
    assert card["donors"] == {"all": 12, "mixed": 8}
    assert card["instruments"] == ["bench"]


@pytest.mark.parametrize("name", [modelfile.TENSORS, modelfile.CARD])
def test_an_altered_file_is_refused(model, tmp_path, name):
    sha = modelfile.save(model, tmp_path / "m")
    path = tmp_path / "m" / name
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="altered"):
        modelfile.load(tmp_path / "m", sha)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelFileError):
        modelfile.load(tmp_path)
    (tmp_path / modelfile.TENSORS).write_bytes(b"no tensors")
    (tmp_path / modelfile.CARD).write_text("{}")
    with pytest.raises(ModelFileError, match="not a model"):
        modelfile.load(tmp_path)


def test_a_model_of_another_version_is_called_so(model, tmp_path):
    modelfile.save(model, tmp_path)
    file = tmp_path / modelfile.CARD
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 2}))
    with pytest.raises(ModelFileError, match="another version") as told:
        modelfile.load(tmp_path)
    assert "cellcensus run" in str(told.value)
