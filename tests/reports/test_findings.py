import ast
import re
from pathlib import Path

import pytest

from cellcensus.findings import Finding, Level
from reports.content import LIMITS_OF_USE
from reports.findings import (
    finding_in_words,
    problem_in_words,
    sentence_in_words,
    translation,
)
from reports.words import words

ROOT = Path(__file__).resolve().parents[2]
DE = words("de")


def codes_that_are_described():
    page = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def test_every_finding_is_translated():
    assert len(codes_that_are_described()) > 60
    assert codes_that_are_described() - translation("de").findings.keys() == set()


def test_every_limit_of_a_model_is_translated():
    tree = ast.parse((ROOT / "models/card.py").read_text(encoding="utf-8"))
    (body,) = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "_limits")
    said = [
        "".join(part.value if isinstance(part, ast.Constant) else "24" for part in node.values)
        if isinstance(node, ast.JoinedStr)
        else node.value
        for node in ast.walk(body)
        if isinstance(node, ast.JoinedStr | ast.Constant)
    ]
    sentences = [text for text in said if isinstance(text, str) and text.endswith(".")]
    whole = [s for s in sentences if not s.startswith(" ")]
    assert len(whole) >= 4
    assert [s for s in whole if sentence_in_words(s, DE) == s] == []
    assert "24 Spender" in sentence_in_words(whole[2], DE)


def test_the_limits_of_use_are_translated():
    for sentence in LIMITS_OF_USE:
        assert sentence_in_words(sentence, DE) != sentence
        assert sentence_in_words(sentence, words("en")) == sentence


def test_a_laboratory_s_own_sentence_stays_as_it_is():
    assert sentence_in_words("Nur für Haus 3.", DE) == "Nur für Haus 3."


def test_the_numbers_of_a_finding_go_with_it():
    message = "The sharpness of cells changed by 64% over the recording (limit 50%)"
    found = Finding(Level.ALERT, "focus_drift", message, "Check the focus drive.", "U1")
    what, action = finding_in_words(found, DE)
    assert what == (
        "Die Schärfe der Zellen änderte sich über die Aufnahme um 64\u202f% (Grenze 50\u202f%)"
    )
    assert action.startswith("Fokusantrieb prüfen")
    message = "Cells stand out from the noise only 3.5 times (limit 4)"
    assert "nur 3,5-fach (Grenze 4)" in problem_in_words("low_contrast", message, "", DE)[0]


@pytest.mark.parametrize("code", sorted(translation("de").findings))
def test_without_its_numbers_a_finding_is_still_a_sentence(code):
    what, action = problem_in_words(code, "Something without figures", "Do it.", DE)
    assert what
    assert action
    assert not re.search(r"[{}\[\]|]", what)


def test_the_place_is_named():
    found = Finding(Level.ALERT, "number_format", "x is read as 3", "Check.", "U1", "dilution")
    assert finding_in_words(found, DE)[0].endswith(": dilution")


def test_in_english_and_without_translation_the_sentence_stays():
    found = Finding(Level.ALERT, "never_heard_of", "Something odd.", "Look.")
    for say in (DE, words("en")):
        assert finding_in_words(found, say) == ("Something odd", "Look.")
