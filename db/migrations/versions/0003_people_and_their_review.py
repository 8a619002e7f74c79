"""People, their review, its trail, and what is sent."""

import sqlalchemy as sa
from alembic import op

from db.types import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_account()
    _create_audit_entry()
    _create_api_token()
    _create_login_session()
    _create_job()
    _create_review()
    _create_cell_correction()
    _create_report_version()
    _create_review_note()
    _create_outbox_message()
    _create_report_signature()
    _protect_audit_entry()


def downgrade() -> None:
    op.drop_table("report_signature")
    op.drop_table("outbox_message")
    op.drop_table("review_note")
    op.drop_table("report_version")
    op.drop_table("cell_correction")
    op.drop_table("review")
    op.drop_table("job")
    op.drop_table("login_session")
    op.drop_table("api_token")
    op.drop_table("audit_entry")
    op.drop_table("account")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change")


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("password_temporary", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcTime(timezone=True), nullable=True),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("password_changed_at", UtcTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'technician', 'reviewer', 'scientist', 'administrator')",
            name=op.f("ck_account_role"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )


def _create_audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", UtcTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("software", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=True),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("entry_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("entry_hash", name=op.f("uq_audit_entry_entry_hash")),
    )
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"], unique=False)


def _create_api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcTime(timezone=True), nullable=True),
        sa.Column("revoked_at", UtcTime(timezone=True), nullable=True),
        sa.Column("used_at", UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_api_token_account_key_account")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    op.create_index(op.f("ix_api_token_account_key"), "api_token", ["account_key"], unique=False)


def _create_login_session() -> None:
    op.create_table(
        "login_session",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_login_session_account_key_account")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_login_session_token_sha256")),
    )
    op.create_index(
        op.f("ix_login_session_account_key"), "login_session", ["account_key"], unique=False
    )


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=True),
        sa.Column("specimen_key", sa.Integer(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("seconds_left", sa.Double(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("lease_until", UtcTime(timezone=True), nullable=True),
        sa.Column("asked_at", UtcTime(timezone=True), nullable=False),
        sa.Column("started_at", UtcTime(timezone=True), nullable=True),
        sa.Column("ended_at", UtcTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_job_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_job_account_key_account")
        ),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_job_specimen_key_specimen")
        ),
        sa.ForeignKeyConstraint(["study_key"], ["study.key"], name=op.f("fk_job_study_key_study")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job")),
    )
    op.create_index("ix_job_state", "job", ["state", "key"], unique=False)
    op.create_index(
        "uq_job_standing",
        "job",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )


def _create_review() -> None:
    op.create_table(
        "review",
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", UtcTime(timezone=True), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("signed_state", sa.String(), nullable=False),
        sa.Column("prediction_key", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "signed_state IN ('open', 'reviewed', 'released', 'corrected')",
            name=op.f("ck_review_signed_state"),
        ),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["account.key"], name=op.f("fk_review_changed_by_account")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_key"],
            ["prediction.key"],
            name=op.f("fk_review_prediction_key_prediction"),
        ),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_review_specimen_key_specimen")
        ),
        sa.PrimaryKeyConstraint("specimen_key", name=op.f("pk_review")),
    )


def _create_cell_correction() -> None:
    op.create_table(
        "cell_correction",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("prediction_key", sa.Integer(), nullable=False),
        sa.Column("cell_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_cell_correction_account_key_account")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_key"],
            ["prediction.key"],
            name=op.f("fk_cell_correction_prediction_key_prediction"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cell_correction")),
    )
    op.create_index(
        "ix_cell_correction_cell", "cell_correction", ["prediction_key", "cell_id"], unique=False
    )


def _create_report_version() -> None:
    op.create_table(
        "report_version",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("prediction_key", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("report_sha256", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("drawn_with", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("released_at", UtcTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('preliminary', 'final', 'corrected')", name=op.f("ck_report_version_state")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_key"],
            ["prediction.key"],
            name=op.f("fk_report_version_prediction_key_prediction"),
        ),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_report_version_specimen_key_specimen")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_report_version")),
        sa.UniqueConstraint(
            "specimen_key", "version", name=op.f("uq_report_version_specimen_key_version")
        ),
    )


def _create_review_note() -> None:
    op.create_table(
        "review_note",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("specimen_key", sa.Integer(), nullable=False),
        sa.Column("prediction_key", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('comment', 'hold', 'unhold', 'flag_accepted', 'bin_seen', 'rerun_requested')",
            name=op.f("ck_review_note_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_review_note_account_key_account")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_key"],
            ["prediction.key"],
            name=op.f("fk_review_note_prediction_key_prediction"),
        ),
        sa.ForeignKeyConstraint(
            ["specimen_key"], ["specimen.key"], name=op.f("fk_review_note_specimen_key_specimen")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_review_note")),
    )
    op.create_index(
        "ix_review_note_specimen", "review_note", ["specimen_key", "kind"], unique=False
    )


def _create_outbox_message() -> None:
    op.create_table(
        "outbox_message",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("report_version_key", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("control_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'acknowledged', 'refused')", name=op.f("ck_outbox_message_state")
        ),
        sa.ForeignKeyConstraint(
            ["report_version_key"],
            ["report_version.key"],
            name=op.f("fk_outbox_message_report_version_key_report_version"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("control_id", name=op.f("uq_outbox_message_control_id")),
        sa.UniqueConstraint(
            "report_version_key",
            "destination",
            name=op.f("uq_outbox_message_report_version_key_destination"),
        ),
    )
    op.create_index(
        "ix_outbox_message_due", "outbox_message", ["state", "next_attempt_at"], unique=False
    )


def _create_report_signature() -> None:
    op.create_table(
        "report_signature",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("report_version_key", sa.Integer(), nullable=False),
        sa.Column("account_key", sa.Integer(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("report_sha256", sa.String(), nullable=False),
        sa.Column("signed_at", UtcTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "meaning IN ('reviewed', 'released')", name=op.f("ck_report_signature_meaning")
        ),
        sa.ForeignKeyConstraint(
            ["account_key"], ["account.key"], name=op.f("fk_report_signature_account_key_account")
        ),
        sa.ForeignKeyConstraint(
            ["report_version_key"],
            ["report_version.key"],
            name=op.f("fk_report_signature_report_version_key_report_version"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_report_signature")),
        sa.UniqueConstraint(
            "report_version_key",
            "meaning",
            name=op.f("uq_report_signature_report_version_key_meaning"),
        ),
    )


_REFUSAL = "the audit trail is never altered"


def _protect_audit_entry() -> None:
    """The database itself refuses to alter, remove or empty the trail."""
    if op.get_context().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_entry_no_{action.lower()} BEFORE {action} ON audit_entry "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )
