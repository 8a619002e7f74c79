"""Cells and what is known of specimens → compositions."""

import os

# Threads of OpenMP that wait by spinning take the time of whatever else runs on a small machine
# (measured: twice the processor time for the same training with six processes on two cores, and
# nothing gained on a quiet one). Read by torch's OpenMP when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
