"""Generations: raised by hand when the same recording and settings give other cells than before.

They stand apart from the code they describe, so that whether a result is up to date can be decided
without importing that code.
"""

INGEST = 4
