"""conversation inputs: what members have filled in for an app, and what they are being asked for.

What an earlier release uses stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conversation_input",
        sa.Column("conversation_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_conversation_input_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "name", name="pk_conversation_input"),
    )
    op.create_table(
        "input_request",
        sa.Column("answer_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name="fk_input_request_answer_id_answer"),
        sa.PrimaryKeyConstraint("answer_id", name="pk_input_request"),
    )
    op.create_index("ix_input_request_expires", "input_request", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_input_request_expires", table_name="input_request")
    op.drop_table("input_request")
    op.drop_table("conversation_input")
