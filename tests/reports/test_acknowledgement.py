import pytest

from reports.acknowledgement import read_acknowledgement


def ack(code, *more, separator="|"):
    head = "MSH|^~\\&|LIS||x||2026||ACK|1|P|2.5.1".replace("|", separator)
    return "\r".join([head, separator.join(["MSA", code, "A1", "text"]), *more, ""])


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_taken(code):
    found = read_acknowledgement(ack(code))
    assert (found.accepted, found.refused, found.control_id) == (True, False, "A1")


@pytest.mark.parametrize("code", ["AE", "AR", "CE", "CR"])
def test_refused_with_the_receivers_words(code):
    found = read_acknowledgement(ack(code, "ERR|||207|E|||the disk is full|ask IT"))
    assert (found.accepted, found.refused) == (False, True)
    assert found.text == "text 207 the disk is full ask IT"


def test_separators_and_line_ends_are_the_receivers_own():
    assert read_acknowledgement(ack("AA", separator="#")).control_id == "A1"
    assert read_acknowledgement(ack("AA").replace("\r", "\r\n")).accepted


def test_a_code_of_its_own_is_neither():
    found = read_acknowledgement(ack("OK"))
    assert (found.accepted, found.refused) == (False, False)


@pytest.mark.parametrize("text", ["", "MSH", "hello", "MSH|^~\\&|x\r", "MSA|AA|A1"])
def test_what_is_no_acknowledgement(text):
    with pytest.raises(ValueError, match="the answer"):
        read_acknowledgement(text)


def test_an_answer_may_be_short():
    assert read_acknowledgement("MSH|^~\\&\rMSA|AA").control_id == ""
