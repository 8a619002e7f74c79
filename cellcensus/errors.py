"""Every error cellcensus raises on purpose, in one tree.

::

    CellcensusError
    ├── UsageError                 wrong use of the command                       exit 2
    │   └── StudyError             the study folder cannot be used, with findings  exit 2
    ├── RecordingError             one recording is unusable: quarantine it        exit 3
    ├── TrainingError              the studies given cannot teach a model          exit 1
    │   └── FailedElsewhereError   another process of the same training ended      exit 1
    ├── ModelFileError             a model file is missing, altered or not ours    exit 1
    ├── StoreError                 home folder or database cannot be used          exit 1
    │   ├── LeaseLostError         another machine took over what was being done   exit 1
    │   ├── PicturesGoneError      pictures of cells were deleted after their time exit 1
    │   └── AlteredError           a signed report is not what was signed any more exit 1
    ├── DeliveryError              a receiver did not take a report; tried again   exit 1
    └── ReviewError                this cannot be done to the result now           exit 1
        └── StaleReviewError       somebody else changed it since it was looked at exit 1

A message says what is wrong; ``specimen_id`` and ``file`` say where; ``next_step`` says what the
person can do about it. The command line prints these four and never a traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellcensus.findings import Finding


class CellcensusError(Exception):
    """Base of the tree.

    Parameters
    ----------
    message
        What is wrong, one sentence.
    specimen_id, file
        Where, as far as known.
    next_step
        What the person can do now.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        specimen_id: str | None = None,
        file: str | PathLike[str] | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.specimen_id = specimen_id
        self.file = None if file is None else str(file)
        self.next_step = next_step

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                f"specimen {self.specimen_id}" if self.specimen_id else "",
                f"file {self.file}" if self.file else "",
            )
            if part
        )
        text = f"{self.message} ({where})" if where else self.message
        return f"{text}. Next step: {self.next_step}" if self.next_step else text

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword-only arguments do not survive a process pool otherwise.
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))


def _rebuild(
    kind: type[CellcensusError], message: str, state: dict[str, object]
) -> CellcensusError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class UsageError(CellcensusError):
    """The command was used in a way that cannot work."""

    exit_code = 2


class StudyError(UsageError):
    """The study folder cannot be used; ``findings`` says why, one entry a defect."""

    def __init__(
        self,
        message: str,
        *,
        findings: Sequence[Finding] = (),
        file: str | PathLike[str] | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message, file=file, next_step=next_step)
        self.findings = tuple(findings)


class RecordingError(CellcensusError):
    """One recording cannot be used. ``code`` is a stable word such as ``empty_file``."""

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        code: str,
        specimen_id: str | None = None,
        file: str | PathLike[str] | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message, specimen_id=specimen_id, file=file, next_step=next_step)
        self.code = code


class TrainingError(CellcensusError):
    """The studies given cannot teach a model."""


class FailedElsewhereError(TrainingError):
    """Another of the processes that train one model together failed or ended."""


class ModelFileError(CellcensusError):
    """A model file is missing, was altered, or is not one of ours."""


class StoreError(CellcensusError):
    """The home folder or the database cannot be used."""


class LeaseLostError(StoreError):
    """The process was silent for longer than its lease; another does what it was doing."""


class PicturesGoneError(StoreError):
    """Pictures of cells are needed that were deleted after the time they are kept."""


class AlteredError(StoreError):
    """A signed report is not what was signed any more; it is not shown as signed."""


class ReviewError(CellcensusError):
    """What was asked for cannot be done to this result as it stands; the message says why."""


class StaleReviewError(ReviewError):
    """The result was changed since it was looked at: by ``changed_by``, at ``changed_at``."""

    def __init__(
        self,
        message: str,
        *,
        changed_by: str,
        changed_at: datetime,
        specimen_id: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message, specimen_id=specimen_id, next_step=next_step)
        self.changed_by = changed_by
        self.changed_at = changed_at


class DeliveryError(CellcensusError):
    """A report could not be delivered this time; ``unreachable``: nor could any other be there."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


_PLACES = {
    errno.ENOSPC: "make room on that disk; the same command goes on from where it stopped",
    errno.EDQUOT: "make room on that disk; the same command goes on from where it stopped",
    errno.EROFS: "choose a place that can be written to",
    errno.EACCES: "ask for the right to use it, or choose another place",
    errno.EPERM: "ask for the right to use it, or choose another place",
    errno.EIO: "check the disk or the network drive, then repeat the command",
    errno.ESTALE: "check the network drive, then repeat the command",
}


def store_error_of(error: OSError) -> StoreError | None:
    """What the operating system says of a place, with the next step; ``None`` if it is another."""
    if error.errno not in _PLACES:
        return None
    return StoreError(str(error.strerror), file=error.filename, next_step=_PLACES[error.errno])
