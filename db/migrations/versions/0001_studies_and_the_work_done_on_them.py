"""Studies and the work done on them."""

import sqlalchemy as sa
from alembic import op

from db.types import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_study()
    _create_recording()
    _create_run()
    _create_specimen()
    _create_study_revision()
    _create_finding()
    _create_specimen_revision()
    _create_reference_count()


def downgrade() -> None:
    op.drop_table("reference_count")
    op.drop_table("specimen_revision")
    op.drop_table("finding")
    op.drop_table("study_revision")
    op.drop_table("specimen")
    op.drop_table("run")
    op.drop_table("recording")
    op.drop_table("study")


def _create_study() -> None:
    op.create_table(
        "study",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_study")),
        sa.UniqueConstraint("name", name=op.f("uq_study_name")),
    )


def _create_recording() -> None:
    op.create_table(
        "recording",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("seen_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["study.key"], name=op.f("fk_recording_study_key_study")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_recording")),
        sa.UniqueConstraint(
            "study_key", "path", "sha256", name=op.f("uq_recording_study_key_path_sha256")
        ),
    )


def _create_run() -> None:
    op.create_table(
        "run",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=True),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("software", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("started_at", UtcTime(timezone=True), nullable=False),
        sa.Column("finished_at", UtcTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'partial', 'failed', 'abandoned')",
            name=op.f("ck_run_state"),
        ),
        sa.ForeignKeyConstraint(["study_key"], ["study.key"], name=op.f("fk_run_study_key_study")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_state"), "run", ["state"], unique=False)
    op.create_index(op.f("ix_run_study_key"), "run", ["study_key"], unique=False)


def _create_specimen() -> None:
    op.create_table(
        "specimen",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("specimen_id", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["study.key"], name=op.f("fk_specimen_study_key_study")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_specimen")),
        sa.UniqueConstraint(
            "study_key", "specimen_id", name=op.f("uq_specimen_study_key_specimen_id")
        ),
    )


def _create_study_revision() -> None:
    op.create_table(
        "study_revision",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("acquisition", sa.JSON(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("seen_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["study.key"], name=op.f("fk_study_revision_study_key_study")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_study_revision")),
        sa.UniqueConstraint("study_key", "number", name=op.f("uq_study_revision_study_key_number")),
    )


def _create_finding() -> None:
    op.create_table(
        "finding",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=True),
        sa.Column("recording_key", sa.Integer(), nullable=True),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("sheet_column", sa.String(), nullable=True),
        sa.Column("recipe_id", sa.String(), nullable=True),
        sa.Column("quarantines", sa.Boolean(), nullable=False),
        sa.Column("found_at", UtcTime(timezone=True), nullable=False),
        sa.Column("cleared_at", UtcTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level IN ('violation', 'alert', 'information')", name=op.f("ck_finding_level")
        ),
        sa.ForeignKeyConstraint(
            ["recording_key"], ["recording.key"], name=op.f("fk_finding_recording_key_recording")
        ),
        sa.ForeignKeyConstraint(["run_key"], ["run.key"], name=op.f("fk_finding_run_key_run")),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_finding_specimen_key_specimen")
        ),
        sa.ForeignKeyConstraint(
            ["study_key"], ["study.key"], name=op.f("fk_finding_study_key_study")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_finding")),
    )
    op.create_index(
        "ix_finding_open",
        "finding",
        ["study_key", "specimen_key"],
        unique=False,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )


def _create_specimen_revision() -> None:
    op.create_table(
        "specimen_revision",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("donor_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("cell_class", sa.String(), nullable=True),
        sa.Column("purity", sa.Double(), nullable=True),
        sa.Column("recording", sa.String(), nullable=False),
        sa.Column("imaged_volume_ul", sa.Double(), nullable=True),
        sa.Column("dilution", sa.Double(), nullable=True),
        sa.Column("acquired_at", UtcTime(timezone=True), nullable=True),
        sa.Column("instrument_id", sa.String(), nullable=True),
        sa.Column("wbc_per_ul", sa.Double(), nullable=True),
        sa.Column("seen_at", UtcTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('purified', 'mixed', 'unknown', 'blank', 'control')",
            name=op.f("ck_specimen_revision_role"),
        ),
        sa.CheckConstraint("purity BETWEEN 0 AND 1", name=op.f("ck_specimen_revision_purity")),
        sa.ForeignKeyConstraint(
            ["specimen_key"],
            ["specimen.key"],
            name=op.f("fk_specimen_revision_specimen_key_specimen"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_specimen_revision")),
        sa.UniqueConstraint(
            "specimen_key", "number", name=op.f("uq_specimen_revision_specimen_key_number")
        ),
    )
    op.create_index(
        op.f("ix_specimen_revision_donor_id"), "specimen_revision", ["donor_id"], unique=False
    )
    op.create_index(
        op.f("ix_specimen_revision_specimen_key"),
        "specimen_revision",
        ["specimen_key"],
        unique=False,
    )


def _create_reference_count() -> None:
    op.create_table(
        "reference_count",
        sa.Column("revision_key", sa.Integer(), nullable=False),
        sa.Column("cell_class", sa.String(), nullable=False),
        sa.Column("per_ul", sa.Double(), nullable=True),
        sa.Column("percent", sa.Double(), nullable=True),
        sa.Column("cv", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["revision_key"],
            ["specimen_revision.key"],
            name=op.f("fk_reference_count_revision_key_specimen_revision"),
        ),
        sa.PrimaryKeyConstraint("revision_key", "cell_class", name=op.f("pk_reference_count")),
    )
