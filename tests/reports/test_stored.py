import json
from dataclasses import replace
from math import nan

import pytest

from reports.content import Estimate, Status
from reports.identity import report_sha256
from reports.stored import as_values, from_values
from tests.reports import samples


def stored(content):
    return json.loads(json.dumps(as_values(content), allow_nan=False))


@pytest.mark.parametrize(
    "content",
    [
        samples.specimen(),
        samples.signed(earlier_signatures=(samples.SIGNATURE,), status=Status.CORRECTED),
        samples.specimen(rows=(), model=None, acquired_at=None, analyser_total_per_ul=nan),
        samples.specimen(total_per_ul=Estimate()),
    ],
)
def test_what_a_report_says_comes_back_without_its_pictures(content):
    back = from_values(stored(content))
    assert as_values(back) == as_values(content)
    bare = replace(content, gallery=(), preview=None)
    assert report_sha256(back) == report_sha256(bare)
    assert type(back.rows) is type(content.rows)


def test_names_of_a_later_version_are_passed_over():
    assert from_values({**stored(samples.specimen()), "mood": "good"}).specimen_id == "U039"
