"""What was done, with what, and what came out: typed tables, migrations, plain queries.

The database is the truth; files are published first and their rows are committed after, so that a
row never points to something that is not there. Knows no torch, no pipeline and no Prefect.

- :mod:`db.schema`: ``upgrade``, ``backup``, ``restore``
- :mod:`db.store`: ``Store``, its ``reading()`` and ``unit_of_work()``
- :mod:`db.tables`: the tables
- :mod:`db.studies`, :mod:`db.cells`, :mod:`db.models`, :mod:`db.predictions`, :mod:`db.findings`,
  :mod:`db.runs`, :mod:`db.reports`: plain functions that take a session
"""
