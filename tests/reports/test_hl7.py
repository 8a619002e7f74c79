from dataclasses import replace

import pytest
from hl7apy.parser import parse_message
from hypothesis import given
from hypothesis import strategies as st

from cellcensus.settings import ReportSettings
from reports import hl7
from reports.content import Estimate, Status
from tests.reports import samples


def parsed(content):
    return parse_message(hl7.message(content), validation_level=2, find_groups=True)


def observations(content):
    (order,) = parsed(content).oru_r01_patient_result.oru_r01_order_observation
    return [group.obx for group in order.oru_r01_observation]


def test_an_independent_parser_finds_the_message_valid_and_complete():
    read = parsed(samples.specimen())
    assert read.validate()
    assert read.msh.msh_9.to_er7() == "ORU^R01^ORU_R01"
    assert read.msh.msh_12.to_er7() == "2.5.1"
    assert read.msh.msh_18.to_er7() == "UNICODE UTF-8"
    assert len(observations(samples.specimen())) == 1 + 2 * len(samples.CLASSES)


def test_values_units_ranges_and_status():
    first = observations(samples.specimen())[0]
    assert first.obx_3.to_er7() == "6690-2^leukocytes^LN"
    assert first.obx_5.to_er7() == "11.24"
    assert first.obx_6.to_er7() == "10*3/uL^^UCUM"
    assert first.obx_7.to_er7() == "4-10"
    assert first.obx_8.to_er7() == "H"
    assert first.obx_11.to_er7() == "P"


def test_the_interval_is_a_note_beside_its_value():
    (order,) = parsed(samples.specimen()).oru_r01_patient_result.oru_r01_order_observation
    assert "10.43 - 12.08" in order.oru_r01_observation[0].nte.to_er7()


def test_what_cannot_be_said_is_empty_and_marked():
    rows = tuple(replace(row, per_ul=Estimate()) for row in samples.rows())
    second = observations(samples.specimen(rows=rows))[1]
    assert second.obx_5.to_er7() == ""
    assert second.obx_11.to_er7() == "X"


@pytest.mark.parametrize("name", ["a|b", "a^b~c&d", "a\\b", "a\rMSH|x", "a\nb", "a\x00b"])
def test_no_name_can_break_out_of_its_field(name):
    content = samples.specimen(specimen_id=name, donor_id=name)
    read = parsed(content)
    assert len(hl7.message(content).split("\r")) == len(hl7.message(samples.specimen()).split("\r"))
    assert read.oru_r01_patient_result.oru_r01_patient.pid.pid_3.pid_3_1.to_er7() == hl7.escape(
        name
    )


@pytest.mark.parametrize(
    ("status", "code"), [(Status.PRELIMINARY, "P"), (Status.FINAL, "F"), (Status.CORRECTED, "C")]
)
def test_the_status_is_that_of_the_report(status, code):
    content = samples.signed(status=status)
    assert {o.obx_11.to_er7() for o in observations(content)} == {code}
    (order,) = parsed(content).oru_r01_patient_result.oru_r01_order_observation
    assert order.obr.obr_25.to_er7() == code
    assert parsed(content).validate()


@pytest.mark.parametrize("status", [Status.FINAL, Status.CORRECTED])
def test_nothing_unsigned_is_final(status):
    with pytest.raises(ValueError, match="without a signature"):
        hl7.message(samples.specimen(status=status))


def test_who_signed_and_what_stands_in_the_message():
    content = samples.signed(version=2, replaces="R-0011")
    (order,) = parsed(content).oru_r01_patient_result.oru_r01_order_observation
    assert order.obr.obr_32.to_er7() == "&A. Reviewer"
    text = hl7.message(content)
    assert f"Report R-{'cd' * 6} version 2, final" in text
    assert "released by A. Reviewer at 20260311090000+0000, sha256 " + "cd" * 32 in text
    assert "Replaces R-0011" in text


def test_the_same_report_is_the_same_message():
    first, again = (hl7.message(samples.signed(), control_id="A1") for _ in range(2))
    assert first == again
    assert first == hl7.message(samples.signed(gallery=(), preview=None), control_id="A1")
    assert first.split("|")[9] == "A1"


def test_a_draft_and_what_was_released_are_told_apart():
    """A receiver drops a message whose control id it has."""
    released = samples.signed()
    draft = replace(released, status=Status.PRELIMINARY, signature=None)
    ids = [hl7.message(content).split("|")[9] for content in (draft, released)]
    assert len(set(ids)) == 2
    assert max(map(len, ids)) <= 20


def test_an_uncertain_value_is_said_to_be_below_quantification():
    (order,) = parsed(samples.specimen()).oru_r01_patient_result.oru_r01_order_observation
    told = {
        group.obx.obx_3.obx_3_1.to_er7(): [note.to_er7() for note in group.nte]
        for group in order.oru_r01_observation
    }
    assert "NTE|2|L|below quantification" in told["704-7"]
    assert len(told["751-8"]) == 1


@given(st.text(max_size=40))
def test_any_text_stays_in_its_field_and_can_be_read_back(text):
    escaped = hl7.escape(text)
    assert not set(escaped) & set("|^&~\r\n\x0b\x1c")
    back = escaped
    for code, character in (("F", "|"), ("S", "^"), ("T", "&"), ("R", "~"), ("E", "\\")):
        back = back.replace(f"\\{code}\\", f"\x00{character}")
    assert back.replace("\x00", "") == "".join(c if c.isprintable() else " " for c in text)


def test_each_message_of_several_has_an_identity_of_its_own():
    both = [samples.specimen(), samples.specimen(specimen_id="U040")]
    messages = hl7.messages([(content, ReportSettings()) for content in both]).split("MSH|")[1:]
    ids = {message.split("|")[8] for message in messages}
    assert len(ids) == 2
