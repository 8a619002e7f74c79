"""The same cell over frames: how the liquid flows, and which detection continues which track."""

from pipeline.linking.flow import FlowField, estimate_flow, unknown_flow
from pipeline.linking.judge import Verdict, judge
from pipeline.linking.linker import Linker
from pipeline.linking.track import TRACK

__all__ = [
    "TRACK",
    "FlowField",
    "Linker",
    "Verdict",
    "estimate_flow",
    "judge",
    "unknown_flow",
]
