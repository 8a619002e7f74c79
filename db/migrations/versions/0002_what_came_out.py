"""What came out."""

import sqlalchemy as sa
from alembic import op

from db.types import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_cell_file()
    _create_model_version()
    _create_report()
    _create_decision()
    _create_prediction()
    _create_prediction_class()


def downgrade() -> None:
    op.drop_table("prediction_class")
    op.drop_table("prediction")
    op.drop_table("decision")
    op.drop_table("report")
    op.drop_table("model_version")
    op.drop_table("cell_file")


def _create_cell_file() -> None:
    op.create_table(
        "cell_file",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("recording_key", sa.Integer(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("recipe_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("n_cells", sa.Integer(), nullable=False),
        sa.Column("quality", sa.JSON(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_key"], ["recording.key"], name=op.f("fk_cell_file_recording_key_recording")
        ),
        sa.ForeignKeyConstraint(["run_key"], ["run.key"], name=op.f("fk_cell_file_run_key_run")),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_cell_file_specimen_key_specimen")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cell_file")),
        sa.UniqueConstraint(
            "specimen_key", "recipe_id", name=op.f("uq_cell_file_specimen_key_recipe_id")
        ),
    )
    op.create_index(
        "uq_cell_file_current",
        "cell_file",
        ["specimen_key"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )


def _create_model_version() -> None:
    op.create_table(
        "model_version",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trained_on", sa.JSON(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('candidate', 'champion', 'retired', 'refused')",
            name=op.f("ck_model_version_state"),
        ),
        sa.ForeignKeyConstraint(
            ["run_key"], ["run.key"], name=op.f("fk_model_version_run_key_run")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_model_version")),
        sa.UniqueConstraint("model_id", name=op.f("uq_model_version_model_id")),
    )
    op.create_index(
        "uq_model_version_champion",
        "model_version",
        ["family"],
        unique=True,
        sqlite_where=sa.text("state = 'champion'"),
        postgresql_where=sa.text("state = 'champion'"),
    )


def _create_report() -> None:
    op.create_table(
        "report",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=True),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("recipe_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_key"], ["run.key"], name=op.f("fk_report_run_key_run")),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_report_specimen_key_specimen")
        ),
        sa.ForeignKeyConstraint(
            ["study_key"], ["study.key"], name=op.f("fk_report_study_key_study")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_report")),
    )
    op.create_index("ix_report_subject", "report", ["study_key", "specimen_key"], unique=False)


def _create_decision() -> None:
    op.create_table(
        "decision",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("model_key", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("replaced_key", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("taken_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_key"], ["model_version.key"], name=op.f("fk_decision_model_key_model_version")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_key"],
            ["model_version.key"],
            name=op.f("fk_decision_replaced_key_model_version"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_model_key"), "decision", ["model_key"], unique=False)


def _create_prediction() -> None:
    op.create_table(
        "prediction",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("cell_file_key", sa.Integer(), nullable=False),
        sa.Column("model_key", sa.Integer(), nullable=False),
        sa.Column("run_key", sa.Integer(), nullable=True),
        sa.Column("recipe_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("total_per_ul", sa.Double(), nullable=True),
        sa.Column("total_per_ul_low", sa.Double(), nullable=True),
        sa.Column("total_per_ul_high", sa.Double(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cell_file_key"], ["cell_file.key"], name=op.f("fk_prediction_cell_file_key_cell_file")
        ),
        sa.ForeignKeyConstraint(
            ["model_key"], ["model_version.key"], name=op.f("fk_prediction_model_key_model_version")
        ),
        sa.ForeignKeyConstraint(["run_key"], ["run.key"], name=op.f("fk_prediction_run_key_run")),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_prediction_specimen_key_specimen")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_prediction")),
        sa.UniqueConstraint(
            "specimen_key", "recipe_id", name=op.f("uq_prediction_specimen_key_recipe_id")
        ),
    )
    op.create_index(
        "uq_prediction_current",
        "prediction",
        ["specimen_key", "model_key"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )


def _create_prediction_class() -> None:
    op.create_table(
        "prediction_class",
        sa.Column("prediction_key", sa.Integer(), nullable=False),
        sa.Column("cell_class", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Double(), nullable=True),
        sa.Column("fraction_low", sa.Double(), nullable=True),
        sa.Column("fraction_high", sa.Double(), nullable=True),
        sa.Column("per_ul", sa.Double(), nullable=True),
        sa.Column("per_ul_low", sa.Double(), nullable=True),
        sa.Column("per_ul_high", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["prediction_key"],
            ["prediction.key"],
            name=op.f("fk_prediction_class_prediction_key_prediction"),
        ),
        sa.PrimaryKeyConstraint("prediction_key", "cell_class", name=op.f("pk_prediction_class")),
    )
