from dataclasses import replace
from datetime import timedelta

from reports.content import Status
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


def test_a_study_has_an_identity_too():
    assert report_id(samples.study()) != report_id(samples.study(study="other"))
