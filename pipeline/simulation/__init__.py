"""Simulated studies with known truth, as hard as life where it matters.

In reading order: ``settings`` and ``scenarios`` (what to simulate), ``blood`` (what each specimen
holds and what the laboratory knows of it), ``looks`` and ``sprites`` or ``crops`` (single cells),
``paths`` (flow), ``camera`` (light, focus, noise), ``writers`` (formats), ``specimen``, ``study``.
"""

from pipeline.simulation.scenarios import SCENARIOS, scenario
from pipeline.simulation.settings import SimulationSettings
from pipeline.simulation.study import simulate_study

__all__ = ["SCENARIOS", "SimulationSettings", "scenario", "simulate_study"]
