"""Donors kept apart from all training."""

import sqlalchemy as sa
from alembic import op

from db.types import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "verification_donor",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("donor_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("chosen_at", UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_verification_donor")),
        sa.UniqueConstraint(
            "family",
            "study",
            "donor_id",
            name=op.f("uq_verification_donor_family_study_donor_id"),
        ),
    )


def downgrade() -> None:
    op.drop_table("verification_donor")
