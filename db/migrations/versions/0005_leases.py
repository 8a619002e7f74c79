"""Leases: who works on what, on one machine or on several."""

import sqlalchemy as sa
from alembic import op

from db.types import UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("lease_until", UtcTime(timezone=True), nullable=True))
    op.create_table(
        "lease",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=False),
        sa.Column("taken_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_key"], ["run.key"], name=op.f("fk_lease_run_key_run")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lease")),
        sa.UniqueConstraint("subject", name=op.f("uq_lease_subject")),
    )
    op.create_index(op.f("ix_lease_run_key"), "lease", ["run_key"])


def downgrade() -> None:
    op.drop_index(op.f("ix_lease_run_key"), "lease")
    op.drop_table("lease")
    op.drop_column("run", "lease_until")
