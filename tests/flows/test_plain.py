import json
from enum import StrEnum

import numpy as np

from flows.plain import plain


class Word(StrEnum):
    ONE = "one"


def test_everything_becomes_json():
    value = {
        "a": np.float32(1.5),
        "b": np.array([1.0, np.nan]),
        Word.ONE: Word.ONE,
        "c": (np.int8(3), float("inf"), None, True, {"x"}),
        "d": np.str_("text"),
    }
    made = plain(value)
    assert made == {
        "a": 1.5,
        "b": [1.0, None],
        "one": "one",
        "c": [3, None, None, True, ["x"]],
        "d": "text",
    }
    assert json.loads(json.dumps(made, allow_nan=False)) == made
