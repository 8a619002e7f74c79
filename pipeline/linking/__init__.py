"""The same cell over frames: how the liquid flows, and which detection continues which track."""

from pipeline.linking.flow import FlowField, estimate_flow, unknown_flow
from pipeline.linking.linker import Linker, Track

__all__ = ["FlowField", "Linker", "Track", "estimate_flow", "unknown_flow"]
