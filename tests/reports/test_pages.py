import re
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from reports import pages
from reports.glossary import QualityName

CSS = (files("reports") / "templates" / "report.css").read_text(encoding="utf-8")


def colours(block):
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
    return {
        name: value if len(value) == 7 else "#" + "".join(2 * c for c in value[1:])
        for name, value in found.items()
    }


def schemes():
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    light, dark, paper = (colours(block) for block in blocks)
    return {"light": light, "dark": {**light, **dark}, "paper": {**light, **paper}}


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, faint = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (faint + 0.05)


@pytest.mark.parametrize("name", ["light", "dark", "paper"])
def test_words_can_be_read_on_every_ground(name):
    scheme = schemes()[name]
    for words in ("ink", "soft", "accent", "high", "low", "warn"):
        for ground in ("paper", "wash"):
            assert contrast(scheme[words], scheme[ground]) >= 4.5, (words, ground)
    for words, ground in (
        ("ink", "warn-wash"),
        ("soft", "warn-wash"),
        ("soft", "stop-wash"),
        ("ink", "stop-wash"),
        ("warn", "warn-wash"),
        ("high", "stop-wash"),
        ("soft", "sheet"),
        ("paper", "accent"),
    ):
        assert contrast(scheme[words], scheme[ground]) >= 4.5, (words, ground)


def test_times_carry_their_zone_and_nothing_stays_a_dash():
    moment = datetime(2026, 3, 11, 9, 5, tzinfo=UTC)
    assert pages.when(moment) == "2026-03-11 09:05 UTC"
    assert pages.day(moment) == "2026-03-11"
    assert pages.when(None) == pages.day(None) == "–"


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (0.042, QualityName("x", share=True), "4.2 %"),
        (-0.0001, QualityName("x", share=True), "0.0 %"),
        (9.52134, QualityName("x", "µm"), "9.52 µm"),
        (412.0, QualityName("x"), "412"),
        (None, QualityName("x", "µm"), "–"),
        (float("nan"), QualityName("x", share=True), "–"),
        (True, QualityName("x"), "yes"),
        ("flow", QualityName("x"), "flow"),
    ],
)
def test_figures_with_their_units(value, name, shown):
    assert pages.quality_value(value, name) == shown


def test_paper_is_a_setting():
    assert "size: Letter;" in pages.style("Letter", "x")
    assert "size: A4;" in pages.style("A4", "x")
