"""What an HL7 v2 receiver answers: taken, refused, or nothing that can be understood."""

from __future__ import annotations

from dataclasses import dataclass

ACCEPTED = frozenset({"AA", "CA"})
REFUSED = frozenset({"AE", "AR", "CE", "CR"})


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An ACK: ``code`` as in HL7 table 0008, which message it answers, and the receiver's words."""

    code: str
    control_id: str
    text: str

    @property
    def accepted(self) -> bool:
        """The receiver has the message."""
        return self.code in ACCEPTED

    @property
    def refused(self) -> bool:
        """The receiver read the message and does not want it."""
        return self.code in REFUSED


def read_acknowledgement(text: str) -> Acknowledgement:
    """The acknowledgement in a message.

    Raises
    ------
    ValueError
        It is no HL7 message, or says nothing of another message.
    """
    segments = [line.strip() for line in text.replace("\n", "\r").split("\r") if line.strip()]
    if not segments or not segments[0].startswith("MSH") or len(segments[0]) < 4:
        raise ValueError("the answer is no HL7 message")
    fields = {line[:3]: line.split(segments[0][3]) for line in reversed(segments)}
    if "MSA" not in fields:
        raise ValueError("the answer acknowledges nothing")
    answer, error = _padded(fields["MSA"]), _padded(fields.get("ERR", []))
    words = [answer[3], error[3], error[7], error[8]]
    return Acknowledgement(
        answer[1].strip(), answer[2].strip(), " ".join(word for word in words if word)
    )


def _padded(fields: list[str]) -> list[str]:
    return fields + [""] * (9 - len(fields))
