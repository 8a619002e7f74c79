"""What ``make bench`` runs: the ratios that need no data from outside, and how to get the rest."""

from __future__ import annotations

from benchmarks import overhead, scaling, scenarios, speed

OTHERS = """
Power cuts and disk faults, by stage:
  python -m benchmarks.resilience --kills 50

With data of one's own:
  python -m benchmarks.realstudy STUDY TRUTH        a study from video to export
  python -m benchmarks.variety --crops DIR          studies of every kind, likewise
  python -m benchmarks.scenarios --random 60        counting at random conditions
  python -m benchmarks.compare --predictions P --truth T   an export against a truth folder
  python -m benchmarks.cells EXPORT EVENTS                 found cells against true positions
  python -m benchmarks.machines                            what several machines bring
  python -m benchmarks.learning --crops DIR --counts CSV   learning against rivals
"""


def main() -> None:
    """Time the census and what conducts it, then find the cells of the scenarios."""
    speed.main([])
    scaling.main([])
    overhead.main([])
    scenarios.main([])
    print(OTHERS)


if __name__ == "__main__":
    main()
