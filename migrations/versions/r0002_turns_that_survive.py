"""what a turn must leave behind so that the next owner can go on: stops, edits, outcomes, intended messages, bookmarks.

Only adds, so that a process of the release before works on with it. Answers that release left unfinished are as it left them:
asked once, of the question as it was first written.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

ADDED: dict[str, list[sa.Column[Any]]] = {
    "conversation": [sa.Column("poisoned", sa.Boolean(), server_default=sa.false(), nullable=False)],
    "answer": [
        sa.Column("stop_reason", sa.String(), nullable=True),
        sa.Column("asked_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.Text(), server_default=sa.text("''"), nullable=False),
    ],
    "inbound_event": [sa.Column("edit_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False)],
    "outbound_message": [
        sa.Column("role", sa.String(), server_default=sa.text("'text'"), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=True),
    ],
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "bookmark",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "name", name=op.f("pk_bookmark")),
    )


def downgrade() -> None:
    op.drop_table("bookmark")
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column.name)
