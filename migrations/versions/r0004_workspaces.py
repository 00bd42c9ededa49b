"""workspaces: installations, comments on answers, who asked, and what is wanted of a conversation as a whole.

What an earlier release uses stays as it was. The tables `installation`, `lease` and `process` came too early: no release wrote to
them; the first comes back in another shape.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

ADDED: dict[str, list[sa.Column[Any]]] = {
    "conversation": [
        sa.Column("fresh_after", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("muted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("bots_in_a_row", sa.Integer(), server_default=sa.text("0"), nullable=False),
    ],
    "inbound_event": [sa.Column("person_id", sa.String(), server_default=sa.text("''"), nullable=False)],
    "rating": [
        sa.Column("comments_wanted", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("comments_handed", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("comments_sent", sa.String(), server_default=sa.text("''"), nullable=False),
    ],
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_inbound_event_person", "inbound_event", ["platform", "installation", "person_id"])
    op.create_table(
        "feedback_comment",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("message_address", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "message_address", "person_id", name=op.f("pk_feedback_comment")),
    )
    for table in ("installation", "lease", "process"):
        op.drop_table(table)
    op.create_table(
        "installation",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "id", name=op.f("pk_installation")),
    )
    op.create_table(
        "install_state",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "digest", name=op.f("pk_install_state")),
    )


def downgrade() -> None:
    for table in ("install_state", "installation"):
        op.drop_table(table)
    make_what_was_never_used()
    op.drop_table("feedback_comment")
    op.drop_index("ix_inbound_event_person", "inbound_event")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column.name)


def make_what_was_never_used() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("enterprise_id", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("app_id", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("bot_user_id", sa.String(), nullable=True),
        sa.Column("token_enc", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
        sa.UniqueConstraint(
            "platform",
            "app_id",
            "enterprise_id",
            "tenant_id",
            name=op.f("uq_installation_platform_app_id_enterprise_id_tenant_id"),
        ),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "process",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_process")),
    )
