from dataclasses import replace
from datetime import timedelta

import numpy as np

from reports.content import (
    UNCLASSIFIED,
    CellPicture,
    ClassRow,
    Estimate,
    GalleryClass,
    SpecimenReport,
    Status,
)
from reports.identity import report_id, report_sha256
from tests.reports import samples


def test_the_identity_is_of_what_is_said_and_not_of_when():
    content = samples.specimen()
    later = replace(content, generated_at=content.generated_at + timedelta(days=1))
    signed = replace(content, status=Status.FINAL, version=2)
    assert report_sha256(content) == report_sha256(later) == report_sha256(signed)
    assert report_id(content) == f"R-{report_sha256(content)[:12]}"


def test_any_change_of_what_is_said_changes_the_identity():
    content = samples.specimen()
    first = content.gallery[0]
    changed = [
        replace(content, cells=content.cells + 1),
        replace(content, flags=()),
        replace(content, preview=b"\xff\xd8\xffother"),
        replace(content, quality={"focus_median": 0.8214}),
        replace(
            content, gallery=(replace(first, typical=first.typical[::-1]), *content.gallery[1:])
        ),
    ]
    ids = {report_sha256(c) for c in [content, *changed]}
    assert len(ids) == len(changed) + 1


def test_what_was_signed_long_ago_still_has_its_hash():
    """A field more in the content would make every signed report one that was altered."""
    cell = CellPicture(7, np.arange(12, dtype=np.uint8).reshape(3, 4), 0.75)
    content = SpecimenReport(
        study="made-up",
        specimen_id="U1",
        donor_id="D1",
        role="unknown",
        generated_at=samples.MOMENT,
        rows=(ClassRow("round", 5, Estimate(1.0, 0.8, 1.0)),),
        cells=6,
        unclassified=1,
        gallery=(GalleryClass("round", (cell,), ()),),
        limits_of_use=("Not for use.",),
    )
    before = "4c5c10c863c45765fc7c2cf53acb65c46630ad0a8f00031d13232df49a3544f2"
    assert report_sha256(content) == before
    strange = GalleryClass(UNCLASSIFIED, uncertain=(cell,))
    assert report_sha256(replace(content, gallery=(*content.gallery, strange))) != before


def test_a_study_has_an_identity_too():
    assert report_id(samples.study()) != report_id(samples.study(study="other"))
