import ast
import re
from pathlib import Path

from reports.glossary import FLAGS, QUALITY, flag_in_words, quality_in_words

ROOT = Path(__file__).resolve().parents[2]


def keys_in(function, file):
    """String keys of every dictionary written in a function."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    bodies = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == function]
    assert bodies
    dictionaries = [n for body in bodies for n in ast.walk(body) if isinstance(n, ast.Dict)]
    return {k.value for d in dictionaries for k in d.keys if isinstance(k, ast.Constant)}


def test_every_flag_that_is_raised_is_explained():
    raised = keys_in("_flags", "models/prediction.py") | keys_in("_flags", "models/card.py")
    added = re.search(
        r'^SEEN_\w+, SEEN_\w+ = "(\w+)", "(\w+)"',
        (ROOT / "flows/predict.py").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert raised | set(added.groups()) <= FLAGS.keys()


def test_every_figure_of_a_recording_has_a_name():
    measured = keys_in("summary", "pipeline/figures.py") | keys_in(
        "_focus_figures", "pipeline/figures.py"
    )
    assert measured <= QUALITY.keys()


def test_an_unknown_code_is_shown_and_not_swallowed():
    assert flag_in_words("never_heard_of").title == "Never heard of"
    assert "Ask" in flag_in_words("never_heard_of").action
    assert quality_in_words("new_figure").title == "New figure"
    assert "basophil" in flag_in_words("no_purified_basophil").title
