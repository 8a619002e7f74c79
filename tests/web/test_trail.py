import re

import pytest

from db.audit import record


@pytest.fixture
def filled(store):
    with store.unit_of_work() as session:
        for number in range(4):
            record(
                session,
                actor="ada" if number % 2 else "<i>eve</i>",
                action="result.corrected" if number < 3 else "model.promoted",
                subject=f"specimen:demo/S{number}",
                before={"cells": {"7": "round"}},
                after={"cells": {"7": "lobed"}},
                reason="<script>alert(1)</script>",
            )
        session.commit()


def listed(answer):
    return [int(n) for n in re.findall(r'<th scope="row" class="n">(\d+)</th>', answer.text)]


@pytest.fixture
def reader(filled, client_as):
    return client_as("reviewer")


def test_changes_are_paged_newest_first(reader):
    # The application noted its own settings when it started; a page has two rows.
    first = reader.get("/audit?subject=specimen")
    numbers = listed(first)
    assert len(numbers) == 2
    link = re.search(r'href="(/audit\?[^"]*page=2)"', first.text)[1].replace("&amp;", "&")
    assert listed(reader.get(link)) == [numbers[1] - 1, numbers[1] - 2]
    assert "4 changes match the filter" in first.text
    assert "cells.7: round → lobed" in first.text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=model", 1),
        ("actor=ada", 2),
        ("subject=specimen:demo/S0", 1),
        ("since=2999-01-01", 0),
        ("actor=ada&action=result", 1),
    ],
)
def test_filters_narrow_them(reader, query, expected):
    assert len(listed(reader.get(f"/audit?{query}"))) == expected


def test_what_people_wrote_is_only_text(reader):
    text = reader.get("/audit?subject=specimen").text
    assert "<script" not in text
    assert "<i>eve" not in text


def test_the_head_is_shown_to_be_noted(reader):
    assert re.search(r"\d+:[0-9a-f]{64}", reader.get("/audit").text)


def test_a_wrong_filter_is_said(reader):
    assert reader.get("/audit?since=yesterday").status_code == 422
