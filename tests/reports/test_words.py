"""Both languages say the same: every key, every placeholder, on the page and on paper."""

import ast
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from string import Formatter

import pytest

from cellcensus.errors import UsageError
from cellcensus.findings import Level
from cellcensus.settings import ReportSettings
from cellcensus.study import Role
from reports.content import Status
from reports.glossary import _FIGURES, LEVELS
from reports.paper import specimen_pdf, study_pdf
from reports.ranges import Standing
from reports.specimen import render_specimen
from reports.study import render_study
from reports.words import LANGUAGES, words
from tests.reports import samples
from tests.reports.reading import page_text, pdf_text

ROOT = Path(__file__).resolve().parents[2]
EN, DE = words("en"), words("de")
SOURCES = [
    path.read_text(encoding="utf-8")
    for pattern in ("*.py", "templates/*.html", "typst/*.typ", "charts/*.py")
    for path in (ROOT / "reports").glob(pattern)
]
# Keys that are put together when they are used, and what they are put together from.
FAMILIES = {
    "class": {
        "neutrophil",
        "lymphocyte",
        "monocyte",
        "eosinophil",
        "basophil",
        "granulocyte",
        "immature_granulocyte",
        "blast",
        "platelet",
        "erythroblast",
        "leukocyte",
    },
    "level": {level.value for level in Level},
    "meaning": {"reviewed", "released"},
    "method": {"mean", "recalibrated", "counting", "emq", "consensus", "embedding"},
    "method_short": {"mean", "recalibrated", "counting", "emq", "consensus", "embedding"},
    "quality": set(_FIGURES),
    "role": {role.value for role in Role},
    "role_word": {role.value for role in Role},
    "stage": {"ingest", "train", "predict", "report"},
    "standing": {place.value for place in Standing} | {"below_quantification"},
    "state": {"predicted", "ingested", "quarantined", "waiting"},
    "unit": {"px_per_frame"},
    "flag": {
        f"{code}.{part}"
        for code in (*LEVELS, "no_purified", "unheard_of")
        for part in ("title", "meaning", "action")
    },
}
# The same word, sign or abbreviation in both languages.
SAME = re.compile(
    r"column\.(percent|n|bias|concordance)|standing\.(within|no_range)|quality\.cell_contrast"
    r"|flag\.unheard_of\.title|identity\.generation|stage\.train|chart\.share"
)


def placeholders(message):
    return sorted(name for _, name, _, _ in Formatter().parse(message) if name)


def test_both_languages_have_the_same_keys():
    assert EN.messages.keys() == DE.messages.keys()
    assert len(EN.messages) > 250


@pytest.mark.parametrize("key", sorted(EN.messages))
def test_a_message_has_the_same_places_in_both_languages(key):
    assert placeholders(EN.messages[key]) == placeholders(DE.messages[key])
    assert EN.messages[key].count("*") == DE.messages[key].count("*")
    assert bool(EN.messages[key]) == bool(DE.messages[key])


def test_a_message_that_is_not_translated_is_one_that_needs_none():
    same = [key for key, text in EN.messages.items() if text and text == DE.messages[key]]
    assert [key for key in same if not SAME.fullmatch(key)] == []


def test_every_key_is_used():
    unused = []
    for key in EN.messages:
        family, _, name = key.partition(".")
        if family in FAMILIES:
            if name not in FAMILIES[family]:
                unused.append(key)
        elif family == "quality_note":
            if name not in _FIGURES:
                unused.append(key)
        elif family == "column":
            if not any(
                f'"{key}"' in text or f'"{name}"' in text or f"'{key}'" in text for text in SOURCES
            ):
                unused.append(key)
        elif family == "status" and name.removeprefix("word_") in set(Status):
            continue
        elif not any(f'"{key}"' in text or f"'{key}'" in text for text in SOURCES):
            unused.append(key)
    assert unused == []


def test_every_word_that_is_needed_is_there():
    for family, names in FAMILIES.items():
        assert {f"{family}.{name}" for name in names} <= EN.messages.keys()
    assert {f"status.word_{status.value}" for status in Status} <= EN.messages.keys()
    for text in SOURCES:
        keys = re.findall(r"""(?:say|say\.rich|t\.at)\(\s*["']([a-z_]+\.[a-z_0-9]+)["']""", text)
        assert set(keys) <= EN.messages.keys()


