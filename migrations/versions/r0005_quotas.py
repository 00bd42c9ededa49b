"""quotas: where a question was asked, so that questions of a while can be counted; votes on answers that were replaced; titles.

What an earlier release uses stays as it was.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ADDED: dict[str, list[sa.Column[Any]]] = {
    "conversation": [sa.Column("titled", sa.Boolean(), server_default=sa.false(), nullable=False)],
    "inbound_event": [sa.Column("channel_id", sa.String(), server_default=sa.text("''"), nullable=False)],
    "feedback": [sa.Column("past_answer_id", ROW_ID, nullable=True)],
    "feedback_comment": [sa.Column("past_answer_id", ROW_ID, nullable=True)],
}
INDEXES = {
    "ix_inbound_event_asker": ("inbound_event", ["platform", "person_id", "received_at"]),
    "ix_inbound_event_channel": ("inbound_event", ["platform", "installation", "channel_id", "received_at"]),
    "ix_feedback_comment_past": ("feedback_comment", ["past_answer_id"]),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for column in columns:
            op.add_column(table, column)
    for name, (table, on) in INDEXES.items():
        op.create_index(name, table, on)
    # Threads that are under way keep the names that people know them by.
    conversation = sa.table("conversation", sa.column("titled", sa.Boolean()))
    op.execute(conversation.update().values(titled=sa.true()))


def downgrade() -> None:
    # An earlier release does not know the other kind, and answers what waits as if it were a retry.
    event = sa.table("inbound_event", sa.column("kind", sa.String()))
    op.execute(event.update().where(event.c.kind == "again").values(kind="retry"))
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
    for table, columns in ADDED.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column.name)
