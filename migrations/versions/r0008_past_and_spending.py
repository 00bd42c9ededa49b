"""past and spending: what answers have cost, what a backend is still to delete, and as whom an answer was asked.

What an earlier release uses stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("answer", sa.Column("backend_user", sa.String(), nullable=True))
    op.create_index("ix_answer_backend_conversation", "answer", ["backend_conversation_id"])
    op.create_table(
        "spent",
        sa.Column("answer_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("installation", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("total_tokens", sa.BigInteger(), nullable=False),
        sa.Column("price_nanos", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("latency_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("answer_id", "attempt", name=op.f("pk_spent")),
    )
    op.create_index("ix_spent_day", "spent", ["day"])
    op.create_table(
        "unwanted",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("backend_user", sa.String(), nullable=False),
        sa.Column("backend_conversation_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unwanted")),
        sa.UniqueConstraint("app", "backend_conversation_id", name=op.f("uq_unwanted_app_backend_conversation_id")),
    )


def downgrade() -> None:
    op.drop_table("unwanted")
    op.drop_index("ix_spent_day", "spent")
    op.drop_table("spent")
    op.drop_index("ix_answer_backend_conversation", "answer")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_column("backend_user")