def test_the_methods_that_can_report_have_words():
    tree = ast.parse((ROOT / "models/composition.py").read_text(encoding="utf-8"))
    methods = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "METHODS"
    )
    assert set(methods) == FAMILIES["method"]


ENGLISH = re.compile(
    r"\b(the|of|and|is|are|not|with|for|from|cells?|classe?s?|specimens?|report|value|by|this|that"
    r"|page|below|above|donors?|white|frames?|signed|mean|limits|high|low|predicted)\b",
    re.IGNORECASE,
)
# What a laboratory or a study calls itself is in no language of ours.
OWN = ("Haematology, Example Hospital", "bench-1", "Out of this world", "out_of_this_world")


def without_codes(text):
    """What is left when names, codes and identifiers are taken out."""
    for name in OWN:
        text = text.replace(name, "")
    return re.sub(r"\w+(?:_\w+)+|\b[a-z]+-\d-\w+|\S+\.(?:csv|yaml|avi)", "", text)


def german():
    settings = ReportSettings(language="de")
    specimen = samples.specimen(held_out=True, role="mixed", status=Status.CORRECTED, version=2)
    child = samples.specimen(donor_age_years=9, rows=samples.rows(), method="consensus")
    nothing = samples.specimen(rows=(), model=None, laboratory="", quality={}, gallery=())
    every = samples.specimen(
        flags=(*LEVELS, "no_purified_basophil"), quality=dict.fromkeys(_FIGURES, 1.0)
    )
    for content in (specimen, child, nothing, every):
        yield page_text(render_specimen(content, settings))
        yield pdf_text(specimen_pdf(content, settings))
    for content in (samples.study(), samples.study(pairs=(), specimens=())):
        yield page_text(render_study(content, settings))
        yield pdf_text(study_pdf(content, settings))


def test_no_english_is_left_on_a_german_report():
    for text in german():
        words_left = without_codes(text)
        assert ENGLISH.findall(words_left) == [], ENGLISH.search(words_left)


def test_every_english_report_is_english():
    for text in (
        page_text(render_specimen(samples.specimen())),
        pdf_text(study_pdf(samples.study())),
    ):
        assert not re.search(r"\b(der|die|und|nicht|Zellen|Probe)\b", text)


def test_the_language_is_a_setting_and_an_argument():
    german_settings = ReportSettings(language="de")
    assert "Neutrophile" in render_specimen(samples.specimen(), german_settings)
    assert "Neutrophile" in render_specimen(samples.specimen(), language="de")
    assert "neutrophil" in render_specimen(samples.specimen(), german_settings, "en")
    assert '<html lang="de">' in render_study(samples.study(), language="de")


def test_a_language_without_messages_is_refused():
    with pytest.raises(UsageError, match="fr") as refused:
        words("fr")
    assert "en, de" in refused.value.next_step
    assert set(LANGUAGES) == {"en", "de"}


def test_numbers_are_written_as_is_usual():
    assert EN.number(12345.6, 1) == "12\u202f345.6"
    assert DE.number(12345.6, 1) == "12\u202f345,6"
    assert DE.percent(0.0712) == "7,1"
    assert DE.signed(-1.25) == "−1,2"
    assert DE.significant(0.64412) == "0,644"
    assert DE.significant("v1.2") == "v1.2"
    assert DE.tick(2.5) == "2,5"
    assert DE.number(None) == "–"


def test_dates_are_written_as_is_usual_with_their_zone():
    moment = datetime(2026, 3, 11, 9, 5, tzinfo=UTC)
    assert EN.when(moment) == "2026-03-11 09:05 UTC"
    assert DE.when(moment) == "11.03.2026, 09:05 UTC"
    assert DE.day(moment) == "11.03.2026"
    assert DE.when(moment.replace(tzinfo=None)) == "11.03.2026, 09:05"
    there = moment.astimezone(timezone(timedelta(hours=1)))
    assert DE.when(there) == "11.03.2026, 10:05 UTC+01:00"


def test_a_class_that_only_the_study_knows_keeps_its_name():
    assert DE.cell_class("neutrophil") == "Neutrophile"
    assert DE.cell_class("eos") == "Eosinophile"
    assert DE.cell_class("Atypical Lymph-X") == "Atypical Lymph-X"
    assert EN.cell_class("immature_granulocyte") == "immature granulocyte"


def test_bold_is_the_message_s_and_never_the_value_s():
    pieces = EN.rich("specimen.counted", cells="*1*")
    assert pieces == [("*1*", True), (" cells counted", False)]
