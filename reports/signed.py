"""What a report's signatures prove: no report leaves the house as final without one."""

from __future__ import annotations

from reports.content import Signature, SpecimenReport, Status
from reports.identity import report_sha256


def checked_status(content: SpecimenReport) -> Status:
    """The report's status.

    Raises
    ------
    ValueError
        It is said to be final or corrected, and nobody signed it.
    """
    if content.status is not Status.PRELIMINARY and content.signature is None:
        raise ValueError(f"a report without a signature cannot be {content.status.value}")
    return content.status


def signatures(content: SpecimenReport) -> tuple[Signature, ...]:
    """All signatures, in the order they were given."""
    last = () if content.signature is None else (content.signature,)
    return (*content.earlier_signatures, *last)


def identity_sha256(content: SpecimenReport) -> str:
    """The hash that names a report: the signed one; of an unsigned report, that of its content.

    A signed report may have been read back without its pictures, which its hash covers.
    """
    return content.signature.report_sha256 if content.signature else report_sha256(content)


def identity(content: SpecimenReport) -> str:
    """The report's id as it is printed, for example ``R-3f2a90c4d1e8``."""
    return f"R-{identity_sha256(content)[:12]}"
