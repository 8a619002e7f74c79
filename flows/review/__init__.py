"""The technicians' bench: look at a result, correct it, sign it; keep or release quarantine.

Every change is one unit of work: the rows, the trail and the raised version of the review are kept
together or not at all. Who may do what is the caller's to decide; that two persons differ is ours.
"""

from flows.review.aside import discard, release_quarantine
from flows.review.bench import Bench, BenchCell, BenchFlag, BenchRow, CellGroup, Counted, Earlier
from flows.review.opening import open_bench
from flows.review.signing import release, sign
from flows.review.step import Actor, Seen
from flows.review.steps import (
    accept_flag,
    comment,
    correct,
    hold,
    request_rerun,
    see_bin,
    undo,
    unhold,
)
from flows.review.verifying import verify

__all__ = [
    "Actor",
    "Bench",
    "BenchCell",
    "BenchFlag",
    "BenchRow",
    "CellGroup",
    "Counted",
    "Earlier",
    "Seen",
    "accept_flag",
    "comment",
    "correct",
    "discard",
    "hold",
    "open_bench",
    "release",
    "release_quarantine",
    "request_rerun",
    "see_bin",
    "sign",
    "undo",
    "unhold",
    "verify",
]
