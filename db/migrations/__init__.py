"""The history of the schema; run by :func:`db.schema.upgrade`, no ``alembic.ini`` needed."""
