"""The study folder: ``study.yaml`` and ``specimens.csv`` → a :class:`~cellcensus.study.Study`.

In reading order: ``textfile`` (bytes → text), ``manifest`` (``study.yaml``), ``sheet`` (the table,
row by row), ``fields`` and ``counts`` (one row → one specimen), ``places`` (recordings),
``crosschecks`` (what only shows between rows), ``reading`` (all of it in order).

Nothing is corrected in silence and nothing is lost: whatever is read otherwise than it was written
is a finding, and a specimen that cannot be used is left out with its reason while the others stay.
"""

from cellcensus.studyfolder.reading import load_study, read_study

__all__ = ["load_study", "read_study"]
